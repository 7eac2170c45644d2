"""Formats: which columns a kind of file has, and its lines one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from program_enrollments.data import JobKind
from program_enrollments.exceptions import InvalidFile
from program_enrollments.tabular_files import Table, read_table

COLUMNS: Mapping[str, Sequence[str]] = {
    JobKind.PROGRAM_ENROLLMENTS.value: ("student_key", "email", "status", "curriculum_uuid"),
    JobKind.COURSE_ENROLLMENTS.value: ("course_id", "student_key", "email", "status", "course_staff"),
}
REQUIRED: Mapping[str, Sequence[str]] = {
    JobKind.PROGRAM_ENROLLMENTS.value: ("status",),
    JobKind.COURSE_ENROLLMENTS.value: ("course_id", "status"),
}


class Line(NamedTuple):
    """One line of a file: where it starts, and its cells by column. `problem` says why it cannot be read."""

    number: int
    cells: Mapping[str, str]
    problem: str


@dataclass(frozen=True, slots=True)
class Lines:
    """A file's lines, to be gone through once, and the columns that nobody reads."""

    lines: Iterator[Line]
    ignored: Sequence[str]


def open_lines(*, kind: str, file: BinaryIO) -> Lines:
    """Read a file's header and return its lines.

    Raises InvalidFile, also while the lines are gone through.
    """
    known = COLUMNS[kind]
    table = read_table(file, required=REQUIRED[kind], optional=[name for name in known if name not in REQUIRED[kind]])
    if not {"student_key", "email"}.intersection(table.columns):
        raise InvalidFile(
            "The file has neither the column student_key nor the column email. Name one of them in line 1."
        )
    ignored = [name for name in table.columns if name and name not in known]
    return Lines(_lines(table), ignored)


def _lines(table: Table) -> Iterator[Line]:
    width = len(table.columns)
    for record in table.records:
        problem = record.problem
        if not problem and record.width != width:
            problem = f"The line has {record.width} fields, the header has {width}."
        yield Line(record.line, record.cells, problem)
