"""What attendance says, and of whom."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from demo_lms.models import CourseRun as HostCourseRun
from program_enrollments import api
from program_enrollments.data import Page
from program_enrollments.exceptions import BadCursor
from program_enrollments.models import Learner
from tests.api.conftest import World
from tests.api.grades.test_final_grades import enroll
from tests.factories.enrollment import PreemptiveCourseEnrollmentFactory
from tests.factories.host import DailyActivityFactory


def attend(world: World, learner: Learner, *days: int, units_done: int = 0) -> None:
    """Let a learner be active on these days of March 2026."""
    for day in days:
        DailyActivityFactory(
            user=learner.user,
            course_run_id=world.course_run.course_id,
            day=date(2026, 3, day),
            units_done=units_done,
        )


def read(world: World, *, since: date | None = None, cursor: str | None = None, page_size: int = 100) -> Page:
    return api.fetch_attendance(
        program=world.program, course_run=world.course_run, since=since, cursor=cursor, page_size=page_size
    )


def test_everybody_with_an_account_is_listed(world: World) -> None:
    HostCourseRun.objects.filter(pk=world.course_run.course_id).update(units=3)
    attend(world, enroll(world, "S-1"), 2, 3, 9, units_done=1)
    enroll(world, "S-2")
    attend(world, enroll(world, "", learner={"email": "ann@uni.example"}, status="inactive"), 4, units_done=3)
    PreemptiveCourseEnrollmentFactory(program=world.program, course_run=world.course_run)

    assert read(world).rows == [
        {
            "student_key": "S-1",
            "first_attended": "2026-03-02",
            "last_attended": "2026-03-09",
            "days_attended": 3,
            "completion": 0.333,
        },
        {
            "student_key": "S-2",
            "first_attended": None,
            "last_attended": None,
            "days_attended": 0,
            "completion": None,
        },
        {
            "student_key": "ann@uni.example",
            "first_attended": "2026-03-04",
            "last_attended": "2026-03-04",
            "days_attended": 1,
            "completion": 1,
        },
    ]


@pytest.mark.parametrize(("since", "days"), [(1, 3), (2, 3), (3, 2), (9, 1), (10, 0)])
def test_since_counts_days_from_that_day_on(world: World, since: int, days: int) -> None:
    attend(world, enroll(world, "S-1"), 2, 3, 9)
    enroll(world, "S-2")

    present, absent = read(world, since=date(2026, 3, since)).rows

    assert present["days_attended"] == days
    assert (present["first_attended"], present["last_attended"]) == ("2026-03-02", "2026-03-09")
    assert absent["days_attended"] == 0


def test_pages_take_two_statements_each_and_meet(world: World) -> None:
    keys = [f"S-{number}" for number in range(5)]
    for key in keys:
        attend(world, enroll(world, key), 2, 3)

    with CaptureQueriesContext(connection) as captured:
        first = read(world, page_size=2)
    second = read(world, cursor=first.next_cursor, page_size=2)
    third = read(world, cursor=second.next_cursor, page_size=2)
    back = read(world, cursor=third.previous_cursor, page_size=2)

    assert len(captured) == 2
    assert [[row["student_key"] for row in page.rows] for page in (first, second, third, back)] == [
        keys[:2],
        keys[2:4],
        keys[4:],
        keys[2:4],
    ]
    assert third.next_cursor is None
    assert first.previous_cursor is None


def test_nobody_there_asks_the_host_nothing(world: World) -> None:
    with CaptureQueriesContext(connection) as captured:
        assert read(world).rows == []
    assert len(captured) == 1


def test_a_bad_cursor_is_refused(world: World) -> None:
    with pytest.raises(BadCursor):
        read(world, cursor="nonsense!")
