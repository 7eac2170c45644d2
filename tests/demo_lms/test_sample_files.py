"""The sample files are in step with the demo's data, and are what they are said to be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from demo_lms.demo_data.catalog import DATA_SCIENCE, PUBLIC_HEALTH, SCHOOLS, SeedProgram
from demo_lms.demo_data.sample_files import (
    COURSE_COLUMNS,
    FOLDER,
    PROGRAM_COLUMNS,
    make_sample_files,
    write_sample_files,
)
from program_enrollments import api
from program_enrollments.data import (
    PRESENT_STATUSES,
    CourseEnrollmentRequest,
    Origin,
    ProgramEnrollmentRequest,
    RowOutcome,
    Source,
    Verb,
)
from program_enrollments.models import CourseRun, PreemptiveProgramEnrollment, Program, ProgramEnrollment
from program_enrollments.normalization import parse_uuid
from program_enrollments.tabular_files import Record, Table, open_table

ORIGIN = Origin(source=Source.COMMAND.value)
PROGRAMS = [DATA_SCIENCE, PUBLIC_HEALTH]
programs = pytest.mark.parametrize("seed", PROGRAMS, ids=[seed.key for seed in PROGRAMS])


def read(name: str, columns: tuple[str, ...]) -> tuple[Table, list[Record]]:
    with (FOLDER / name).open("rb") as file:
        table = open_table(file=file, columns=columns, required=[*columns[:1], "status"])
        return table, list(table.records())


def write_program(seed: SeedProgram, records: list[Record], *, dry_run: bool) -> dict[int, RowOutcome]:
    """Write the rows of a program file as uploads do, and return each line's outcome."""
    rows = [
        ProgramEnrollmentRequest(str(record.line), student_key, email, status, parse_uuid(uuid))
        for record in records
        if not record.problem
        for student_key, email, status, uuid in [record.cells]
    ]
    outcomes = api.write_program_enrollments(
        program=Program.objects.get(uuid=seed.uuid), rows=rows, verb=Verb.UPSERT, origin=ORIGIN, dry_run=dry_run
    )
    return {int(outcome.key): outcome for outcome in outcomes}


@pytest.mark.once
def test_they_are_in_step_with_the_demos_data(tmp_path: Path) -> None:
    stored = {path.name: path.read_bytes() for path in FOLDER.iterdir()}
    assert stored == make_sample_files(), "Run demo_lms/manage.py write_sample_files."
    write_sample_files(folder=tmp_path / "new")
    assert {path.name: path.read_bytes() for path in (tmp_path / "new").iterdir()} == stored


@pytest.mark.once
def test_every_university_has_four() -> None:
    schools = {school.key for school in SCHOOLS}
    assert {name.rsplit("-", 2)[0][:5] for name in make_sample_files()} == schools
    assert len(make_sample_files()) == 4 * len(schools)


@pytest.mark.once
def test_each_university_writes_as_its_spreadsheet_does() -> None:
    (comma, _), (semicolon, _) = (read(f"{seed.key}-program.csv", PROGRAM_COLUMNS) for seed in PROGRAMS)
    assert [comma.dialect.delimiter, semicolon.dialect.delimiter] == [",", ";"]
    assert (FOLDER / f"{PUBLIC_HEALTH.key}-program.csv").read_bytes().startswith(b"\xef\xbb\xbf")


@pytest.mark.django_db
@pytest.mark.usefixtures("seeded")
@programs
class TestAgainstTheDemo:
    def test_the_program_file_changes_nothing_but_for_two_newcomers(self, seed: SeedProgram) -> None:
        _, records = read(f"{seed.key}-program.csv", PROGRAM_COLUMNS)
        outcomes = write_program(seed, records, dry_run=True)
        assert all(outcome.good for outcome in outcomes.values())
        assert [line for line, outcome in outcomes.items() if outcome.changed] == [len(records), len(records) + 1]

    def test_the_course_file_changes_nothing_but_for_one_role(self, seed: SeedProgram) -> None:
        _, records = read(f"{seed.key}-courses.csv", COURSE_COLUMNS)
        program = Program.objects.get(uuid=seed.uuid)
        by_run: dict[str, list[CourseEnrollmentRequest]] = {}
        for record in records:
            key, student_key, email, status, staff = record.cells
            row = CourseEnrollmentRequest(str(record.line), student_key, email, status, staff == "true" or None)
            by_run.setdefault(key, []).append(row)
        outcomes: list[Any] = []
        for key, rows in by_run.items():
            outcomes += api.write_course_enrollments(
                program=program,
                course_run=CourseRun.objects.get(external_key=key),
                rows=rows,
                verb=Verb.UPSERT,
                origin=ORIGIN,
                dry_run=True,
            )
        assert len(outcomes) == len(records) > 40
        assert all(outcome.good for outcome in outcomes)
        assert sum(outcome.changed for outcome in outcomes) == 1

    def test_the_file_of_mistakes_has_five_and_its_other_lines_are_fine(self, seed: SeedProgram) -> None:
        _, records = read(f"{seed.key}-mistakes.csv", PROGRAM_COLUMNS)
        outcomes = write_program(seed, records, dry_run=True)
        words = {record.line: "unreadable" if record.problem else outcomes[record.line].word for record in records}
        assert words == {
            2: "enrolled",
            3: "invalid-status",
            4: "invalid-identity",
            5: "enrolled",
            6: "invalid-curriculum",
            7: "enrolled",
            8: "unreadable",
            9: "duplicated",
            10: "duplicated",
        }

    def test_the_snapshot_forgets_more_than_the_guard_lets_pass(self, seed: SeedProgram) -> None:
        _, records = read(f"{seed.key}-snapshot-held.csv", PROGRAM_COLUMNS)
        outcomes = write_program(seed, records, dry_run=True)
        assert not any(outcome.changed for outcome in outcomes.values())
        present = sum(
            model.objects.filter(program__uuid=seed.uuid, status__in=PRESENT_STATUSES).count()
            for model in (ProgramEnrollment, PreemptiveProgramEnrollment)
        )
        assert present - len(records) > max(10, present * 20 // 100)
