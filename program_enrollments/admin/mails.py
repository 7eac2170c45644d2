"""Contacts and mails, view only: schools change their contacts in the console."""

from __future__ import annotations

from django.contrib import admin

from program_enrollments.admin.large_tables import ViewOnlyAdmin
from program_enrollments.models import Contact, Mail


@admin.register(Contact)
class ContactAdmin(ViewOnlyAdmin):
    """Who is mailed at a school."""

    list_display = ["email", "school", "language", "is_daily", "created_at"]
    list_prefetch_related = ("school",)
    fields = ["school", "email", "language", "is_daily", "created_at", "created_by_id"]


@admin.register(Mail)
class MailAdmin(ViewOnlyAdmin):
    """What contacts were mailed in the last weeks, and what is still to be sent."""

    list_display = ["key", "school", "recipient", "kind", "created_at", "due_at", "sent_at", "problem"]
    list_prefetch_related = ("school",)
    list_filter = ["kind"]
    fields = [
        "school",
        "contact",
        "recipient",
        "kind",
        "key",
        "program",
        "data",
        "created_at",
        "due_at",
        "sent_at",
        "tries",
        "problem",
    ]
