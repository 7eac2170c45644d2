"""Time zones by their names, as people and browsers give them."""

from __future__ import annotations

from functools import cache
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _


@cache
def known_zones() -> frozenset[str]:
    """Return the names of all time zones. Finding them takes as long as a page, since it reads many files."""
    return frozenset(available_timezones())


def check_time_zone(name: str) -> None:
    """Raise ValidationError for what is no name of a time zone."""
    if name not in known_zones():
        raise ValidationError(_("Name a time zone such as Europe/Berlin."), code="invalid")
