"""Pending requests: the sign-ons that a browser has started.

Each has its own signed cookie, so that tabs don't disturb each other (ADR 0008).
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
"""The time that people have at their university. Some have to set up a second factor first."""
MAX_BYTES = 3500
"""The most bytes of these cookies together, since servers accept about 8,000. The oldest cookies are dropped."""


@dataclass(frozen=True, slots=True)
class PendingRequest:
    """A sign-on that this browser has started. `next_url` is a path of this site, or empty."""

    request_id: str
    slug: str
    next_url: str = ""


def remember_request(request: HttpRequest, response: HttpResponse, *, pending: PendingRequest) -> None:
    """Store the request in a signed cookie until it is answered."""
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
    """Return the pending request with this ID, or None if this browser did not start it or it expired."""
    found = _read(request, f"{PREFIX}{request_id}")
    return found[1] if found is not None and found[1].request_id == request_id else None


def forget_request(response: HttpResponse, *, request_id: str) -> None:
    """Delete the cookie of a request that has been answered."""
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
