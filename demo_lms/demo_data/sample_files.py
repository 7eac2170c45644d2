"""The sample files: what the registrar's offices of both universities would send, made from the demo's data.

University A writes CSV with commas, University B as a European Excel does: with semicolons and a byte order mark.
`manage.py write_sample_files` writes them anew; a test fails where they are out of step.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from demo_lms.demo_data.catalog import (
    BUSINESS,
    DATA_SCIENCE,
    DS201,
    PH201,
    PUBLIC_HEALTH,
    SeedCourse,
    SeedProgram,
)
from demo_lms.demo_data.people import ENROLLMENTS, SeedEnrollment
from program_enrollments.data import CourseStatus, ProgramStatus

FOLDER = Path(__file__).resolve().parent.parent / "sample_files"

PROGRAM_COLUMNS = ("student_key", "email", "status", "curriculum_uuid")
COURSE_COLUMNS = ("course_id", "student_key", "email", "status", "course_staff")
FORGETFUL_ROWS = 12
"""How many learners are left in the snapshot that forgets the rest."""

Row = Sequence[str]


@dataclass(frozen=True, slots=True)
class Office:
    """A registrar's office: the program it speaks of, how it writes files, and who is new there."""

    program: SeedProgram
    course: SeedCourse
    strange_program: SeedProgram
    domain: str
    letter: str
    delimiter: str
    encoding: str


OFFICES = (
    Office(DATA_SCIENCE, DS201, PUBLIC_HEALTH, "uni-a.example", "A", ",", "utf-8"),
    Office(PUBLIC_HEALTH, PH201, BUSINESS, "uni-b.example", "B", ";", "utf-8-sig"),
)


def make_sample_files() -> dict[str, bytes]:
    """Return the content of every sample file by its name."""
    files: dict[str, bytes] = {}
    for office in OFFICES:
        key = office.program.key
        program_rows = _program_rows(office)
        files[f"{key}-program.csv"] = _write(office, PROGRAM_COLUMNS, [*program_rows, *_newcomers(office)])
        files[f"{key}-courses.csv"] = _write(office, COURSE_COLUMNS, _course_rows(office))
        files[f"{key}-mistakes.csv"] = _write(office, PROGRAM_COLUMNS, _mistakes(office, program_rows))
        files[f"{key}-snapshot-held.csv"] = _write(office, PROGRAM_COLUMNS, program_rows[:FORGETFUL_ROWS])
    return files


def write_sample_files(*, folder: Path = FOLDER) -> None:
    """Write the sample files."""
    folder.mkdir(exist_ok=True)
    for name, content in make_sample_files().items():
        (folder / name).write_bytes(content)


def _members(office: Office) -> list[SeedEnrollment]:
    return [one for one in ENROLLMENTS if one.program is office.program]


def _program_rows(office: Office) -> list[Row]:
    """Return everybody in the program, as the demo has them."""
    return [
        (one.student_key, one.email, one.status, str(office.program.curricula[one.curriculum].uuid))
        for one in _members(office)
    ]


def _newcomers(office: Office) -> list[Row]:
    """Return two students whom the demo does not know: one by student ID and address, one by address alone."""
    uuid = str(office.program.curricula[1].uuid)
    number = f"{office.letter}-4001"
    return [
        (number, f"{number.lower()}@{office.domain}", ProgramStatus.ENROLLED.value, uuid),
        ("", f"newcomer@{office.domain}", ProgramStatus.PENDING.value, uuid),
    ]


def _course_rows(office: Office) -> list[Row]:
    """Return everybody in the program's courses, and one more: the first of the cohort becomes course staff."""
    rows = [
        (
            course.external_key,
            one.student_key,
            one.email,
            CourseStatus.INACTIVE.value if course in one.left else CourseStatus.ACTIVE.value,
            "",
        )
        for one in _members(office)
        for course in one.courses
    ]
    staff = f"{office.letter}-3001"
    return [(*row[:-1], "true") if row[:2] == (office.course.external_key, staff) else row for row in rows]


def _mistakes(office: Office, program_rows: Sequence[Row]) -> Iterable[Row]:
    """Return five mistakes among lines that are fine, in the order of docs/files.rst."""
    uuid, letter = str(office.program.curricula[1].uuid), office.letter
    fine = program_rows[-4:]
    yield fine[0]
    yield f"{letter}-5001", "", "enroled", uuid
    yield f"{letter}-5002", f"{letter.lower()}-5002 at {office.domain}", "enrolled", uuid
    yield fine[1]
    yield f"{letter}-5003", "", "enrolled", str(office.strange_program.curricula[0].uuid)
    yield fine[2]
    yield f"{letter}-5004", "", "enrolled"
    yield f" {fine[3][0].lower()}", "", "ended", ""
    yield fine[3]


def _write(office: Office, columns: Row, rows: Iterable[Row]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=office.delimiter).writerows([columns, *rows])
    return text.getvalue().encode(office.encoding)
