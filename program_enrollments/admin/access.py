"""Access as it was given and used: changes, also of settings, invitations, and looks at personal data.

Only for viewing.
"""

from __future__ import annotations

from django.contrib import admin

from program_enrollments.admin.large_tables import ViewOnlyAdmin
from program_enrollments.models import AccessChange, Disclosure, Invitation, MetadataRequest, SettingChange


@admin.register(AccessChange)
class AccessChangeAdmin(ViewOnlyAdmin):
    """Who gave or took which permissions in the console."""

    list_display = ["at", "school", "program", "actor_id", "user_id", "given", "taken", "reason"]
    list_prefetch_related = ("school", "program")


@admin.register(SettingChange)
class SettingChangeAdmin(ViewOnlyAdmin):
    """Who changed which settings of a school in the console."""

    list_display = ["at", "school", "actor_id", "kind", "subject"]
    list_prefetch_related = ("school",)


@admin.register(Disclosure)
class DisclosureAdmin(ViewOnlyAdmin):
    """Who looked at or exported personal data in the console."""

    list_display = ["at", "school", "program", "user_id", "page", "filters", "rows", "is_export"]
    list_prefetch_related = ("school", "program")


@admin.register(Invitation)
class InvitationAdmin(ViewOnlyAdmin):
    """Who is invited to administer which programs."""

    list_display = ["email", "school", "program", "invited_at", "expires_at", "accepted_at", "withdrawn_at"]
    list_prefetch_related = ("school", "program")
    exclude = ["digest"]


@admin.register(MetadataRequest)
class MetadataRequestAdmin(ViewOnlyAdmin):
    """Who was asked for an identity provider's metadata, and what became of the draft."""

    list_display = [
        "email",
        "school",
        "requested_at",
        "expires_at",
        "sent_at",
        "entity_id",
        "closed_at",
        "is_activated",
    ]
    list_prefetch_related = ("school",)
    exclude = ["digest"]
