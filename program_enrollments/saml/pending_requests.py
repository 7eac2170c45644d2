"""Pending requests: which sign-ons a browser has asked for.

One signed cookie each, so that no tab disturbs another (ADR 0008).
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

SALT = "program_enrollments.saml.request"
PREFIX = "sign_on"
MAX_AGE_SECONDS = 3600
"""As long as people may take at their university: some have to set up a second factor first."""
MAX_BYTES = 3500
"""All cookies of pending requests together; servers take about 8,000 bytes of them. The oldest ones make room."""


@dataclass(frozen=True, slots=True)
class PendingRequest:
    """A sign-on that this browser has begun, and the page to go to afterwards.

    The page is a path of this site, or empty.
    """

    request_id: str
    slug: str
    next_url: str = ""


def remember_request(request: HttpRequest, response: HttpResponse, *, pending: PendingRequest) -> None:
    """Let the browser keep the request, signed, until it is answered."""
    started = int(time.time())
    value = signing.dumps([pending.request_id, pending.slug, pending.next_url, started], salt=SALT, compress=True)
    name = f"{PREFIX}{pending.request_id}"
    response.set_cookie(
        name,
        value,
        max_age=MAX_AGE_SECONDS,
        path=_path(),
        secure=settings.SESSION_COOKIE_SECURE or request.is_secure(),
        httponly=True,
        samesite="Lax",
    )
    _make_room(request, response, used=len(name) + len(value))


def find_request(request: HttpRequest, *, request_id: str) -> PendingRequest | None:
    """Return the pending request with this ID, None if this browser hasn't asked for it, or too long ago."""
    found = _read(request, f"{PREFIX}{request_id}")
    return found[1] if found is not None and found[1].request_id == request_id else None


def forget_request(response: HttpResponse, *, request_id: str) -> None:
    """Let the browser forget a request that has been answered."""
    response.delete_cookie(f"{PREFIX}{request_id}", path=_path(), samesite="Lax")


def _read(request: HttpRequest, name: str) -> tuple[int, PendingRequest] | None:
    try:
        request_id, slug, next_url, started = signing.loads(
            request.COOKIES.get(name, ""), salt=SALT, max_age=MAX_AGE_SECONDS
        )
    except signing.BadSignature:
        return None
    return started, PendingRequest(request_id, slug, next_url)


def _make_room(request: HttpRequest, response: HttpResponse, *, used: int) -> None:
    kept = []
    for name, value in request.COOKIES.items():
        if name.startswith(f"{PREFIX}_"):
            found = _read(request, name)
            kept.append((found[0] if found else 0, len(name) + len(value), name))
    for started, size, name in sorted(kept, reverse=True):
        used += size
        if not started or used > MAX_BYTES:
            response.delete_cookie(name, path=_path(), samesite="Lax")


def _path() -> str:
    return reverse("sign_on:index")
