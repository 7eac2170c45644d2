"""An outage is not a bad row: a bulk write says so at once, blames nobody, and says what stands."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError, connection
from pytest_django import Settings

from program_enrollments import api
from program_enrollments.api.enrollments import halves
from program_enrollments.data import CourseEnrollmentRequest, Verb
from program_enrollments.exceptions import HostError, WriteInterrupted
from program_enrollments.models import CourseRun, ProgramCourseEnrollment
from tests.api import failing_hosts
from tests.api.conftest import ORIGIN, World
from tests.factories.enrollment import CourseRunFactory

ROWS = 256


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pause before the second try is for real outages."""
    monkeypatch.setattr(halves, "PAUSE_SECONDS", 0)


@pytest.fixture
def keys(world: World) -> list[str]:
    made = [f"S-{number}" for number in range(ROWS)]
    world.write_program(*[(key, "enrolled") for key in made])
    for key in made:
        world.sign_on(key)
    return made


def take_down(settings: Settings, error: type[Exception]) -> None:
    failing_hosts.DownSeats.calls = 0
    failing_hosts.DownSeats.error = error
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "HOST": "tests.api.failing_hosts.DownHost"}


@pytest.mark.parametrize(
    ("error", "most"),
    [
        (OperationalError, 2),
        pytest.param(HostError, 2, marks=pytest.mark.once),
        pytest.param(ConnectionRefusedError, 15, marks=pytest.mark.once),
    ],
)
def test_a_host_that_is_down_is_asked_a_few_times_only(
    world: World, keys: list[str], settings: Settings, error: type[Exception], most: int
) -> None:
    take_down(settings, error)

    with pytest.raises(WriteInterrupted) as interrupted:
        world.write_course(*[(key, "active") for key in keys])

    assert interrupted.value.committed == {}
    assert failing_hosts.DownSeats.calls <= most
    assert not ProgramCourseEnrollment.objects.exists()


def test_what_was_committed_before_stands_and_is_said(world: World, settings: Settings) -> None:
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "CHUNK_SIZE": 2}
    world.write_program(*[(key, "enrolled") for key in ("A", "B", "C", "D")])
    for key in ("C", "D"):
        world.sign_on(key)
    take_down(settings, HostError)

    with pytest.raises(WriteInterrupted) as interrupted:
        world.write_course(*[(key, "active") for key in ("A", "B", "C", "D")])

    assert interrupted.value.committed == {"A": "active", "B": "active"}


def test_an_outage_that_is_over_at_the_second_try_is_none(world: World, settings: Settings) -> None:
    world.write_program(("A", "enrolled"))
    tries: list[int] = []

    def fail_once(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not tries and sql.startswith("INSERT") and "courseenrollment" in sql:
            tries.append(1)
            raise OperationalError("the server closed the connection unexpectedly")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(fail_once):
        assert world.write_course(("A", "active")) == {"A": "active"}
    assert tries


def test_two_bad_rows_side_by_side_are_still_two_bad_rows(world: World, settings: Settings) -> None:
    run: CourseRun = CourseRunFactory(course_id="course-v1:Uni+fine+2026", curricula=[world.curriculum])
    keys = ["ann", "poison1", "poison2", "eve"]
    world.write_program(*[(key, "enrolled") for key in keys])
    for key in keys:
        user = world.sign_on(key)
        user.username = key
        user.save()
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "HOST": "tests.api.failing_hosts.PoisonedHost"}

    outcomes = api.write_course_enrollments(
        program=world.program,
        course_run=run,
        rows=[CourseEnrollmentRequest(key, key, "", "active") for key in keys],
        verb=Verb.UPSERT,
        origin=ORIGIN,
    )

    assert [outcome.word for outcome in outcomes] == ["active", "internal-error", "internal-error", "active"]
