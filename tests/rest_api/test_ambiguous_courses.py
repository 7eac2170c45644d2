"""A school's external key that two runs of a program carry: no call guesses which of them is meant."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from program_enrollments import api
from program_enrollments.data import Permission
from program_enrollments.exceptions import AmbiguousCourse
from program_enrollments.models import CourseRun, PreemptiveCourseEnrollment
from tests.factories.enrollment import CourseRunFactory, CurriculumFactory
from tests.factories.host import SuperuserFactory
from tests.rest_api.callers import Caller, Campus, caller_as, caller_granted, make_campus
from tests.rest_api.conformance import MOUNT, routes

KEY = "CS/101"


@pytest.fixture
def terms(campus: Campus) -> list[CourseRun]:
    """The runs of two terms under one external key; one of them is in two curricula."""
    other = CurriculumFactory(program=campus.program, is_active=False)
    return [
        CourseRunFactory(
            course_id=f"course-v1:Uni+TERM+{year}",
            external_key=KEY,
            start=datetime(year, 9, 1, tzinfo=UTC),
            curricula=[campus.curriculum, other][: 2027 - year],
        )
        for year in (2026, 2025)
    ]


def endpoints() -> list[Any]:
    """Every method of every endpoint below a course run."""
    return [
        pytest.param(route.partition("<anything:course>/")[2], method, id=f"{method} {route.rpartition('>/')[2]}")
        for route, view in routes()
        if route.startswith(f"{MOUNT}/v1/programs/<segment:program>/courses/<anything:course>/")
        for method in ("GET", "POST", "PUT", "PATCH")
        if hasattr(view.cls, method.lower())
    ]


@pytest.mark.parametrize(("path", "method"), endpoints())
def test_every_endpoint_refuses_it_and_lists_the_candidates(
    campus: Campus, sis: Caller, terms: list[CourseRun], path: str, method: str
) -> None:
    path = f"{campus.path}courses/CS%2F101/{path.replace('<segment:version>', '1')}"
    body: Any = b"" if method == "GET" else {"reason": "End of term"}

    response = sis.send(method, path, body)

    problem = response.json()
    assert (response.status_code, problem["error_code"]) == (409, "ambiguous_course")
    assert problem["candidates"] == ["course-v1:Uni+TERM+2025", "course-v1:Uni+TERM+2026"]
    assert all(candidate in problem["detail"] for candidate in problem["candidates"])


def test_nothing_is_written_to_either(campus: Campus, sis: Caller, terms: list[CourseRun]) -> None:
    sis.put(campus.enrollments, [{"student_key": "S-1", "status": "enrolled"}])
    rows = [{"student_key": "S-1", "status": "active"}]

    assert sis.put(f"{campus.path}courses/CS%2F101/enrollments/", rows).status_code == 409
    assert not PreemptiveCourseEnrollment.objects.exists()
    for run in terms:
        path = f"{campus.path}courses/{run.course_id}/enrollments/"
        assert sis.put(path, rows).json() == {"S-1": "active"}


def test_a_course_key_is_never_ambiguous(campus: Campus, sis: Caller) -> None:
    run = CourseRunFactory(course_id="CS-102", curricula=[campus.curriculum])
    CourseRunFactory.create_batch(2, external_key="CS-102", curricula=[campus.curriculum])
    sis.put(campus.enrollments, [{"student_key": "S-1", "status": "enrolled"}])
    assert sis.put(f"{campus.path}courses/CS-102/enrollments/", [{"student_key": "S-1", "status": "active"}])
    assert PreemptiveCourseEnrollment.objects.get().course_run == run


def test_runs_of_other_programs_do_not_count(campus: Campus, sis: Caller) -> None:
    CourseRunFactory(external_key=KEY, curricula=[campus.curriculum, CurriculumFactory(program=campus.program)])
    CourseRunFactory(external_key=KEY, curricula=[make_campus("uni-b").curriculum])
    CourseRunFactory(external_key=KEY, curricula=[CurriculumFactory(program__school=campus.school)])
    CourseRunFactory(external_key=f"{KEY} ", curricula=[campus.curriculum])
    assert sis.get(f"{campus.path}courses/CS%2F101/enrollments/").status_code == 200


def test_visibility_and_permission_come_first(campus: Campus, terms: list[CourseRun]) -> None:
    path = f"{campus.path}courses/CS%2F101/enrollments/"
    stranger = caller_granted(Permission.READ_ENROLLMENTS, school=make_campus("uni-b").school)
    assert stranger.get(path).status_code == 404
    assert caller_granted(Permission.METADATA, school=campus.school).get(path).status_code == 403
    assert caller_as(SuperuserFactory()).get(path).status_code == 409


def test_the_domain_refuses_it_too(campus: Campus, terms: list[CourseRun]) -> None:
    access = api.access_of(user=SuperuserFactory())
    with pytest.raises(AmbiguousCourse) as refusal:
        api.get_course_run(access=access, program=campus.program, key=KEY)
    assert refusal.value.extra["candidates"] == ["course-v1:Uni+TERM+2025", "course-v1:Uni+TERM+2026"]
