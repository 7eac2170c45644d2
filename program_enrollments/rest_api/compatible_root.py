"""The compatible root: the path of Open edX's own program API, at which ours can answer instead.

`CompatibleRootMiddleware` decides it by the path of a request, so that it does not matter in which order the platform
found its plug-ins (ADR 0020).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from program_enrollments.conf import get_setting

ROOT = "api/program_enrollments/"

UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
OF_THE_PLATFORM = re.compile(
    rf"v1/(?:programs/(?:enrollments|readonly_access)/?$|programs/{UUID}/overview/|users/|integration-reset)"
)
"""Paths below the root that only the platform's own app has. Its pages call them."""


class CompatibleRootMiddleware:
    """Lets this app answer below `ROOT` if the setting `COMPATIBLE_ROOT` is on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        if not get_setting("COMPATIBLE_ROOT"):
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if is_ours(request.path_info):
            request.urlconf = "program_enrollments.rest_api.compatible_urls"
        return self.get_response(request)


def is_ours(path_info: str) -> bool:
    """Whether a path below the site's prefix is one that this app answers at the compatible root."""
    path_below = path_info.removeprefix("/")
    return path_below.startswith(ROOT) and OF_THE_PLATFORM.match(path_below, len(ROOT)) is None
