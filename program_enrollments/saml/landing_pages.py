"""Landing pages: the pages to which people are sent after signing on."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme

from program_enrollments.conf import get_setting

MAX_LENGTH = 1500
"""The longest address that is kept during the round trip, since a cookie carries it."""


def safe_next(request: HttpRequest, wanted: object) -> str:
    """Return `wanted` if it is the path of a page on this site, else an empty string."""
    if not isinstance(wanted, str) or len(wanted) > MAX_LENGTH or not wanted.startswith("/"):
        return ""
    if not url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return ""
    return wanted


def destination(next_url: str) -> str:
    """Return the page to go to: `next_url`, which is safe, or else the landing page of the settings."""
    return next_url or resolve_url(get_setting("SIGN_ON_LANDING_PAGE") or settings.LOGIN_REDIRECT_URL)
