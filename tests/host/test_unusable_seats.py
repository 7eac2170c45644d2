"""An unusable seat, role or outcome of a write costs only its own row or promise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from demo_lms.models import CourseEnrollment
from program_enrollments import api
from program_enrollments.data import HostFailure, Seat
from program_enrollments.exceptions import HostAnswerUnusable, HostError
from program_enrollments.host import get_host
from program_enrollments.models import (
    PreemptiveCourseEnrollment,
    ProgramCourseEnrollment,
    ProgramEnrollment,
)
from tests.api.conftest import World
from tests.factories.enrollment import CourseRunFactory
from tests.factories.host import HostCourseRunFactory, UserFactory
from tests.host.odd_hosts import Change, UseOddHost

pytestmark = pytest.mark.once

UNUSABLE_SEATS: dict[str, Callable[[Any, Any], Any]] = {
    "mode is missing": lambda user, run: Seat(user.pk, run.course_id, None, True),  # type: ignore[arg-type]
    "mode is blank": lambda user, run: Seat(user.pk, run.course_id, "", True),
    "active is a word": lambda user, run: Seat(user.pk, run.course_id, "masters", "yes"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("make_seat", UNUSABLE_SEATS.values(), ids=UNUSABLE_SEATS.keys())
def test_an_unusable_seat_costs_only_its_own_row(
    world: World, odd_host: UseOddHost, caplog: pytest.LogCaptureFixture, make_seat: Callable[[Any, Any], Any]
) -> None:
    world.write_program(("S-1", "enrolled"), ("S-2", "enrolled"))
    odd, fine = world.sign_on("S-1"), world.sign_on("S-2")
    seat = make_seat(odd, world.course_run)
    odd_host(fetch_seats=lambda answer: [*answer, seat])

    assert world.write_course(("S-1", "active"), ("S-2", "active")) == {"S-1": "internal-error", "S-2": "active"}
    assert CourseEnrollment.objects.get().user == fine
    assert "course_enrollments.fetch_seats" in caplog.text


def test_an_unusable_seat_keeps_only_its_own_promise_waiting(world: World, odd_host: UseOddHost) -> None:
    other = CourseRunFactory(curricula=[world.curriculum])
    world.write_program(("S-1", "enrolled"))
    world.write_course(("S-1", "active"))
    world.write_course(("S-1", "active"), course_run=other)
    user = UserFactory()
    odd_host(fetch_seats=lambda answer: [*answer, Seat(user.pk, other.course_id, "masters", None)])  # type: ignore[arg-type]

    world.sign_on("S-1", user=user)

    assert ProgramEnrollment.objects.get().learner.user == user
    assert ProgramCourseEnrollment.objects.get().course_run == world.course_run
    waiting = PreemptiveCourseEnrollment.objects.get()
    assert (waiting.course_run, waiting.problem_code, waiting.tries, waiting.refusals) == (
        other,
        "host_unavailable",
        1,
        0,
    )


def test_the_look_up_says_that_a_seat_cannot_be_understood(world: World, odd_host: UseOddHost) -> None:
    world.write_program(("S-1", "enrolled"))
    user = world.sign_on("S-1")
    world.write_course(("S-1", "active"))
    odd_host(fetch_seats=lambda _: [Seat(user.pk, world.course_run.course_id, "", True)])

    (course,) = api.look_up_learner(program=world.program, name="S-1")["course_enrollments"]

    assert course["host"] is None
    assert course["problem"] == {
        "code": "host_unavailable",
        "detail": HostAnswerUnusable.detail,
        "tries": 0,
        "last_tried": None,
    }


def test_two_seats_in_one_course_run_that_disagree_are_unusable(world: World, odd_host: UseOddHost) -> None:
    world.write_program(("S-1", "enrolled"))
    user = world.sign_on("S-1")
    seats = [Seat(user.pk, world.course_run.course_id, "masters", active) for active in (True, False)]
    odd_host(fetch_seats=lambda answer: seats)

    assert world.write_course(("S-1", "active")) == {"S-1": "internal-error"}


@pytest.mark.parametrize(
    "answer",
    [None, 5, "seats", [None], [(1, "course", "masters", True)], [Seat("1", "x", "masters", True)]],  # type: ignore[arg-type]
    ids=repr,
)
def test_seats_that_are_nobodys_are_a_host_that_is_down(world: World, odd_host: UseOddHost, answer: Any) -> None:
    world.write_program(("S-1", "enrolled"))
    world.write_course(("S-1", "active"))
    odd_host(fetch_seats=lambda _: answer)

    world.sign_on("S-1")

    assert PreemptiveCourseEnrollment.objects.get().problem_code == "host_unavailable"
    with pytest.raises(HostError):
        get_host().course_enrollments.fetch_seats(user_ids=[1], course_ids=["x"])


@pytest.mark.parametrize("method", ["put_seats", "grant_course_staff"])
@pytest.mark.parametrize(
    "change",
    [
        lambda answer: None,
        lambda answer: True,
        lambda answer: {"S-1": HostFailure("full", "It is full.", False)},
        lambda answer: {(10**9, "x"): HostFailure("full", "It is full.", False)},
    ],
    ids=["nothing", "a bool", "a key that is no pair", "a pair nobody asked about"],
)
def test_a_write_whose_outcome_cannot_be_read_did_not_happen(
    world: World, odd_host: UseOddHost, method: str, change: Change
) -> None:
    world.write_program(("S-1", "enrolled"))
    world.write_course(("S-1", "active", True))
    odd_host(**{method: change})

    world.sign_on("S-1")

    assert PreemptiveCourseEnrollment.objects.get().problem_code == "host_unavailable"
    assert not CourseEnrollment.objects.exists()


@pytest.mark.parametrize(
    "failure",
    [
        None,
        "It is full.",
        ("full", "It is full.", False),
        HostFailure("", "It is full.", False),
        HostFailure("full", None, False),  # type: ignore[arg-type]
        HostFailure("full", "It is full.", 0),  # type: ignore[arg-type]
        HostFailure("full\x00", "It is full.", False),
        HostFailure("full", "It is full\x00.", False),
    ],
    ids=repr,
)
def test_a_failure_that_cannot_be_read_is_still_that_pairs_failure(
    world: World, odd_host: UseOddHost, failure: Any
) -> None:
    other = HostCourseRunFactory()
    run = CourseRunFactory(course_id=other.course_id, curricula=[world.curriculum])
    world.write_program(("S-1", "enrolled"))
    world.write_course(("S-1", "active"))
    world.write_course(("S-1", "active"), course_run=run)
    user = UserFactory()
    odd_host(put_seats=lambda answer: {**answer, (user.pk, run.course_id): failure})

    world.sign_on("S-1", user=user)

    waiting = PreemptiveCourseEnrollment.objects.get()
    assert (waiting.course_run, waiting.problem_code, waiting.refusals) == (run, "host_unavailable", 0)
    assert waiting.problem_detail


@pytest.mark.parametrize("answer", [None, 7, "staff", [7], [("x",)], [("1", "x")]], ids=repr)
def test_roles_that_are_nobodys_are_a_host_that_is_down(world: World, odd_host: UseOddHost, answer: Any) -> None:
    world.write_program(("S-1", "enrolled"))
    world.write_course(("S-1", "active", True))
    odd_host(fetch_course_staff=lambda _: answer)

    world.sign_on("S-1")

    assert PreemptiveCourseEnrollment.objects.get().problem_code == "host_unavailable"
