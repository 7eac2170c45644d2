"""History: a program's files and its writes through the API, newest first (ADR 0021)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Count, Max, Min, Q, QuerySet

from program_enrollments.api.access import Access
from program_enrollments.api.reads.cursors import MAX_KEY, Cursor, decode_cursor
from program_enrollments.data import Page, Permission, Source
from program_enrollments.models import Job, LedgerEntry, LedgerPosition, Program

WINDOW = 5_000
"""Ledger entries that one look for writes through the API covers."""

WINDOWS = 3
"""Looks that one page takes before it says that there is nothing, and leaves the rest to the next one."""

API = "api"
"""The kind of a write through the API, beside the kinds of jobs."""


@dataclass(frozen=True, slots=True)
class HistoryFilters:
    """Filters of a program's history: a kind of job or `API`, and a job's state.

    None or empty is no filter.
    """

    kind: str | None = None
    state: str | None = None

    @property
    def has_jobs(self) -> bool:
        """Whether jobs are among what is listed."""
        return self.kind != API

    @property
    def has_calls(self) -> bool:
        """Whether writes through the API are: they have no state, and are about both kinds of enrollments."""
        return not self.state and self.kind in {None, "", API}


def fetch_history(
    *, access: Access, program: Program, filters: HistoryFilters, cursor: str | None, page_size: int
) -> Page:
    """Return a page of files and writes through the API, newest first, in a bounded number of statements.

    Rows have `at, job, changes, actor, request_id`; `job` is None for a write. People who may not read all enrollments
    get the files that they made. Files of student IDs are among them for people who may write in the whole school. A
    page can be short, or empty, and not be the last. Raises BadCursor.

    A write is what the ledger has of one request; a request that changed nothing has left nothing there.
    """
    place = decode_cursor(cursor, has_two_keys=True) if cursor else Cursor(MAX_KEY, within=MAX_KEY)
    reads_all = access.allows(permission=Permission.READ_ENROLLMENTS, program=program)
    calls, covered = _Calls(), None
    if filters.has_calls and reads_all:
        calls = _fetch_calls(program=program, below=place.within, count=page_size)
        covered = calls.covered_to
    jobs: list[Job] = []
    if filters.has_jobs:
        own = Q(program=program)
        if not reads_all:
            own &= Q(created_by_user_id=access.user_id)
        writing = access.reach(permission=Permission.WRITE_ENROLLMENTS, school_id=program.school_id)
        if writing.is_school_wide:
            own |= Q(program__isnull=True, school_id=program.school_id)
        wanted = Job.objects.filter(own, pk__lt=place.key)
        jobs = list(_narrow(wanted, filters)[: page_size + 1])
    rows = sorted(
        [*({"at": job.created, "job": job} for job in jobs[:page_size]), *calls.rows],
        key=lambda row: row["at"],
        reverse=True,
    )
    # What is older than the end of either list could have something between that was not read.
    ends = [end for end in (covered, jobs[page_size - 1].created if len(jobs) > page_size else None) if end]
    shown = [row for row in rows if not ends or row["at"] >= max(ends)][:page_size]
    is_last = len(shown) == len(rows) and not ends
    return Page(shown, None if is_last else _next(shown, place, calls))


@dataclass(frozen=True, slots=True)
class _Calls:
    """Writes through the API; `covered_to` is how far back they were looked for, None to the beginning."""

    rows: tuple[dict[str, Any], ...] = ()
    covered_to: datetime | None = None
    lowest: int = 0


def _next(shown: list[dict[str, Any]], place: Cursor, calls: _Calls) -> str:
    last_job = min((row["job"].pk for row in shown if row["job"]), default=place.key)
    left_out = [row for row in calls.rows if not any(row is one for one in shown)]
    position = max(row["last_position"] for row in left_out) + 1 if left_out else calls.lowest or place.within
    return Cursor(last_job, within=position).encode()


def _narrow(jobs: QuerySet[Job], filters: HistoryFilters) -> QuerySet[Job]:
    wanted = {name: value for name, value in (("kind", filters.kind), ("state", filters.state)) if value}
    return jobs.filter(**wanted).order_by("-pk")


def _fetch_calls(*, program: Program, below: int, count: int) -> _Calls:
    """Return up to `count` writes below a position of the ledger, in a bounded number of looks."""
    last = LedgerPosition.objects.filter(pk=program.pk).values_list("last_position", flat=True).first() or 0
    above = min(below, last + 1)
    found: dict[tuple[Any, Any], dict[str, Any]] = {}
    for _ in range(WINDOWS):
        start = max(1, above - WINDOW)
        _merge(found, _group(program=program, start=start, end=above))
        above = start
        if len(found) > count or above <= 1:
            break
    cut = next((key for key, row in found.items() if row["first_position"] == above > 1), None)
    if cut is not None and len(found) > 1:
        # The oldest one may go on below: the next page has it as a whole.
        above = found.pop(cut)["last_position"] + 1
    entries = LedgerEntry.objects.filter(program=program, position=above)
    covered = entries.values_list("at", flat=True).first() if above > 1 else None
    names = _usernames({row["actor_id"] for row in found.values()} - {None})
    rows = tuple(
        {**row, "job": None, "actor": names.get(row["actor_id"], "")}
        for row in sorted(found.values(), key=lambda row: -row["last_position"])
    )
    return _Calls(rows, covered, above)


def _group(*, program: Program, start: int, end: int) -> list[dict[str, Any]]:
    """Return the requests of one range of positions. One statement."""
    entries = LedgerEntry.objects.filter(
        program=program, position__gte=start, position__lt=end, source=Source.API.value, job_id__isnull=True
    )
    grouped = entries.order_by().values("request_id", "actor_id")
    told = grouped.annotate(
        at=Max("at"), changes=Count("pk"), first_position=Min("position"), last_position=Max("position")
    )
    return [dict(row) for row in told]


def _merge(found: dict[tuple[Any, Any], dict[str, Any]], rows: list[dict[str, Any]]) -> None:
    """Add what an earlier range has of requests, some of which a later one has, too."""
    for row in rows:
        known = found.setdefault((row["request_id"], row["actor_id"]), row)
        if known is not row:
            known["changes"] += row["changes"]
            known["first_position"] = row["first_position"]


def _usernames(user_ids: set[Any]) -> Mapping[Any, str]:
    users = get_user_model()._default_manager.filter(pk__in=user_ids) if user_ids else ()
    return {user.pk: user.get_username() for user in users}
