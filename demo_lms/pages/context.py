"""What every template may use."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def development_pages(request: HttpRequest) -> dict[str, bool]:
    """Return `development_pages`: whether the pages that a real site must never have are switched on."""
    return {"development_pages": settings.DEMO_DEV_SIGN_IN}
