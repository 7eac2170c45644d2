"""A freeze reads the host's grades before it locks anything, and copes with what changes meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from typing import Any

import pytest
from django.db import DataError, connection
from pytest_django import Settings

from demo_lms.host import DemoHost
from demo_lms.models import CourseGrade
from program_enrollments import api
from program_enrollments.data import Grade, GradeUnavailable
from program_enrollments.exceptions import AlreadyFrozen, HostError
from program_enrollments.models import CourseRun, GradeFreeze, Learner, ProgramCourseEnrollment
from tests.api.conftest import World
from tests.api.grade_freezes import LATER, freeze, origin, reopen
from tests.api.grades.test_final_grades import enroll
from tests.factories.enrollment import CourseRunFactory, CurriculumFactory, IdentityProviderFactory, SchoolFactory

pytestmark = pytest.mark.django_db(transaction=True)


class MeddlingHost(DemoHost):
    """Does something before each of its next answers, as another process might."""

    meddlings: list[Callable[[], Any]] = []
    asked: list[tuple[str, int, bool]] = []

    def __init__(self) -> None:
        super().__init__()
        self.grades = self

    def fetch_grades(self, *, course_id: str, user_ids: Collection[int]) -> Mapping[int, Grade | GradeUnavailable]:
        self.asked.append((course_id, len(user_ids), connection.in_atomic_block))
        told = DemoHost().grades.fetch_grades(course_id=course_id, user_ids=user_ids)
        if self.meddlings:
            self.meddlings.pop(0)()
        return told


@pytest.fixture
def world(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> World:
    school = SchoolFactory(key="uni-a")
    provider = IdentityProviderFactory(school=school, slug="uni-a")
    curriculum = CurriculumFactory(program__school=school)
    run = CourseRunFactory(course_id="course-v1:Uni+M+2026", curricula=[curriculum])
    monkeypatch.setattr(MeddlingHost, "asked", [])
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "HOST": f"{__name__}.MeddlingHost"}
    return World(school, provider, curriculum, run, run_callbacks=None)  # type: ignore[arg-type]


def meddle(monkeypatch: pytest.MonkeyPatch, *meddlings: Callable[[], Any]) -> None:
    monkeypatch.setattr(MeddlingHost, "meddlings", list(meddlings))


def frozen(world: World, version: int) -> list[tuple[str, Any]]:
    rows = api.get_freeze(program=world.program, course_run=world.course_run, version=version).rows()
    return [(row["student_key"], row.get("letter_grade")) for row in rows]


def fail() -> None:
    raise HostError


def test_the_host_is_asked_outside_of_any_transaction(world: World) -> None:
    enroll(world, "S-1", grade=("A", "0.9", True))

    freeze(world)

    assert MeddlingHost.asked == [(world.course_run.course_id, 1, False)]


def test_who_comes_meanwhile_is_asked_about_too_and_nobody_else_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        enroll(world, f"S-{number}", grade=("A", "0.9", True))
    meddle(monkeypatch, lambda: enroll(world, "S-9", grade=("B", "0.8", True)))

    assert freeze(world).count == 4

    assert frozen(world, 1) == [("S-0", "A"), ("S-1", "A"), ("S-2", "A"), ("S-9", "B")]
    assert [count for _, count, _ in MeddlingHost.asked] == [3, 1]


def test_who_leaves_or_is_renamed_meanwhile_is_frozen_as_they_are_then(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    stays, leaves = enroll(world, "S-1", grade=("A", "0.9", True)), enroll(world, "S-2", grade=("B", "0.8", True))

    def change() -> None:
        Learner.objects.filter(pk=stays.pk).update(student_key="S-7", student_key_normalized="s-7")
        ProgramCourseEnrollment.objects.filter(learner=leaves).delete()

    meddle(monkeypatch, change)
    freeze(world)

    assert frozen(world, 1) == [("S-7", "A")]


def test_frozen_by_another_meanwhile_is_already_frozen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    enroll(world, "S-1", grade=("A", "0.9", True))
    meddle(monkeypatch, lambda: freeze(world))

    with pytest.raises(AlreadyFrozen):
        freeze(world)
    assert GradeFreeze.objects.count() == 1


def test_frozen_and_reopened_meanwhile_is_read_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    enroll(world, "S-1", grade=("A", "0.9", True))

    def correct() -> None:
        freeze(world)
        reopen(world)
        CourseGrade.objects.update(letter="B", percent=Decimal("0.8"))

    meddle(monkeypatch, correct)

    assert freeze(world).version == 2
    assert frozen(world, 2) == [("S-1", "B")]


def test_a_run_that_never_stands_still_is_said_to_be_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    enroll(world, "S-1")
    meddle(monkeypatch, *[lambda number=number: enroll(world, f"S-2{number}") for number in range(50)])

    with pytest.raises(HostError, match="kept changing"):
        freeze(world)
    assert not GradeFreeze.objects.exists()


def test_what_is_frozen_already_asks_the_host_nothing(world: World) -> None:
    enroll(world, "S-1")
    freeze(world)
    asked = len(MeddlingHost.asked)

    with pytest.raises(AlreadyFrozen):
        freeze(world)
    assert len(MeddlingHost.asked) == asked


@pytest.fixture
def runs(world: World) -> list[CourseRun]:
    """Three course runs with a learner each, in the order of their keys."""
    made: list[CourseRun] = [
        CourseRunFactory(course_id="course-v1:Uni+A+2026", curricula=[world.curriculum]),
        world.course_run,
        CourseRunFactory(course_id="course-v1:Uni+Z+2026", curricula=[world.curriculum]),
    ]
    for number, run in enumerate(made):
        learner = enroll(world, f"S-{number}")
        ProgramCourseEnrollment.objects.filter(learner=learner).update(course_run=run)
    return made


def test_each_run_of_a_program_commits_by_itself(
    world: World, runs: list[CourseRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    standing: list[int] = []
    meddle(monkeypatch, *[lambda: standing.append(GradeFreeze.objects.count())] * 3)

    versions = api.freeze_program_grades(program=world.program, origin=origin(), now=LATER)

    assert standing == [0, 1, 2]
    assert [version.course_id for version in versions] == [run.course_id for run in runs]


def test_a_run_that_fails_keeps_no_other_from_being_frozen(
    world: World, runs: list[CourseRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    meddle(monkeypatch, lambda: None, fail)

    first, second, third = api.freeze_program_grades(program=world.program, origin=origin(), now=LATER)

    assert isinstance(first, api.FrozenVersion)
    assert second == api.FreezeFailure(runs[1].course_id, HostError.detail)
    assert isinstance(third, api.FrozenVersion)
    assert GradeFreeze.objects.count() == 2
    (again,) = api.freeze_program_grades(program=world.program, origin=origin(), now=LATER)
    assert again.course_id == runs[1].course_id


@pytest.mark.parametrize("kind", [RuntimeError, DataError])
def test_a_run_that_fails_for_no_reason_the_app_knows_is_logged_without_its_words(
    world: World,
    runs: list[CourseRun],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    kind: type[Exception],
) -> None:
    def break_down() -> None:
        raise kind("S-0 has no grade.")

    meddle(monkeypatch, break_down)

    failure, *others = api.freeze_program_grades(program=world.program, origin=origin(), now=LATER)

    assert isinstance(failure, api.FreezeFailure)
    assert failure.error
    assert len(others) == 2
    assert kind.__name__ in caplog.text
    assert "S-0" not in caplog.text + failure.error


@pytest.mark.usefixtures("runs")
def test_where_no_run_could_be_frozen_the_call_fails(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    meddle(monkeypatch, fail, fail, fail)

    with pytest.raises(HostError):
        api.freeze_program_grades(program=world.program, origin=origin())
    assert not GradeFreeze.objects.exists()


def test_a_run_that_another_froze_meanwhile_has_no_entry(
    world: World, runs: list[CourseRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    meddle(monkeypatch, lambda: freeze(world, course_run=runs[2]))

    versions = api.freeze_program_grades(program=world.program, origin=origin(), now=LATER)

    assert [version.course_id for version in versions] == [run.course_id for run in runs[:2]]


def test_runs_frozen_before_cost_nothing(world: World, runs: list[CourseRun]) -> None:
    for run in runs[:2]:
        freeze(world, course_run=run)
    MeddlingHost.asked.clear()

    versions = api.freeze_program_grades(program=world.program, origin=origin(), now=LATER)

    assert [version.course_id for version in versions] == [runs[2].course_id]
    assert [course_id for course_id, _, _ in MeddlingHost.asked] == [runs[2].course_id]
