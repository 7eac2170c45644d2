"""Names of people, as papers have them."""

from __future__ import annotations

from typing import Any


def name_of(user: Any) -> str:
    """Return the name that stands on a confirmation: the full one, or else the username."""
    full = user.get_full_name() if hasattr(user, "get_full_name") else ""
    return str(full or user.get_username())
