"""Middleware for the host: errors under the API's root are problem documents, also before a view runs.

Without it, a bad `Host` header and failures of other middleware would be answered with the host's HTML page (with
`DEBUG`, one that shows the settings). `ProblemMiddleware` comes first in `MIDDLEWARE`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import lru_cache

from django.conf import settings
from django.core.exceptions import BadRequest, DisallowedHost, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import NoReverseMatch, get_script_prefix, reverse

from program_enrollments.exceptions import HostError
from program_enrollments.rest_api import request_ids
from program_enrollments.rest_api.errors import InvalidParameter, problem_document
from program_enrollments.rest_api.renderers import ProblemRenderer
from program_enrollments.sentences import in_english

# The same logger as Django's own handling, for operators who watch it.
security_logger = logging.getLogger("django.security.DisallowedHost")

BAD_HOST = InvalidParameter(
    parameter="Host", detail="The Host header is not a name of this site. Call the site by its own name."
)
BY_STATUS: dict[int, Exception] = {
    400: BadRequest(),
    403: PermissionDenied(),
    404: Http404(),
    500: RuntimeError(),
    503: HostError(),
}


class ProblemMiddleware:
    """Answers with problem documents under the API's root, instead of the host's pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # Middleware before this one may have chosen another (`compatible_root`).
        urlconf = getattr(request, "urlconf", None) or settings.ROOT_URLCONF
        root = find_root(urlconf, get_script_prefix())
        if root is None or not request.path.startswith(root):
            return self.get_response(request)
        try:
            request.get_host()
        except DisallowedHost as error:
            security_logger.error(str(error), extra={"status_code": 400, "request": request})
            return _answer(request, BAD_HOST)
        response = self.get_response(request)
        problem = BY_STATUS.get(response.status_code)
        is_page = str(response.get("Content-Type", "")).startswith("text/html")
        return _answer(request, problem) if problem is not None and is_page else response


@lru_cache(maxsize=8)
def find_root(urlconf: str, script_prefix: str) -> str | None:
    """Return the path at which the API is mounted, or None if the host does not mount it.

    `script_prefix` is the prefix that `reverse` adds.
    """
    try:
        return reverse("university_enrollments:nothing-here", urlconf=urlconf, args=[""])
    except NoReverseMatch:
        return None


def _answer(request: HttpRequest, error: Exception) -> HttpResponse:
    with in_english():
        document = problem_document(error)
    response = JsonResponse(
        document,
        status=document["status"],
        content_type=ProblemRenderer.media_type,
        headers={
            request_ids.HEADER: request_ids.choose_request_id(request.headers.get(request_ids.HEADER)),
            "Cache-Control": "private, no-store",
        },
    )
    # Django would log the path, which can contain a student ID.
    response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001  (what Django's own logging looks at)
    return response
