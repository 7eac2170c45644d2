"""Paging: keyset pages with opaque cursors.

The same cost at any depth, and nothing skipped when rows come and go.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from program_enrollments.data import Page
from program_enrollments.exceptions import BadCursor

FORWARD, BACKWARD = "n", "p"
MAX_KEY = 2**63 - 1
PLACE = re.compile(r"([np])(\d{1,19})(?:\.(\d{1,19}))?", re.ASCII)


def seal(plain: str) -> str:
    """Return ASCII text as clients see a cursor: opaque, and safe in a URL."""
    return base64.urlsafe_b64encode(plain.encode("ascii")).decode("ascii").rstrip("=")


def unseal(text: str) -> str:
    """Return what `seal` was given. Raises BadCursor for anything that it does not return."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (ValueError, binascii.Error):
        raise BadCursor from None


Key = int | tuple[int, int]
"""Where a row stands in its list: an integer, or two of which the first counts more."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a list: read on from behind the row with this key, or back from before it.

    `within` is the second integer of a key that has two.
    """

    key: int = 0
    backward: bool = False
    within: int = 0

    def encode(self) -> str:
        """Return the cursor as a client sees it: opaque, and safe in a URL."""
        return seal(f"{BACKWARD if self.backward else FORWARD}{self.key}{f'.{self.within}' if self.within else ''}")


def decode_cursor(text: str, *, has_two_keys: bool = False) -> Cursor:
    """Return what `Cursor.encode` gave. Raises BadCursor for anything else."""
    place = PLACE.fullmatch(unseal(text))
    if place is None or (place[3] and not has_two_keys):
        raise BadCursor
    key, within = int(place[2]), int(place[3] or 0)
    if max(key, within) > MAX_KEY:
        raise BadCursor
    return Cursor(key, place[1] == BACKWARD, within)


def fetch_page(
    *,
    read: Callable[[Cursor, int], Sequence[tuple[Key, Any]]],
    cursor: str | None,
    page_size: int,
    render: Callable[[Any], dict[str, Any]],
    has_two_keys: bool = False,
) -> Page:
    """Return one page.

    `read(cursor, limit)` gives up to `limit` pairs of key and row behind the cursor, in reading direction.
    """
    place = decode_cursor(cursor, has_two_keys=has_two_keys) if cursor else Cursor()
    found = list(read(place, page_size + 1))
    more, found = len(found) > page_size, found[:page_size]
    if place.backward:
        found.reverse()
    has_next, has_previous = (True, more) if place.backward else (more, bool(cursor) and place.key > 0)
    if not found:
        return Page([], None, None)
    return Page(
        [render(row) for _, row in found],
        _cursor_at(found[-1][0], backward=False) if has_next else None,
        _cursor_at(found[0][0], backward=True) if has_previous else None,
    )


def _cursor_at(key: Key, *, backward: bool) -> str:
    first, within = key if isinstance(key, tuple) else (key, 0)
    return Cursor(first, backward, within).encode()


class PageSource(Protocol):
    """Returns the page of a list at a cursor."""

    def __call__(self, *, cursor: str | None) -> Page: ...


def walk(fetch: PageSource) -> Iterator[dict[str, Any]]:
    """Yield every row of a list, a page at a time."""
    cursor: str | None = None
    while True:
        page = fetch(cursor=cursor)
        yield from page.rows
        if page.next_cursor is None:
            return
        cursor = page.next_cursor
