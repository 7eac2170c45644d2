"""Staging rows: written many at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from program_enrollments.models import StagedRow
from program_enrollments.sql.bulk import insert_rows

FIELDS = (
    "job",
    "number",
    "line",
    "student_key",
    "email",
    "status",
    "detail_column",
    "course_key",
    "course_run",
    "name",
    "email_normalized",
    "email_owner",
    "alters",
    "word",
    "detail",
    "removes",
    "before",
    "learner",
)
COLUMNS = tuple({"job": "job_id", "course_run": "course_run_id", "learner": "learner_id"}.get(n, n) for n in FIELDS)


def insert_staged(rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows, each with a value per field of `FIELDS`. One statement."""
    insert_rows(StagedRow, fields=FIELDS, rows=rows)


def update_staged(rows: Sequence[StagedRow], *, fields: Sequence[str]) -> None:
    """Store `fields` of rows as they are now. One statement."""
    insert_rows(StagedRow, fields=FIELDS, rows=list(map(_values, rows)), unique=("job", "number"), update=fields)


def renumber_staged(rows: Sequence[StagedRow], *, numbers: Sequence[int]) -> None:
    """Give rows of one job other numbers. Two statements."""
    job_id = rows[0].job_id
    StagedRow.objects.filter(job_id=job_id, number__among=[row.number for row in rows]).delete()
    for row, number in zip(rows, numbers, strict=True):
        row.number = number
    insert_staged(list(map(_values, rows)))


def _values(row: StagedRow) -> tuple[Any, ...]:
    return tuple(getattr(row, column) for column in COLUMNS)
