"""Days: a program's changes newest first, day by day and filtered, as the console lists them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from program_enrollments.api.learners.search import find_learners
from program_enrollments.api.reads.change_entries import MEMBERS, tell_changes
from program_enrollments.api.reads.cursors import Cursor, fetch_page
from program_enrollments.data import Page
from program_enrollments.models import LedgerEntry, LedgerPosition, Program

BRANCHES = 64
"""Positions that are looked at in one statement on the way to a time: five find it among a billion."""

SLACK = timedelta(hours=1)
"""A change has the time at which its call began, so positions are in the order of times only nearly."""


@dataclass(frozen=True, slots=True)
class ChangeFilters:
    """Filters of the console's list of changes; None or empty means no filter.

    Times are `since <= at < until`.
    """

    words: str = ""
    kind: str | None = None
    source: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def fetch_days(*, program: Program, filters: ChangeFilters, cursor: str | None, page_size: int) -> Page:
    """Return a page of a program's changes, newest first.

    Rows are those of `fetch_changes`, with `learner_id`. Two statements, and a few to find a time or a learner. Raises
    BadCursor.
    """
    entries = LedgerEntry.objects.filter(program=program)
    if filters.kind:
        entries = entries.filter(kind=filters.kind)
    if filters.source:
        entries = entries.filter(source=filters.source)
    if filters.words:
        entries = entries.filter(learner_id__in=find_learners(text=filters.words, school_id=program.school_id))
    if filters.since is not None:
        start = _find_position(program=program, at=filters.since - SLACK)
        entries = entries.filter(at__gte=filters.since, position__gte=start)
    if filters.until is not None:
        end = _find_position(program=program, at=filters.until + SLACK)
        entries = entries.filter(at__lt=filters.until, position__lte=end)

    def read(place: Cursor, limit: int) -> list[tuple[int, dict[str, Any]]]:
        # Newest first: reading on is reading down.
        beyond = entries
        if place.key:
            beyond = entries.filter(**{"position__gt" if place.backward else "position__lt": place.key})
        found = beyond.order_by("position" if place.backward else "-position")[:limit]
        told = tell_changes(entries=found)
        return [(position or 0, row) for position, row in told]

    page = fetch_page(read=read, cursor=cursor, page_size=page_size, render=dict)
    learners = dict(LedgerEntry.objects.filter(pk__in=[row["id"] for row in page.rows]).values_list("pk", "learner_id"))
    rows = [{**row, "learner_id": learners[row["id"]]} for row in page.rows]
    return Page(rows, page.next_cursor, page.previous_cursor)


def change_columns() -> list[str]:
    """Return the members of a change, in the wire's order."""
    return list(MEMBERS)


def _find_position(*, program: Program, at: datetime) -> int:
    """Return the first position whose entry is not older than `at`, or the one behind the last."""
    last = LedgerPosition.objects.filter(pk=program.pk).values_list("last_position", flat=True).first() or 0
    low, high = 0, last + 1  # the entry at `low` is older, the one at `high` is not
    while high - low > 1:
        step = max(1, (high - low) // BRANCHES)
        looked_at = range(low + step, high, step)
        entries = LedgerEntry.objects.filter(program=program, position__in=looked_at)
        times: list[tuple[Any, datetime]] = sorted(entries.values_list("position", "at"))
        for position, time in times:
            if time >= at:
                high = position
                break
            low = position
        else:
            low = max(low, looked_at[-1])
    return high
