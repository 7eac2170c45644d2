"""What is read of Course Discovery's programs, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from program_enrollments.catalog_sources.discovery_shape import read_programs
from program_enrollments.catalog_sources.values import (
    CatalogCourseRun,
    CatalogCurriculum,
    CatalogProblem,
    CatalogProgram,
)
from tests.factories.discovery import discovery_course, discovery_curriculum, discovery_program, discovery_run

pytestmark = pytest.mark.once


def read(*raw: object, schools: dict[str, str | None] | None = None) -> list[CatalogProgram | CatalogProblem]:
    return list(read_programs(raw, schools=schools or {}))


def read_one(raw: object, **options: Any) -> CatalogProgram:
    [program] = read(raw, **options)
    assert isinstance(program, CatalogProgram), program
    return program


def test_a_program_is_read_whole() -> None:
    raw = discovery_program(
        discovery_curriculum(discovery_run("course-v1:UniA+CS1+2026"), uuid="e9b4a2f0-3c6c-4a4f-8f3c-0c3f6f2f2a11")
    )

    assert read_one(raw, schools={"UniA": "uni-a"}) == CatalogProgram(
        uuid=UUID(raw["uuid"]),
        fields={
            "title": "Master of Science",
            "type": "Masters",
            "key": "master-of-science",
            "url": "https://catalog.example/masters/science",
        },
        school_keys=("uni-a",),
        curricula=(
            CatalogCurriculum(
                uuid=UUID("e9b4a2f0-3c6c-4a4f-8f3c-0c3f6f2f2a11"),
                fields={"is_active": True, "name": "Curriculum"},
                course_runs=(
                    CatalogCourseRun(
                        "course-v1:UniA+CS1+2026",
                        {
                            "external_key": "ext-CS1",
                            "title": "Title of course-v1:UniA+CS1+2026",
                            "url": "https://catalog.example/CS1",
                            "start": datetime(2026, 9, 1, tzinfo=UTC),
                            "end": None,
                        },
                    ),
                ),
            ),
        ),
    )


def test_null_means_none_and_what_is_not_there_says_nothing() -> None:
    run = {"key": "course-v1:UniA+CS1+2026", "external_key": None, "marketing_url": None}
    raw = discovery_program(discovery_curriculum(run, name=None), marketing_url=None)
    del raw["marketing_slug"]

    program = read_one(raw)

    assert program.fields == {"title": "Master of Science", "type": "Masters", "url": ""}
    [curriculum] = program.curricula
    assert curriculum.fields == {"is_active": True, "name": ""}
    assert curriculum.course_runs[0].fields == {"external_key": "", "url": ""}


def test_programs_nested_in_a_curriculum_add_their_runs() -> None:
    def run(number: int) -> dict[str, Any]:
        return discovery_run(f"course-v1:UniA+CS{number}+2026")

    deepest = {"uuid": "x", "courses": [discovery_course(run(5))]}
    nested = [
        {"courses": [discovery_course(run(2), run(1))]},
        {
            "curricula": [
                discovery_curriculum(run(3), programs=[deepest]),
                discovery_curriculum(run(9), is_active=False),
            ]
        },
        {"courses": None, "curricula": None},
    ]

    [curriculum] = read_one(discovery_program(discovery_curriculum(run(1), programs=nested))).curricula

    assert [each.course_id for each in curriculum.course_runs] == [
        f"course-v1:UniA+CS{number}+2026" for number in (1, 2, 3, 5)
    ]


class TestSchools:
    def test_an_organization_that_is_not_mapped_is_the_schools_key(self) -> None:
        assert read_one(discovery_program(), schools={"Other": "other"}).school_keys == ("UniA",)

    def test_of_several_organizations_each_may_be_the_school(self) -> None:
        raw = discovery_program(authoring_organizations=[{"key": "Partner"}, {"key": "UniA"}, {"key": "UniB"}])
        assert read_one(raw, schools={"Partner": None, "UniA": "uni-a"}).school_keys == ("uni-a", "UniB")

    def test_a_program_of_organizations_to_leave_out_is_left_out(self) -> None:
        assert read(discovery_program(), schools={"UniA": None}) == []

    def test_a_program_of_no_organization_is_a_problem(self) -> None:
        [problem] = read(discovery_program(authoring_organizations=[]))
        assert isinstance(problem, CatalogProblem)
        assert "authoring_organizations" in problem.detail


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"uuid": "not-a-uuid"}, "uuid"),
        ({"uuid": None}, "uuid"),
        ({"uuid": 7}, "uuid"),
        ({"title": ""}, "title"),
        ({"title": "  "}, "title"),
        ({"title": "x" * 256}, "title"),
        ({"title": "a\x00b"}, "title"),
        ({"title": "a\ud800b"}, "title"),
        ({"title": ["x"]}, "title"),
        ({"type": "x" * 65}, "type"),
        ({"marketing_url": "javascript:alert(1)"}, "marketing_url"),
        ({"marketing_url": "http://["}, "marketing_url"),
        ({"marketing_url": "/masters/science"}, "marketing_url"),
        ({"marketing_url": f"https://catalog.example/{'x' * 500}"}, "marketing_url"),
        ({"authoring_organizations": [{"name": "University A"}]}, "authoring_organizations"),
        ({"authoring_organizations": "UniA"}, "authoring_organizations"),
        ({"curricula": {"uuid": "x"}}, "curricula"),
        ({"curricula": ["x"]}, "curricula"),
        ({"curricula": [discovery_curriculum(uuid=None)]}, "curricula.uuid"),
        ({"curricula": [discovery_curriculum(is_active="yes")]}, "is_active"),
        ({"curricula": [discovery_curriculum(uuid="e9b4a2f0-3c6c-4a4f-8f3c-0c3f6f2f2a11")] * 2}, "same uuid"),
        ({"curricula": [discovery_curriculum(discovery_run(), courses="x")]}, "courses"),
        ({"curricula": [discovery_curriculum(discovery_run() | {"key": ""})]}, "course_runs.key"),
        ({"curricula": [discovery_curriculum(discovery_run(start="soon"))]}, "start of course-v1:UniA+CS1+2026"),
        ({"curricula": [discovery_curriculum(discovery_run(end="0001-01-01T00:00:00+14:00"))]}, "end of"),
        ({"curricula": [discovery_curriculum(discovery_run(start=1))]}, "start of"),
        ({"curricula": [discovery_curriculum(programs=[discovery_program(curricula=["x"])])]}, "curricula"),
    ],
)
def test_a_bad_program_is_a_problem_and_the_others_go_on(change: dict[str, Any], named: str) -> None:
    good = discovery_program()
    bad = discovery_program() | change

    first, problem, last = read(good, bad, good)

    assert isinstance(first, CatalogProgram)
    assert isinstance(last, CatalogProgram)
    assert isinstance(problem, CatalogProblem)
    assert named in problem.detail


@pytest.mark.parametrize("raw", [None, 1, "x", [], ["uuid"]])
def test_what_is_no_object_is_a_problem(raw: object) -> None:
    [problem] = read(raw)
    assert isinstance(problem, CatalogProblem)


def test_a_problem_is_safe_to_print() -> None:
    [problem] = read(discovery_program(title="\x1b[2J" * 100, uuid="\x1b]0;x\x07"))
    assert isinstance(problem, CatalogProblem)
    text = problem.label + problem.detail
    assert text.isascii() or "…" in text
    assert text.isprintable()
    assert len(text) < 400


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-09-01T00:00:00Z", datetime(2026, 9, 1, tzinfo=UTC)),
        ("2026-09-01T02:00:00+02:00", datetime(2026, 9, 1, tzinfo=UTC)),
        ("2026-09-01T00:00:00.250000Z", datetime(2026, 9, 1, 0, 0, 0, 250000, tzinfo=UTC)),
        ("2026-09-01T00:00:00", datetime(2026, 9, 1, tzinfo=UTC)),
        ("2026-09-01", datetime(2026, 9, 1, tzinfo=UTC)),
        ("", None),
        (None, None),
    ],
)
def test_dates_are_in_utc(written: str | None, meant: datetime | None) -> None:
    [curriculum] = read_one(discovery_program(discovery_curriculum(discovery_run(start=written)))).curricula
    assert curriculum.course_runs[0].fields["start"] == meant
