"""Duplicates: rows anywhere in a file that name the same person, or give the same address."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import Any

from django.db.models import Count

from program_enrollments.api.jobs.claims import commit_step, paced
from program_enrollments.api.transactions import in_transaction
from program_enrollments.data import JobKind, Word
from program_enrollments.models import Job, JobPhase, StagedRow

COLUMNS = ("name", "email_normalized")
NAMES_AT_ONCE = 1_000
ROWS_AT_ONCE = 5_000

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
    progress = [column_number, doubled[-1][0]] if len(doubled) >= NAMES_AT_ONCE else [column_number + 1, ""]
    commit_step(job, cursor=job.cursor + 1, progress=progress)


def _next_doubled(job: Job, column: str, behind: str) -> list[Place]:
    by_course = job.kind == JobKind.COURSE_ENROLLMENTS
    rows = StagedRow.objects.filter(job_id=job.pk, **{f"{column}__gt": behind})
    if by_course:
        rows = rows.filter(course_run__isnull=False)
    columns = [column, "course_run_id"] if by_course else [column]
    grouped = rows.values_list(*columns).annotate(rows=Count("number")).filter(rows__gt=1).order_by(*columns)
    found: list[Place] = [(row[0], row[1] if by_course else None) for row in grouped[:NAMES_AT_ONCE]]
    if len(found) < NAMES_AT_ONCE or not by_course:
        return found
    # The rest of the last name's runs.
    last = found[-1][0]
    rest = rows.filter(**{column: last}).values_list(*columns).annotate(rows=Count("number")).filter(rows__gt=1)
    return list(dict.fromkeys([*found, *((name, run_id) for name, run_id, _ in rest)]))


def _refuse(job: Job, column: str, doubled: Collection[Place]) -> None:
    """Refuse the rows at these places, some thousand at a time. Doing it again changes nothing."""
    if not doubled:
        return
    by_course = job.kind == JobKind.COURSE_ENROLLMENTS
    places, names = set(doubled), {name for name, _ in doubled}
    rows = StagedRow.objects.filter(job_id=job.pk, **{f"{column}__among": names}).order_by("number")
    behind = 0
    while batch := list(rows.filter(number__gt=behind).values_list("number", column, "course_run_id")[:ROWS_AT_ONCE]):
        numbers = [number for number, name, run_id in batch if (name, run_id if by_course else None) in places]
        with paced():
            in_transaction(partial(_update, job.pk, numbers))
        behind = batch[-1][0]


def _update(job_id: int, numbers: Collection[int]) -> None:
    values: dict[str, Any] = {"word": Word.DUPLICATED.value, "detail": ""}
    StagedRow.objects.filter(job_id=job_id, number__among=numbers).update(**values)
