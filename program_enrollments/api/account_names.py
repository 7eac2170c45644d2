"""What accounts are called, for lists of who did what."""

from __future__ import annotations

from collections.abc import Collection

from django.contrib.auth import get_user_model


def fetch_usernames(*, user_ids: Collection[int]) -> dict[int, str]:
    """Return the usernames of those accounts that still exist. At most one statement."""
    users = get_user_model()._default_manager.filter(pk__in=user_ids) if user_ids else ()
    return {user.pk: user.get_username() for user in users}
