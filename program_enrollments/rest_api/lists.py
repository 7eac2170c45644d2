"""Lists: the envelope of every list, with absolute URLs of its neighbors (docs/api.rst, Lists)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.utils.encoding import escape_uri_path
from rest_framework.request import Request

from program_enrollments.conf import get_setting
from program_enrollments.data import Page

CURSOR, PAGE_SIZE = "cursor", "page_size"
PAGING = (CURSOR, PAGE_SIZE)
"""The query parameters of every list."""


class Paging(NamedTuple):
    """The page of a list that a request names."""

    cursor: str | None
    page_size: int


def read_paging(request: Request) -> Paging:
    """Return the page that a request names.

    It has `PAGE_SIZE` rows unless the request gives a `page_size`, and at most `MAX_PAGE_SIZE`. A page size that is not
    a number above 0 is ignored. The list itself checks the cursor.
    """
    return Paging(request.query_params.get(CURSOR) or None, _page_size(request.query_params.get(PAGE_SIZE, "")))


def _page_size(text: str) -> int:
    default, maximum = int(get_setting("PAGE_SIZE")), int(get_setting("MAX_PAGE_SIZE"))
    digits = text.strip().lstrip("0")
    if not (digits.isascii() and digits.isdecimal()):
        return default
    return maximum if len(digits) > len(str(maximum)) else min(int(digits), maximum)


def render_page(request: Request, page: Page, **more: Any) -> dict[str, Any]:
    """Return the envelope of a page: `next`, `previous`, `results`, and the members `more`.

    `next` and `previous` are absolute URLs or None.
    """
    return {
        "next": page_url(request, page.next_cursor),
        "previous": page_url(request, page.previous_cursor),
        **more,
        "results": page.rows,
    }


def page_url(request: Request, cursor: str | None, *, parameter: str = CURSOR) -> str | None:
    """Return the absolute URL of this request with another cursor, or None without a cursor."""
    if cursor is None:
        return None
    query = request.query_params.copy()
    query[parameter] = cursor
    return request.build_absolute_uri(f"{escape_uri_path(request.path)}?{query.urlencode()}")


def choose_status(rows: Sequence[Mapping[str, Any]]) -> int:
    """Return the status of a page: 200 without errors, 207 with some, 422 with nothing else.

    An empty page has no errors.
    """
    failed = sum("error" in row for row in rows)
    if not failed:
        return 200
    return 422 if failed == len(rows) else 207
