"""Outcomes: what became of a line, as it is kept and counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from program_enrollments.api.jobs.removals import FIRST_LEAVER
from program_enrollments.api.jobs.staging import AnyStaged
from program_enrollments.data import FileWord
from program_enrollments.models import JobRow
from program_enrollments.sql.bulk import insert_rows

FIRST_PLACE = 2**40
"""Places of leavers begin here, behind the lines of any file."""

FIELDS = (
    "job",
    "place",
    "line",
    "student_key",
    "course_id",
    "word",
    "changed",
    "before",
    "after",
    "detail",
    "planned",
)


class Outcome(NamedTuple):
    """What became of one staged row.

    `refused`: it asked for something that was not done, and somebody has to look.
    """

    row: AnyStaged
    word: str
    refused: bool = False
    changed: bool = False
    before: str | None = None
    after: str | None = None
    detail: str = ""
    removed: bool = False

    @property
    def is_kept(self) -> bool:
        """Whether the outcome is stored: those of unchanged lines are only counted."""
        return self.refused or self.changed or bool(self.detail) or self.word in KEPT_WORDS


KEPT_WORDS = frozenset({FileWord.LEFT.value, FileWord.KEPT.value, FileWord.CHANGED_SINCE.value})


def place_of(row: AnyStaged) -> int:
    """Return where a row stands in the list: at its line, or as a leaver behind all lines."""
    return row.line if row.line is not None else FIRST_PLACE + (row.number - FIRST_LEAVER) // 1024


def outcome_values(outcome: Outcome) -> tuple[object, ...]:
    """Return the values of the job's row for an outcome, in the order of `FIELDS`."""
    row = outcome.row
    return (
        row.job_id,
        place_of(row),
        row.line,
        row.student_key or row.email,
        row.course_key,
        outcome.word,
        outcome.changed,
        outcome.before,
        outcome.after,
        outcome.detail[:500],
        False,
    )


def planned_row(row: AnyStaged) -> tuple[object, ...]:
    """Return the values of a row that a held job lists: a removal that nobody has decided about."""
    word = FileWord.LEFT.value if row.line is None else row.status
    planned = Outcome(row, word, changed=True, before=row.before, after=row.status, detail=row.detail)
    return (*outcome_values(planned)[:-1], True)


def insert_job_rows(rows: Sequence[Sequence[object]]) -> None:
    """Store outcomes; one that stands for a planned row takes its place."""
    insert_rows(JobRow, fields=FIELDS, rows=rows, unique=("job", "place"), update=FIELDS[3:])
