"""Following: a program's feed of changes from a cursor on. Nothing is skipped, whoever writes meanwhile (ADR 0003)."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any

from django.db import router

from program_enrollments.api.reading.paging import MAX_KEY
from program_enrollments.api.reading.telling_changes import tell_changes
from program_enrollments.exceptions import BadCursor
from program_enrollments.models import LedgerEntry, LedgerPosition, Program

PLACE = re.compile(r"c(\d{1,19})\.(\d{1,19})", re.ASCII)


@dataclass(frozen=True, slots=True)
class ChangesPage:
    """Entries in the order of positions, the cursor behind the last one (never empty), and whether there are more."""

    rows: list[dict[str, Any]]
    cursor: str
    has_more: bool


def fetch_changes(*, program: Program, after: str | None, page_size: int) -> ChangesPage:
    """Return up to `page_size` changes behind the cursor `after`, or from the beginning, in two statements.

    A program's positions are handed out under a lock that writers hold until they commit, so whoever sees a position
    sees all before it: a reader that keeps its cursor gets every entry exactly once, in the order of commits. Raises
    BadCursor for a cursor of another program's feed, and for one ahead of the feed, as after a restored backup:
    reading on from there would skip what is written next.
    """
    position = _decode(after, program_id=program.pk) if after else 0
    entries = LedgerEntry.objects.filter(program=program, position__gt=position).order_by("position")
    # Bounded at both ends: to a range open at one, MariaDB prefers reading the program's index from its beginning.
    window_end = position + page_size + 1
    found = tell_changes(entries=entries.filter(position__lte=window_end))
    if len(found) <= page_size:
        last = _last_position(program_id=program.pk)
        if position > last:
            raise BadCursor
        if last > window_end:
            # Positions are missing, as after entries went to an archive.
            found = tell_changes(entries=entries[: page_size + 1])
    has_more, found = len(found) > page_size, found[:page_size]
    position = (found[-1][0] if found else None) or position
    return ChangesPage([row for _, row in found], _encode(program_id=program.pk, position=position), has_more)


def _last_position(*, program_id: int) -> int:
    """Asked of the database that is written to: a replica that lags behind would call a good cursor bad."""
    positions = LedgerPosition.objects.using(router.db_for_write(LedgerPosition))
    return positions.filter(pk=program_id).values_list("last_position", flat=True).first() or 0


def _encode(*, program_id: int, position: int) -> str:
    return base64.urlsafe_b64encode(f"c{program_id}.{position}".encode("ascii")).decode("ascii").rstrip("=")


def _decode(text: str, *, program_id: int) -> int:
    try:
        plain = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (ValueError, binascii.Error):
        raise BadCursor from None
    place = PLACE.fullmatch(plain)
    if place is None or int(place[1]) != program_id or int(place[2]) > MAX_KEY:
        raise BadCursor
    return int(place[2])
