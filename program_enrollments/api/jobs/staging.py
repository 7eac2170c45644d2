"""Staging rows: written many at a time."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from django.db.models import QuerySet

from program_enrollments.api.jobs.lines import SPACING
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


class Staged(NamedTuple):
    """A staging row as it is applied: a tuple, since one is made per line."""

    job_id: int
    number: int
    line: int | None
    student_key: str
    email: str
    status: str
    detail_column: str
    course_key: str
    course_run_id: int | None
    name: str
    email_normalized: str
    email_owner: str
    alters: bool
    word: str
    detail: str
    removes: bool
    before: str | None
    learner_id: int | None


AnyStaged = Staged | StagedRow


def fetch_staged(rows: QuerySet[StagedRow]) -> list[Staged]:
    """Return these rows as tuples."""
    return list(map(partial(tuple.__new__, Staged), rows.values_list(*Staged._fields)))


def fetch_next(*, job_id: int, behind: int, size: int) -> list[Staged]:
    """Return the next rows of a job, about `size` of them.

    Rows that depend on each other come together. Two statements at most, four at the end of the lines.
    """
    rows = StagedRow.objects.filter(job_id=job_id, number__gt=behind).order_by("number")
    # Staging rows have no statistics, and without an upper bound PostgreSQL would read and sort all that are left.
    found = fetch_staged(rows.filter(number__lt=(behind // SPACING + 1 + size) * SPACING)[: size + 1])
    if not found:
        # The last line is behind us. Leavers have numbers of their own, far away.
        first = rows.values_list("number", flat=True).first()
        if first is None:
            return []
        found = fetch_staged(rows.filter(number__lt=(first // SPACING + size) * SPACING)[: size + 1])
    if len(found) <= size:
        return found
    following = found.pop().number
    if following % SPACING:
        # The rest of a group stands in the gap.
        end = (found[-1].number // SPACING + 1) * SPACING
        found += fetch_staged(rows.filter(number__gt=found[-1].number, number__lt=end))
    return found


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
