"""Headers: the strict Content-Security-Policy and other security headers of every page here."""

from __future__ import annotations

import re
from typing import TypeVar
from urllib.parse import urlsplit

from django.http.response import HttpResponseBase
from django.utils.cache import add_never_cache_headers

R = TypeVar("R", bound=HttpResponseBase)

HOST = re.compile(r"[A-Za-z0-9.-]+(:\d{1,5})?")


def protect(response: R, *, nonce: str = "", image_url: str = "", has_scripts: bool = False) -> R:
    """Let a page load only this site's styles, the element with `nonce`, and one logo.

    The logo is at `image_url`. With `has_scripts` the nonce is for a style alone: scripts are files of this site, and
    may query it.

    Forms are sent to this site only. The page is not cached and cannot be framed, and its address is not sent to other
    sites.
    """
    own = f"'nonce-{nonce}'" if nonce else "'none'"
    sources = {
        "default-src": "'none'",
        "style-src": f"'self' {own}" if nonce else "'self'",
        "script-src": "'self'" if has_scripts else own,
        "connect-src": "'self'" if has_scripts else "'none'",
        "img-src": " ".join(["'self'", "data:", *image_origins(image_url)]),
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    response["Content-Security-Policy"] = "; ".join(f"{name} {value}" for name, value in sources.items())
    response["X-Frame-Options"] = "DENY"
    response["X-Content-Type-Options"] = "nosniff"
    response["Referrer-Policy"] = "same-origin"
    add_never_cache_headers(response)
    return response


def image_origins(url: str) -> list[str]:
    """Return the origin of an image on another site, fit for a policy.

    Nothing for addresses that aren't plain.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return []
    if parts.scheme in {"http", "https"} and HOST.fullmatch(parts.netloc):
        return [f"{parts.scheme}://{parts.netloc}"]
    return []
