"""What requests cost in statements: writes per chunk and not per row, pages the same at any size."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories.enrollment import LinkedLearnerFactory, ProgramCourseEnrollmentFactory, ProgramEnrollmentFactory
from tests.rest_api.callers import AppSettings, Caller, Campus

AUTHENTICATION = 1
"""The demo looks the access token up; a host's own way to authenticate is not ours to count."""


@contextmanager
def counted() -> Iterator[list[str]]:
    """Collect the statements of a request, without those of its authentication."""
    statements: list[str] = []
    with CaptureQueriesContext(
        connection,
    ) as context:
        yield statements
    statements += [query["sql"] for query in context.captured_queries][AUTHENTICATION:]


def program_rows(count: int, *, start: int = 0, status: str = "enrolled", e_mail: bool = False) -> list[dict[str, str]]:
    return [
        {"student_key": f"S-{number}", "status": status} | ({"email": f"s{number}@uni.example"} if e_mail else {})
        for number in range(start, start + count)
    ]


def course_rows(count: int, *, start: int = 0, status: str = "active") -> list[dict[str, Any]]:
    return program_rows(count, start=start, status=status)


def cost(caller: Caller, method: str, path: str, rows: list[dict[str, Any]]) -> int:
    with counted() as statements:
        response = caller.send(method, path, rows)
    assert response.status_code == 200, response.content[:200]
    assert len(response.json()) == len(rows)
    return len(statements)


class TestWrites:
    """A chunk holds 1,000 learners: 100 rows and 1,000 rows cost the same."""

    @pytest.mark.parametrize("e_mail", [False, True])
    def test_a_program_write_costs_the_same_for_100_rows_and_for_1000(
        self, campus: Campus, sis: Caller, e_mail: bool
    ) -> None:
        created = [
            cost(sis, "POST", campus.enrollments, program_rows(count, start=start, e_mail=e_mail))
            for count, start in ((100, 0), (1000, 100))
        ]
        changed = [
            cost(sis, "PATCH", campus.enrollments, program_rows(count, start=start, status="ended"))
            for count, start in ((100, 0), (1000, 100))
        ]
        unchanged = [
            cost(sis, "PUT", campus.enrollments, program_rows(count, start=start, status="ended"))
            for count, start in ((100, 0), (1000, 100))
        ]
        assert created[0] == created[1]
        assert changed[0] == changed[1]
        assert unchanged[0] == unchanged[1]

    def test_a_course_write_does_too_host_included(self, campus: Campus, sis: Caller) -> None:
        sis.post(campus.enrollments, program_rows(400))
        for number in range(400, 440):
            learner = LinkedLearnerFactory(school=campus.school, student_key=f"S-{number}")
            ProgramEnrollmentFactory(curriculum=campus.curriculum, learner=learner)
        # Learners with and without an account, in both.
        few, many = course_rows(20, start=390), course_rows(390) + course_rows(30, start=410)
        for method, status in (("POST", "active"), ("PUT", "active"), ("PATCH", "inactive")):
            costs = [
                cost(sis, method, campus.course_enrollments, [{**row, "status": status} for row in rows])
                for rows in (few, many)
            ]
            assert costs[0] == costs[1], method

    def test_every_further_chunk_costs_the_same(self, campus: Campus, sis: Caller, app_settings: AppSettings) -> None:
        app_settings(CHUNK_SIZE=50)
        costs = [
            cost(sis, "POST", campus.enrollments, program_rows(count, start=start))
            for count, start in ((50, 0), (100, 50), (150, 150))
        ]
        assert costs[1] - costs[0] == costs[2] - costs[1] > 0

    def test_a_refused_body_costs_no_more_than_finding_the_program(self, campus: Campus, sis: Caller) -> None:
        with counted() as statements:
            assert sis.post(campus.enrollments, [{}] * 1000).status_code == 400
        assert len(statements) == 1


class TestPages:
    @pytest.mark.parametrize(
        "path",
        [
            "programs/",
            "PROGRAM/courses/",
            "PROGRAM/enrollments/",
            "PROGRAM/changes/",
            "PROGRAM/course_enrollments/",
            "COURSE/enrollments/",
            "COURSE/grades/",
            "COURSE/attendance/",
            "me/programs/",
        ],
    )
    def test_a_page_takes_at_most_four_statements_whatever_is_on_it(
        self, campus: Campus, sis: Caller, path: str
    ) -> None:
        path = path.replace("PROGRAM/", campus.path).replace("COURSE/", campus.course_path)

        def page_cost(page_size: int) -> int:
            with counted() as statements:
                assert sis.get(path, query={"page_size": page_size}).status_code in {200, 422}
            return len(statements)

        # First those with an account: each page has one about whom the host is asked.
        for number in range(30, 35):
            learner = LinkedLearnerFactory(school=campus.school, student_key=f"S-{number}")
            ProgramEnrollmentFactory(curriculum=campus.curriculum, learner=learner)
            ProgramCourseEnrollmentFactory(program=campus.program, course_run=campus.course_run, learner=learner)
        sis.post(campus.enrollments, program_rows(30))
        sis.post(campus.course_enrollments, course_rows(30))
        # With the authentication that is five.
        assert page_cost(1) == page_cost(35) <= 4

    def test_one_program_takes_two(self, campus: Campus, sis: Caller) -> None:
        with counted() as statements:
            assert sis.get(campus.path).status_code == 200
        assert len(statements) == 2
