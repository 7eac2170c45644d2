"""Following: a program's feed of changes from a cursor on.

Nothing is skipped, even if others write meanwhile (ADR 0003).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from program_enrollments.api.reads.change_entries import tell_changes, tell_changes_between
from program_enrollments.api.reads.cursors import MAX_KEY, seal, unseal
from program_enrollments.api.transactions import get_database_alias
from program_enrollments.exceptions import BadCursor
from program_enrollments.models import LedgerEntry, LedgerPosition, Program

PLACE = re.compile(r"c(\d{1,19})\.(\d{1,19})", re.ASCII)


@dataclass(frozen=True, slots=True)
class ChangesPage:
    """Entries in the order of positions, the cursor behind them, and whether there are more.

    The cursor is never empty.
    """

    rows: list[dict[str, Any]]
    cursor: str
    has_more: bool


def fetch_changes(*, program: Program, after: str | None, page_size: int) -> ChangesPage:
    """Return up to `page_size` changes behind the cursor `after`, in two statements.

    Without a cursor, return those from the beginning.

    A program's positions are handed out under a lock that writers hold until they commit, so a reader who sees a
    position sees all before it. With its cursor, it gets every entry exactly once, in the order of commits. Raises
    BadCursor for a cursor of another program's feed, and for one ahead of the feed, as after a restored backup: reading
    on from there would skip what is written next.
    """
    position = _decode(after, program_id=program.pk) if after else 0
    window_end = min(position + page_size + 1, MAX_KEY)
    found = tell_changes_between(program_id=program.pk, after=position, until=window_end)
    if len(found) <= page_size:
        last = _last_position(program_id=program.pk)
        if position > last:
            raise BadCursor
        if last > window_end:
            # Positions are missing, as after entries went to an archive.
            entries = LedgerEntry.objects.filter(program=program, position__gt=position).order_by("position")
            found = tell_changes(entries=entries[: page_size + 1])
    has_more, found = len(found) > page_size, found[:page_size]
    position = (found[-1][0] if found else None) or position
    return ChangesPage([row for _, row in found], cursor_at(program_id=program.pk, position=position), has_more)


def walk_changes(*, program: Program, after: str | None, page_size: int) -> Iterator[dict[str, Any]]:
    """Yield every change behind the cursor `after`, a page at a time, until there are no more.

    Raises BadCursor.
    """
    while True:
        page = fetch_changes(program=program, after=after, page_size=page_size)
        yield from page.rows
        if not page.has_more:
            return
        after = page.cursor


def _last_position(*, program_id: int) -> int:
    # From the database that is written to: a replica that lags behind would call a good cursor bad.
    positions = LedgerPosition.objects.using(get_database_alias()).filter(pk=program_id)
    return positions.values_list("last_position", flat=True).first() or 0


def cursor_at(*, program_id: int, position: int) -> str:
    """Return the cursor behind a position of a program's feed."""
    return seal(f"c{program_id}.{position}")


def _decode(text: str, *, program_id: int) -> int:
    place = PLACE.fullmatch(unseal(text))
    if place is None or int(place[1]) != program_id or int(place[2]) > MAX_KEY:
        raise BadCursor
    return int(place[2])
