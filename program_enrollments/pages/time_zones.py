"""Time zones: pages show times in the viewer's own, which the browser says in a cookie."""

from __future__ import annotations

from datetime import tzinfo
from urllib.parse import unquote
from zoneinfo import ZoneInfo, available_timezones

from django.http import HttpRequest
from django.utils import timezone

COOKIE = "pe_zone"


def zone_of(request: HttpRequest) -> tzinfo:
    """Return the viewer's time zone, or the site's while it is not known."""
    name = unquote(request.COOKIES.get(COOKIE, ""))
    return ZoneInfo(name) if name in available_timezones() else timezone.get_default_timezone()
