"""What is read of a CSV file, and what is refused."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from uuid import UUID

import pytest

from program_enrollments.catalog_sources.csv_file import read_csv
from program_enrollments.catalog_sources.values import (
    CatalogCourseRun,
    CatalogCurriculum,
    CatalogProblem,
    CatalogProgram,
)
from program_enrollments.exceptions import CatalogUnavailable

pytestmark = pytest.mark.once

P1 = UUID("11111111-1111-4111-8111-111111111111")
P2 = UUID("22222222-2222-4222-8222-222222222222")
C1 = UUID("aaaaaaaa-1111-4111-8111-111111111111")
C2 = UUID("aaaaaaaa-2222-4222-8222-222222222222")
RUN_1, RUN_2 = "course-v1:UniA+CS1+2026", "course-v1:UniA+CS2+2026"


def read(*lines: str) -> list[CatalogProgram | CatalogProblem]:
    return list(read_csv(io.BytesIO("\n".join(lines).encode())))


def test_a_program_is_read_whole() -> None:
    programs = read(
        "school,program_uuid,program_key,program_title,program_type,program_url,curriculum_uuid,curriculum_name,"
        "curriculum_active,course_id,external_course_key,course_title,course_url,start,end",
        f"uni-a,{P1},msc,Master of Science,Masters,https://uni-a.example/msc,{C1},2026,true,"
        f"{RUN_1},CS1-26,Algorithms,https://lms.example/cs1,2026-09-01,2027-01-31T12:00:00+01:00",
    )

    assert programs == [
        CatalogProgram(
            uuid=P1,
            fields={
                "title": "Master of Science",
                "key": "msc",
                "url": "https://uni-a.example/msc",
                "type": "Masters",
            },
            school_keys=("uni-a",),
            curricula=(
                CatalogCurriculum(
                    uuid=C1,
                    fields={"name": "2026", "is_active": True},
                    course_runs=(
                        CatalogCourseRun(
                            RUN_1,
                            {
                                "external_key": "CS1-26",
                                "title": "Algorithms",
                                "url": "https://lms.example/cs1",
                                "start": datetime(2026, 9, 1, tzinfo=UTC),
                                "end": datetime(2027, 1, 31, 11, tzinfo=UTC),
                            },
                        ),
                    ),
                ),
            ),
        )
    ]


def test_rows_of_a_program_come_together_and_empty_cells_agree() -> None:
    first, second = read(
        "school,program_uuid,program_title,curriculum_uuid,curriculum_active,course_id,course_title",
        f"uni-a,{P1},Science,{C1},,{RUN_1},",
        f"uni-b,{P2},Arts,,,,",
        f",{P1},,{C1},,{RUN_2},Two",
        f",{str(P1).upper()},,{C2},no,{RUN_1},One",
    )

    assert isinstance(first, CatalogProgram)
    assert isinstance(second, CatalogProgram)
    assert first.fields == {"title": "Science"}
    one, two = CatalogCourseRun(RUN_1, {"title": "One"}), CatalogCourseRun(RUN_2, {"title": "Two"})
    assert first.curricula == (
        CatalogCurriculum(C1, {"is_active": True}, (one, two)),
        CatalogCurriculum(C2, {"is_active": False}, (one,)),
    )
    assert (second.school_keys, second.curricula) == (("uni-b",), ())


def test_names_are_caseless_and_trimmed_other_columns_ignored_and_lines_end_as_they_like() -> None:
    content = f'\ufeff Program_UUID ,SCHOOL,program_title,remark\r\n{P1},uni-a,"Science, the\r\n"\r\n\r\n'
    [program] = read_csv(io.BytesIO(content.replace("the\r\n", "the ").encode()))
    assert isinstance(program, CatalogProgram)
    assert program.fields == {"title": "Science, the"}


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([f",{P1},Science,,"], "school is missing"),
        ([f"uni-a,{P1},,,"], "program_title is missing"),
        ([f"uni-a,{P1},Science,,{RUN_1}"], "line 2 has a course_id but no curriculum_uuid"),
        ([f"uni-a,{P1},Science,xyz,{RUN_1}"], "curriculum_uuid on line 2 is not a UUID"),
        ([f"uni-a,{P1},Science,,", f"uni-a,{P1},Arts,,"], "lines 2 and 3 disagree on program_title"),
        ([f"uni-a,{P1},Science,,", f"uni-b,{P1},Science,,"], "lines 2 and 3 disagree on school"),
        ([f"uni-a,{P1},{'x' * 256},,"], "program_title on line 2 has 256 characters"),
        ([f"uni-a,{P1},Science,{C1},{'x' * 256}"], "course_id on line 2 has 256 characters"),
        ([f"uni-a,{P1},a\x01b,,"], "program_title on line 2 has characters"),
        ([f"uni-a,{P1},a\x00b,,"], "The line has a zero byte"),
    ],
)
def test_a_bad_program_is_a_problem_and_the_others_go_on(rows: list[str], told: str) -> None:
    problem, good = read("school,program_uuid,program_title,curriculum_uuid,course_id", *rows, f"uni-a,{P2},Arts,,")
    assert isinstance(problem, CatalogProblem)
    assert told in problem.detail
    assert isinstance(good, CatalogProgram)


@pytest.mark.parametrize("uuid", ["", "xyz", f"{P1}0"])
def test_a_row_of_no_program_is_told_by_its_line(uuid: str) -> None:
    problem, good = read("school,program_uuid,program_title", f"uni-a,{uuid},Science", f"uni-a,{P2},Arts")
    assert isinstance(problem, CatalogProblem)
    assert problem.label == "line 2"
    assert isinstance(good, CatalogProgram)


def test_a_run_described_in_two_ways_is_a_problem_of_every_program_that_has_it() -> None:
    outcomes = read(
        "school,program_uuid,program_title,curriculum_uuid,course_id,start",
        f"uni-a,{P1},Science,{C1},{RUN_1},2026-09-01",
        f"uni-a,{P2},Arts,{C2},{RUN_1},2026-10-01",
    )
    assert [type(outcome) for outcome in outcomes] == [CatalogProblem] * 2


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "lacks the columns school, program_uuid, program_title"),
        (b"school,program_title\n", "lacks the column program_uuid"),
        (b"school,program_uuid,program_title,School\n", "names the column school more than once"),
        (
            "school,program_uuid,program_title\nuni-a,,Z\xfcrich".encode("latin-1"),
            "Line 2 has bytes that are not UTF-8",
        ),
        (
            b"school,program_uuid,program_title\n" + b'"' + b"x" * 200_000,
            "Line 2 is far too long: a quotation mark on it is never closed",
        ),
    ],
)
def test_what_is_no_such_file_is_refused(content: bytes, told: str) -> None:
    with pytest.raises(CatalogUnavailable, match=told):
        list(read_csv(io.BytesIO(content)))


@pytest.mark.parametrize("delimiter", [";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_other_delimiters_and_utf_16_are_taken(delimiter: str, encoding: str) -> None:
    lines = ["school,program_uuid,program_title", f"uni-a,{P1},Zürich"]
    content = "\r\n".join(lines).replace(",", delimiter).encode(encoding)
    [program] = read_csv(io.BytesIO(content))
    assert isinstance(program, CatalogProgram)
    assert program.fields == {"title": "Zürich"}


def test_a_row_with_too_many_fields_is_a_problem_rather_than_a_shifted_one() -> None:
    problem, good = read("school,program_uuid,program_title", f"uni-a,{P1},Science, Applied", f"uni-a,{P2},Arts")
    assert isinstance(problem, CatalogProblem)
    assert (problem.label, problem.detail[:22]) == ("line 2", "The line has 4 fields,")
    assert isinstance(good, CatalogProgram)


def test_a_file_without_rows_has_no_programs() -> None:
    assert read("school,program_uuid,program_title", "", ",,") == []
