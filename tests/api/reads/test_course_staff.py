"""Whether somebody is course staff is what the host says of a linked learner, in lists and in the look-up."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from demo_lms.host import DemoCourseRoles, DemoHost
from demo_lms.models import CourseAccessRole
from program_enrollments import api
from program_enrollments.data import EnrollmentFilters
from program_enrollments.exceptions import HostError
from program_enrollments.host.ports import UserCourse
from program_enrollments.models import Learner, PreemptiveCourseEnrollment
from tests.api.conftest import World
from tests.factories.enrollment import CourseRunFactory
from tests.factories.host import CourseAccessRoleFactory


def listed(world: World, *, page_size: int = 100, **filters: Any) -> dict[str, bool]:
    page = api.fetch_course_enrollments(
        program=world.program,
        course_run=world.course_run,
        filters=EnrollmentFilters(**filters),
        cursor=None,
        page_size=page_size,
    )
    return {row["student_key"]: row["course_staff"] for row in page.rows}


def looked_up(world: World, student_key: str) -> list[bool]:
    found = api.look_up_learner(program=world.program, name=student_key)
    return [course["course_staff"] for course in found["course_enrollments"]]


@pytest.fixture
def drifted(world: World) -> World:
    """GIVEN holds a role that the school never asked for, TAKEN lost theirs, and KEPT has theirs; WAITING waits."""
    world.write_program(*[(key, "enrolled") for key in ("GIVEN", "KEPT", "TAKEN", "WAITING")])
    given, kept, taken = (world.sign_on(key) for key in ("GIVEN", "KEPT", "TAKEN"))
    world.write_course(
        ("GIVEN", "active"), ("KEPT", "active", True), ("TAKEN", "active", True), ("WAITING", "active", True)
    )
    CourseAccessRoleFactory(user=given, course_run_id=world.course_run.course_id)
    assert CourseAccessRole.objects.filter(user=kept).exists()
    CourseAccessRole.objects.filter(user=taken).delete()
    return world


def test_roles_are_those_of_the_host_or_else_promised(drifted: World) -> None:
    assert listed(drifted) == {"GIVEN": True, "KEPT": True, "TAKEN": False, "WAITING": True}
    for key, is_staff in listed(drifted).items():
        assert looked_up(drifted, key) == [is_staff]


def presented(world: World, student_key: str) -> list[bool]:
    learner = Learner.objects.get(school=world.school, student_key=student_key)
    return [course.course_staff for course in api.present_learner(learner=learner).courses]


def test_support_staff_see_the_same(drifted: World) -> None:
    for key, is_staff in listed(drifted).items():
        assert presented(drifted, key) == [is_staff]


def test_a_role_in_another_course_run_is_another_role(drifted: World) -> None:
    other = CourseRunFactory(curricula=[drifted.curriculum])
    drifted.write_course(("GIVEN", "active"), ("TAKEN", "active", True), course_run=other)

    assert listed(drifted) == {"GIVEN": True, "KEPT": True, "TAKEN": False, "WAITING": True}
    assert sorted(looked_up(drifted, "GIVEN")) == sorted(looked_up(drifted, "TAKEN")) == [False, True]


def test_a_promise_that_the_host_refused_shows_the_role_it_has(world: World) -> None:
    run = CourseRunFactory(curricula=[world.curriculum], in_host=False, course_id="course-v1:Uni+Gone+2026")
    world.course_run = run
    world.write_program(("S-1", "enrolled"))
    world.write_course(("S-1", "active", True))
    world.sign_on("S-1")
    assert PreemptiveCourseEnrollment.objects.get().course_staff

    assert listed(world) == {"S-1": False}
    assert looked_up(world, "S-1") == [False]


class CountingRoles(DemoCourseRoles):
    calls: list[int] = []
    error: Exception | None = None

    def fetch_course_staff(self, *, user_ids: Collection[int], course_ids: Collection[str]) -> Collection[UserCourse]:
        self.calls.append(len(user_ids))
        if self.error is not None:
            raise self.error
        return super().fetch_course_staff(user_ids=user_ids, course_ids=course_ids)


class CountingHost(DemoHost):
    def __init__(self) -> None:
        super().__init__()
        self.course_roles = CountingRoles()


@pytest.fixture
def counting(settings: Settings, monkeypatch: pytest.MonkeyPatch, drifted: World) -> World:
    monkeypatch.setattr(CountingRoles, "calls", [])
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "HOST": f"{__name__}.CountingHost"}
    return drifted


def test_the_host_is_asked_once_a_page_about_those_with_an_account(counting: World) -> None:
    listed(counting)
    listed(counting, page_size=2)
    assert CountingRoles.calls == [3, 2]


def test_nobody_with_an_account_asks_the_host_nothing(counting: World) -> None:
    assert listed(counting, account_exists=False) == {"WAITING": True}
    assert looked_up(counting, "WAITING") == [True]
    assert CountingRoles.calls == []


@pytest.mark.parametrize("error", [HostError(), ConnectionError("KEPT <kept@uni.example>")], ids=repr)
def test_while_the_host_is_down_the_schools_wish_is_shown(
    counting: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    monkeypatch.setattr(CountingRoles, "error", error)

    assert listed(counting) == {"GIVEN": False, "KEPT": True, "TAKEN": True, "WAITING": True}
    assert looked_up(counting, "TAKEN") == presented(counting, "TAKEN") == [True]
    assert "course staff" in caplog.text
    assert "KEPT" not in caplog.text


def test_a_database_that_is_down_is_no_host_that_is(counting: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CountingRoles, "error", OperationalError("gone"))
    with pytest.raises(OperationalError):
        listed(counting)


def test_a_page_costs_one_statement_more_than_without_accounts_whatever_its_length(drifted: World) -> None:
    def cost(page_size: int, **filters: Any) -> int:
        with CaptureQueriesContext(connection) as captured:
            listed(drifted, page_size=page_size, **filters)
        return len(captured)

    assert cost(1) == cost(4) == cost(4, account_exists=False) + 2
