"""Which universities one can sign in with."""

from __future__ import annotations

from django.db.models import QuerySet

from program_enrollments.models import IdentityProvider


def fetch_sign_in_choices() -> QuerySet[IdentityProvider]:
    """Return the identity providers that are switched on, by university."""
    return IdentityProvider.objects.filter(is_enabled=True).select_related("school").order_by("school__name", "slug")
