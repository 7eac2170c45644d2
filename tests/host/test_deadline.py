"""A host that is slow costs a sign-in its budget and no more; what is missing waits for the sweep."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from pytest_django import Settings
from social_django.models import UserSocialAuth

from demo_lms.host import DemoCourseEnrollments, DemoHost
from demo_lms.models import CourseEnrollment
from program_enrollments import api
from program_enrollments.data import HostFailure, Seat
from program_enrollments.exceptions import HostDeadlinePassed, WriteInterrupted
from program_enrollments.host import get_host
from program_enrollments.host.deadline import LEAST_SECONDS, limited, remaining_seconds
from program_enrollments.host.ports import UserCourse
from program_enrollments.models import PreemptiveCourseEnrollment, ProgramCourseEnrollment, ProgramEnrollment
from tests.api.conftest import World
from tests.api.grades.test_final_grades import enroll, read
from tests.factories.enrollment import CourseRunFactory
from tests.factories.host import UserFactory

pytestmark = pytest.mark.once

SECONDS = 0.2

Configure = Callable[..., None]


class SlowSeats(DemoCourseEnrollments):
    """Takes as long for a seat as the deadline leaves, as an HTTP client does whose server never answers."""

    left: list[float | None] = []

    def fetch_seats(
        self, *, user_ids: Collection[int], course_ids: Collection[str], lock: bool = False
    ) -> Sequence[Seat]:
        left = remaining_seconds()
        self.left.append(left)
        if left is not None:
            time.sleep(left)
            raise TimeoutError
        return super().fetch_seats(user_ids=user_ids, course_ids=course_ids, lock=lock)

    def put_seats(self, *, seats: Sequence[Seat]) -> Mapping[UserCourse, HostFailure]:
        self.left.append(remaining_seconds())
        return super().put_seats(seats=seats)


class SlowHost(DemoHost):
    def __init__(self) -> None:
        super().__init__()
        self.course_enrollments = SlowSeats()


@pytest.fixture
def slow_host(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Configure:
    monkeypatch.setattr(SlowSeats, "left", [])

    def configure(**more: Any) -> None:
        settings.PROGRAM_ENROLLMENTS = {
            **settings.PROGRAM_ENROLLMENTS,
            "HOST": f"{__name__}.SlowHost",
            "SIGN_IN_HOST_SECONDS": SECONDS,
            "CALL_HOST_SECONDS": SECONDS,
            **more,
        }

    return configure


def promise(world: World, runs: int) -> None:
    world.write_program(("S-1", "enrolled"))
    for _ in range(runs):
        world.write_course(("S-1", "active"), course_run=CourseRunFactory(curricula=[world.curriculum]))


def test_a_sign_in_gives_a_slow_host_its_budget_once(world: World, slow_host: Configure) -> None:
    promise(world, 3)
    slow_host()

    began = time.monotonic()
    user = world.sign_on("S-1")
    taken = time.monotonic() - began

    assert len(SlowSeats.left) == 1, "the time was up after the first call"
    assert 0 < (SlowSeats.left[0] or 0) <= SECONDS
    assert SECONDS <= taken < SECONDS + 5
    assert ProgramEnrollment.objects.get().learner.user == user
    waiting = PreemptiveCourseEnrollment.objects.all()
    assert {(row.problem_code, row.refusals) for row in waiting} == {("host_unavailable", 0)}
    assert {row.problem_detail for row in waiting} == {HostDeadlinePassed.detail}

    report = api.sweep()

    assert (report.done.course_enrollments, report.is_clean) == (3, True)
    assert SlowSeats.left[1:] == [None, None], "nobody waits for the sweep"
    assert not PreemptiveCourseEnrollment.objects.exists()


@pytest.fixture
def keep_connection() -> Iterator[None]:
    """Let requests begin and end without closing the test's connection, as Django's test client does."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.mark.usefixtures("keep_connection")
def test_all_sign_in_work_of_a_request_shares_one_budget(world: World, slow_host: Configure) -> None:
    promise(world, 1)
    slow_host()

    request_started.send(sender=None)
    user = world.sign_on("S-1")
    with world.run_callbacks(execute=True):
        UserSocialAuth.objects.get().save()
        user.save()
    request_finished.send(sender=None)

    assert len(SlowSeats.left) == 1
    assert PreemptiveCourseEnrollment.objects.get().tries == 2, "the second sign-on found the time up"


