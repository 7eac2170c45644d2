"""Formats: which columns a kind of file has, and its lines one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO

from program_enrollments.data import JobKind
from program_enrollments.tabular_files import Record, Table, open_table

COLUMNS: Mapping[str, Sequence[str]] = {
    JobKind.PROGRAM_ENROLLMENTS.value: ("student_key", "email", "status", "curriculum_uuid"),
    JobKind.COURSE_ENROLLMENTS.value: ("course_id", "student_key", "email", "status", "course_staff"),
    JobKind.STUDENT_KEYS.value: ("old_student_key", "new_student_key"),
}
IDENTITY = ("student_key", "email")
REQUIRED: Mapping[str, Sequence[str | tuple[str, ...]]] = {
    JobKind.PROGRAM_ENROLLMENTS.value: (IDENTITY, "status"),
    JobKind.COURSE_ENROLLMENTS.value: ("course_id", IDENTITY, "status"),
    JobKind.STUDENT_KEYS.value: ("old_student_key", "new_student_key"),
}


def open_lines(*, kind: str, file: BinaryIO) -> Table:
    """Read the header of a file of this kind, and return the table.

    Raises InvalidFile, also while its records are gone through.
    """
    return open_table(file=file, columns=COLUMNS[kind], required=REQUIRED[kind])


def records_behind(table: Table, *, count: int) -> Iterator[Record]:
    """Return the table's records without the first `count`."""
    records = table.records()
    for _ in zip(range(count), records, strict=False):
        pass
    return records
