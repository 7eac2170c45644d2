"""A CSV file as a source of the catalog: one row a course run of a curriculum.

See docs/catalog.rst, Columns.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, NamedTuple, cast
from uuid import UUID

from program_enrollments.catalog_sources.value_checks import (
    UnusableValue,
    check_moment,
    check_text,
    check_url,
    check_uuid,
    show,
)
from program_enrollments.catalog_sources.values import (
    CatalogCourseRun,
    CatalogCurriculum,
    CatalogProblem,
    CatalogProgram,
    CourseRunFields,
    CurriculumFields,
    ProgramFields,
)
from program_enrollments.exceptions import CatalogUnavailable, InvalidFile
from program_enrollments.tabular_files import Record, Table, open_table

REQUIRED_COLUMNS = ("school", "program_uuid", "program_title")
TRUE, FALSE = frozenset({"true", "yes", "1"}), frozenset({"false", "no", "0"})


class Row(NamedTuple):
    """A line of the file, and its cells by column."""

    line: int
    cells: Mapping[str, str]


def read_csv(stream: BinaryIO) -> Iterator[CatalogProgram | CatalogProblem]:
    """Read the programs of a file, in the order in which they first appear.

    Raises CatalogUnavailable for what is no such file.

    Column names are trimmed and caseless, others than the documented ones ignored. A column that is not there says
    nothing. What a program, curriculum or run is may stand on one of its rows or on all; empty cells agree with
    everything.
    """
    try:
        table = open_table(file=stream, columns=[*COLUMNS], required=REQUIRED_COLUMNS)
        records = list(table.records())
    except InvalidFile as error:
        raise CatalogUnavailable(f"{error.detail} See docs/catalog.rst.") from None
    by_program: dict[UUID, list[Row]] = defaultdict(list)
    by_run: dict[str, list[Row]] = defaultdict(list)
    for record in records:
        row = _read_row(record, table=table)
        if row is None:
            yield CatalogProblem(f"line {record.line}", record.problem)
            continue
        try:
            by_program[check_uuid(row.cells["program_uuid"], name="program_uuid")].append(row)
        except UnusableValue as error:
            yield CatalogProblem(f"line {row.line}", str(error))
        else:
            by_run[row.cells.get("course_id", "").strip()].append(row)
    for uuid, of_program in by_program.items():
        try:
            yield _read_program(uuid, of_program, by_run)
        except UnusableValue as error:
            yield CatalogProblem(f"{uuid} (line {of_program[0].line})", str(error))


def _read_row(record: Record, *, table: Table) -> Row | None:
    """Return a record as a row, or None if it cannot be read. Fields missing at its end are blank."""
    missing = len(table.names) - len(record.fields)
    if record.problem and not (record.fields and missing > 0):
        return None
    cells = dict(zip(table.names, [*record.fields, *[""] * missing], strict=True))
    return Row(record.line, {name: cells[name] for name in table.columns})


def _read_program(uuid: UUID, rows: Sequence[Row], by_run: Mapping[str, Sequence[Row]]) -> CatalogProgram:
    school = _agreed(rows, "school")
    if not school:
        raise UnusableValue("school is missing.")
    fields: dict[str, Any] = {"title": _agreed(rows, "program_title")}
    if not fields["title"]:
        raise UnusableValue("program_title is missing.")
    _add(fields, rows, key="program_key", url="program_url", type="program_type")
    curricula: dict[UUID, list[Row]] = defaultdict(list)
    for row in rows:
        if row.cells.get("curriculum_uuid", "").strip():
            curricula[check_uuid(row.cells["curriculum_uuid"], name=f"curriculum_uuid on line {row.line}")].append(row)
        elif row.cells.get("course_id", "").strip():
            raise UnusableValue(f"line {row.line} has a course_id but no curriculum_uuid.")
    return CatalogProgram(
        uuid=uuid,
        fields=cast(ProgramFields, fields),
        school_keys=(school,),
        curricula=tuple(_read_curriculum(each, of_curriculum, by_run) for each, of_curriculum in curricula.items()),
    )


def _read_curriculum(uuid: UUID, rows: Sequence[Row], by_run: Mapping[str, Sequence[Row]]) -> CatalogCurriculum:
    fields: dict[str, Any] = {}
    _add(fields, rows, name="curriculum_name", is_active="curriculum_active")
    runs = {
        course_id: _read_course_run(course_id, by_run[course_id])
        for row in rows
        if (course_id := row.cells.get("course_id", "").strip())
    }
    return CatalogCurriculum(uuid=uuid, fields=cast(CurriculumFields, fields), course_runs=tuple(runs.values()))


def _read_course_run(course_id: str, rows: Sequence[Row]) -> CatalogCourseRun:
    """Read a run from all rows of the file that name it, whatever their programs: it is one run."""
    fields: dict[str, Any] = {}
    _add(
        fields,
        rows,
        external_key="external_course_key",
        title="course_title",
        url="course_url",
        start="start",
        end="end",
    )
    key = check_text(course_id, name=f"course_id on line {rows[0].line}")
    return CatalogCourseRun(key, cast(CourseRunFields, fields))


def _check_active(value: object, *, name: str) -> bool:
    text = check_text(value, name=name).casefold()
    if text in FALSE:
        return False
    if text in TRUE or not text:
        return True
    raise UnusableValue(f"{name} is neither true nor false: {show(value)}.")


def _check_type(value: object, *, name: str) -> str:
    return check_text(value, name=name, max_length=64)


COLUMNS: Mapping[str, Callable[..., Any]] = {
    "school": check_text,
    "program_uuid": check_uuid,
    "program_title": check_text,
    "program_key": check_text,
    "program_type": _check_type,
    "program_url": check_url,
    "curriculum_uuid": check_uuid,
    "curriculum_name": check_text,
    "curriculum_active": _check_active,
    "course_id": check_text,
    "external_course_key": check_text,
    "course_title": check_text,
    "course_url": check_url,
    "start": check_moment,
    "end": check_moment,
}
"""How the cells of each column are checked."""


def _add(fields: dict[str, Any], rows: Sequence[Row], **columns: str) -> None:
    """Set each field to what the rows say in its column, where the file has that column."""
    for name, column in columns.items():
        if column in rows[0].cells:
            fields[name] = _agreed(rows, column)


def _agreed(rows: Sequence[Row], column: str) -> Any:
    """Return what the rows say in a column. Raises UnusableValue where two say different things."""
    said: Row | None = None
    for row in rows:
        cell = row.cells[column].strip()
        if not cell:
            continue
        if said is not None and said.cells[column].strip() != cell:
            raise UnusableValue(f"lines {said.line} and {row.line} disagree on {column}.")
        said = said or row
    check = COLUMNS[column]
    if said is None:
        return check("", name=column)
    return check(said.cells[column], name=f"{column} on line {said.line}")
