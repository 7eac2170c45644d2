"""What every template may use."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from program_enrollments import api


def development_pages(request: HttpRequest) -> dict[str, bool]:
    """Return `development_pages`: whether the pages that a real site must never have are switched on."""
    return {"development_pages": settings.DEMO_DEV_SIGN_IN}


def administration(request: HttpRequest) -> dict[str, object]:
    """Return `administers`: whether the person administers a program, looked up where a template wants to know."""
    return {"administers": SimpleLazyObject(lambda: _administers(request))}


def _administers(request: HttpRequest) -> bool:
    return api.access_of(user=request.user).visible_programs().exists()
