"""Duplicates: rows anywhere in a file that name the same person, or give the same address."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import partial
from typing import Any

from django.db.models import Count

from program_enrollments.api.jobs.claims import commit_step, hold_step
from program_enrollments.api.pieces import cut
from program_enrollments.data import JobKind, Word
from program_enrollments.models import Job, JobPhase, StagedRow

COLUMNS = ("name", "email_normalized")
NAMES_AT_ONCE = 1_000
ROWS_AT_ONCE = 5_000
LOOKED_UP = 50_000
"""Rows that are looked up by what they have twice; for more of them the whole file is walked."""

Place = tuple[str, int | None]
"""A name or an address, and in course files the run in which it must be the only one."""


def find_duplicates(job: Job) -> None:
    """Refuse all rows with the next names that the file has twice. Raises JobTaken.

    One statement groups the file in the order of an index, so that nothing depends on how long the file is.
    """
    column_number, behind = job.progress or [0, ""]
    if column_number == len(COLUMNS):
        commit_step(job, cursor=0, progress=[], phase=JobPhase.COMPARE.value)
        return
    column = COLUMNS[column_number]
    doubled = _next_doubled(job, column, behind)
    _refuse(job, column, doubled)
    is_last = len(doubled) < NAMES_AT_ONCE
    progress = [column_number + 1, ""] if is_last else [column_number, next(reversed(doubled))[0]]
    commit_step(job, cursor=job.cursor + 1, progress=progress)


def _next_doubled(job: Job, column: str, behind: str) -> dict[Place, int]:
    """Return the next places that the file has twice, and how many rows each has."""
    by_course = job.kind == JobKind.COURSE_ENROLLMENTS
    rows = StagedRow.objects.filter(job_id=job.pk, **{f"{column}__gt": behind})
    if by_course:
        rows = rows.filter(course_run__isnull=False)
    columns = [column, "course_run_id"] if by_course else [column]
    grouped = rows.values_list(*columns).annotate(rows=Count("number")).filter(rows__gt=1).order_by(*columns)
    found: dict[Place, int] = {(row[0], row[1] if by_course else None): row[-1] for row in grouped[:NAMES_AT_ONCE]}
    if len(found) < NAMES_AT_ONCE or not by_course:
        return found
    # The rest of the last name's runs.
    last = next(reversed(found))[0]
    rest = rows.filter(**{column: last}).values_list(*columns).annotate(rows=Count("number")).filter(rows__gt=1)
    return found | {(name, run_id): count for name, run_id, count in rest}


def _refuse(job: Job, column: str, doubled: Mapping[Place, int]) -> None:
    """Refuse the rows at these places, some thousand at a time. Doing it again changes nothing."""
    if not doubled:
        return
    by_course = job.kind == JobKind.COURSE_ENROLLMENTS
    for batch in _rows_with(job, column, doubled):
        numbers = [number for number, name, run_id in batch if (name, run_id if by_course else None) in doubled]
        for piece in cut(numbers, size=ROWS_AT_ONCE):
            hold_step(job, partial(_update, job.pk, piece))


def _rows_with(job: Job, column: str, doubled: Mapping[Place, int]) -> Iterator[list[tuple[int, str, int | None]]]:
    """Yield number, value and run of all rows with these values, perhaps among others.

    More than `LOOKED_UP` rows are found by one pass over the file, because a look-up per piece would read all of them
    each time.
    """
    fields = ("number", column, "course_run_id")
    rows = StagedRow.objects.filter(job_id=job.pk)
    if sum(doubled.values()) <= LOOKED_UP:
        names = {name for name, _ in doubled}
        yield sorted(rows.filter(**{f"{column}__among": names}).order_by().values_list(*fields))
        return
    behind = 0
    while batch := list(rows.filter(number__gt=behind).order_by("number").values_list(*fields)[:ROWS_AT_ONCE]):
        yield batch
        behind = batch[-1][0]


def _update(job_id: int, numbers: Collection[int]) -> None:
    values: dict[str, Any] = {"word": Word.DUPLICATED.value, "detail": ""}
    StagedRow.objects.filter(job_id=job_id, number__among=numbers).update(**values)
