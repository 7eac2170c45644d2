"""`attendance/`: parameters, pages and refusals. What a row says is in tests/api/grades/test_attendance.py."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from program_enrollments.data import PROGRAM_PERMISSIONS, Permission
from program_enrollments.models import CourseRun, Program
from tests.factories.enrollment import GrantFactory
from tests.factories.host import DailyActivityFactory, ServiceUserFactory
from tests.rest_api.grades.conftest import assert_problem, enroll, post


@pytest.fixture
def attendance_url(url: str) -> str:
    return url.replace("/grades/", "/attendance/")


@pytest.fixture
def attended(program: Program, run: CourseRun) -> None:
    """Three learners: one was there on two days, two never."""
    learner = enroll(program, run, "S-0")
    for day in (2, 9):
        DailyActivityFactory(user=learner.user, course_run_id=run.course_id, day=date(2026, 3, day), units_done=5)
    enroll(program, run, "S-1")
    enroll(program, run, "S-2")


@pytest.mark.usefixtures("attended")
def test_rows_have_the_contracts_members(sis: Client, attendance_url: str) -> None:
    response = sis.get(attendance_url)

    assert response.status_code == 200
    assert response.json() == {
        "next": None,
        "previous": None,
        "results": [
            {
                "student_key": "S-0",
                "first_attended": "2026-03-02",
                "last_attended": "2026-03-09",
                "days_attended": 2,
                "completion": 0.5,
            },
            *(
                {
                    "student_key": student_key,
                    "first_attended": None,
                    "last_attended": None,
                    "days_attended": 0,
                    "completion": None,
                }
                for student_key in ("S-1", "S-2")
            ),
        ],
    }


@pytest.mark.usefixtures("attended")
def test_pages_carry_since_along(sis: Client, attendance_url: str) -> None:
    first = sis.get(f"{attendance_url}?since=2026-03-03&page_size=1").json()
    second = sis.get(first["next"]).json()
    back = sis.get(second["previous"]).json()

    assert first["results"][0]["days_attended"] == 1
    assert second["results"][0]["student_key"] == "S-1"
    assert back["results"] == first["results"]


@pytest.mark.parametrize(
    "since",
    ["", "today", "2026-02-30", "2026-3-1", "20260301", "2026-W10-1", "2026-03-01T00:00:00Z", "٢٠٢٦-03-01", "%00"],
)
def test_since_that_is_no_day_is_refused(sis: Client, attendance_url: str, since: str) -> None:
    problem = assert_problem(sis.get(f"{attendance_url}?since={since}"), 400, "invalid_parameter")
    assert problem["parameter"] == "since"


def test_a_bad_cursor_is_refused(sis: Client, attendance_url: str) -> None:
    assert_problem(sis.get(f"{attendance_url}?cursor=x"), 404, "bad_cursor")


@pytest.mark.usefixtures("attended")
def test_a_page_takes_as_many_statements_whatever_its_length(sis: Client, attendance_url: str) -> None:
    counts = []
    for page_size in (1, 3):
        with CaptureQueriesContext(connection) as captured:
            assert len(sis.get(f"{attendance_url}?page_size={page_size}").json()["results"]) == page_size
        counts.append(len(captured) - 2)  # the session and its user
    # Program, course run and grants at once, the learners, the host's record.
    assert counts == [3, 3]


@pytest.mark.parametrize("permission", PROGRAM_PERMISSIONS)
def test_reports_are_a_grant_of_their_own(
    client: Client, attendance_url: str, program: Program, permission: Permission
) -> None:
    user = ServiceUserFactory()
    GrantFactory(user=user, school=program.school, permission=permission)
    client.force_login(user)

    response = client.get(attendance_url)

    if permission == Permission.READ_REPORTS:
        assert response.status_code == 200
    else:
        assert_problem(response, 403, "permission_denied")


def test_attendance_is_only_read(sis: Client, attendance_url: str) -> None:
    assert_problem(post(sis, attendance_url), 405, "method_not_allowed")