@pytest.mark.usefixtures("keep_connection")
def test_the_next_request_has_its_own_budget(world: World, slow_host: Configure) -> None:
    promise(world, 1)
    slow_host()
    user = UserFactory()
    for _ in range(2):
        request_started.send(sender=None)
        world.sign_on("S-1", user=user)
        request_finished.send(sender=None)

    assert len(SlowSeats.left) == 2


def test_a_bulk_write_stops_asking_once_the_time_is_up(
    world: World, slow_host: Configure, caplog: pytest.LogCaptureFixture
) -> None:
    keys = [f"S-{number}" for number in range(8)]
    world.write_program(*[(key, "enrolled") for key in keys])
    for key in keys:
        world.sign_on(key)
    slow_host(CHUNK_SIZE=4)

    with pytest.raises(WriteInterrupted) as interrupted:
        world.write_course(*[(key, "active") for key in keys])

    assert interrupted.value.committed == {}, "no row is blamed, and none stands"
    assert len(SlowSeats.left) == 1
    assert not ProgramCourseEnrollment.objects.exists()
    assert not CourseEnrollment.objects.exists()
    lines = [record for record in caplog.records if "A chunk met an outage" in record.getMessage()]
    assert len(lines) == 1, "a line per call, not per row"


def test_what_was_written_before_the_time_was_up_stands_and_is_said(world: World, slow_host: Configure) -> None:
    world.write_program(("S-1", "enrolled"), ("S-2", "enrolled"), ("S-3", "enrolled"))
    world.sign_on("S-2")
    slow_host(CHUNK_SIZE=1)

    with pytest.raises(WriteInterrupted) as interrupted:
        world.write_course(("S-1", "active"), ("S-2", "active"), ("S-3", "active"))

    assert interrupted.value.committed == {"S-1": "active"}
    assert PreemptiveCourseEnrollment.objects.get().learner.student_key == "S-1"


class ObservedHost(DemoHost):
    """Notes what is left when it is asked for grades and attendance."""

    left: list[float | None] = []

    def __init__(self) -> None:
        super().__init__()
        self.grades = self
        self.attendance = self

    def fetch_grades(self, **_: Any) -> dict[int, Any]:
        self.left.append(remaining_seconds())
        return {}

    def fetch_attendance(self, **_: Any) -> dict[int, Any]:
        self.left.append(remaining_seconds())
        return {}


def test_calls_for_reports_have_a_deadline(world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ObservedHost, "left", [])
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "HOST": f"{__name__}.ObservedHost"}
    enroll(world, "S-1")

    read(world)
    api.fetch_attendance(program=world.program, course_run=world.course_run, cursor=None, page_size=10)

    assert [left is not None and 50 < left <= 60 for left in ObservedHost.left] == [True, True]


def test_what_is_left_shrinks_and_the_earlier_deadline_counts(settings: Settings) -> None:
    settings.PROGRAM_ENROLLMENTS = {"SIGN_IN_HOST_SECONDS": 5, "CALL_HOST_SECONDS": 60}
    assert remaining_seconds() is None
    with limited("SIGN_IN_HOST_SECONDS"):
        outer = remaining_seconds()
        with limited("CALL_HOST_SECONDS"):
            inner = remaining_seconds()
        assert outer is not None
        assert inner is not None
        assert inner <= outer <= 5
    assert remaining_seconds() is None


def test_no_limit_is_no_deadline(settings: Settings) -> None:
    settings.PROGRAM_ENROLLMENTS = {"SIGN_IN_HOST_SECONDS": None}
    with limited("SIGN_IN_HOST_SECONDS"):
        assert remaining_seconds() is None


def test_a_time_out_is_never_nought_and_no_call_is_made_when_the_time_is_up(db: None, settings: Settings) -> None:
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "CALL_HOST_SECONDS": 0.01}
    with limited("CALL_HOST_SECONDS"):
        time.sleep(0.02)
        assert remaining_seconds() == LEAST_SECONDS
        with pytest.raises(HostDeadlinePassed):
            get_host().grades.fetch_grades(course_id="x", user_ids=[1])


@pytest.mark.usefixtures("keep_connection")
def test_time_outside_of_the_hosts_calls_is_not_counted(settings: Settings) -> None:
    settings.PROGRAM_ENROLLMENTS = {"SIGN_IN_HOST_SECONDS": 0.5}
    request_started.send(sender=None)
    try:
        with limited("SIGN_IN_HOST_SECONDS"):
            pass
        time.sleep(0.6)
        with limited("SIGN_IN_HOST_SECONDS"):
            left = remaining_seconds()
    finally:
        request_finished.send(sender=None)
    assert left is not None
    assert left > 0.3
