"""Paging: keyset pages with opaque cursors.

The same cost at any depth, and nothing skipped when rows come and go.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from program_enrollments.data import Page
from program_enrollments.exceptions import BadCursor

FORWARD, BACKWARD = "n", "p"
MAX_KEY = 2**63 - 1


def seal(plain: str) -> str:
    """Return ASCII text as clients see a cursor: opaque, and safe in a URL."""
    return base64.urlsafe_b64encode(plain.encode("ascii")).decode("ascii").rstrip("=")


def unseal(text: str) -> str:
    """Return what `seal` was given. Raises BadCursor for anything that it does not return."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (ValueError, binascii.Error):
        raise BadCursor from None


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a list: read on from behind the row with this integer key, or back from before it."""

    key: int = 0
    backward: bool = False

    def encode(self) -> str:
        """Return the cursor as a client sees it: opaque, and safe in a URL."""
        return seal(f"{BACKWARD if self.backward else FORWARD}{self.key}")


def decode_cursor(text: str) -> Cursor:
    """Return what `Cursor.encode` gave. Raises BadCursor for anything else."""
    plain = unseal(text)
    direction, digits = plain[:1], plain[1:]
    if direction not in (FORWARD, BACKWARD) or not digits.isdigit() or len(digits) > 19 or int(digits) > MAX_KEY:
        raise BadCursor
    return Cursor(int(digits), direction == BACKWARD)


def fetch_page(
    *,
    read: Callable[[Cursor, int], Sequence[tuple[int, Any]]],
    cursor: str | None,
    page_size: int,
    render: Callable[[Any], dict[str, Any]],
) -> Page:
    """Return one page.

    `read(cursor, limit)` gives up to `limit` pairs of key and row behind the cursor, in reading direction.
    """
    place = decode_cursor(cursor) if cursor else Cursor()
    found = list(read(place, page_size + 1))
    more, found = len(found) > page_size, found[:page_size]
    if place.backward:
        found.reverse()
    has_next, has_previous = (True, more) if place.backward else (more, bool(cursor) and place.key > 0)
    if not found:
        return Page([], None, None)
    return Page(
        [render(row) for _, row in found],
        Cursor(found[-1][0]).encode() if has_next else None,
        Cursor(found[0][0], backward=True).encode() if has_previous else None,
    )
