"""Time zones: pages show times in the viewer's own, which the browser says in a cookie."""

from __future__ import annotations

from datetime import tzinfo
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.utils import timezone

from program_enrollments.time_zones import known_zones

COOKIE = "pe_zone"


def zone_of(request: HttpRequest) -> tzinfo:
    """Return the viewer's time zone, or the site's while it is not known."""
    name = unquote(request.COOKIES.get(COOKIE, ""))
    return ZoneInfo(name) if name and name in known_zones() else timezone.get_default_timezone()
