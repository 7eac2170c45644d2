"""A host that fails costs nobody their sign-in, no row another's place, and no log a student's name."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytest_django import Settings
from social_django.models import UserSocialAuth

from demo_lms.host import DemoHost
from demo_lms.models import CourseEnrollment
from program_enrollments import api
from program_enrollments.data import LearnerProblem, ProgramEnrollmentRequest, Verb
from program_enrollments.models import (
    CourseRun,
    Learner,
    LedgerEntry,
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
    ProgramCourseEnrollment,
    ProgramEnrollment,
)
from tests.api import failing_hosts
from tests.api.conftest import ORIGIN, World
from tests.factories.enrollment import CourseRunFactory, CurriculumFactory, IdentityProviderFactory, SchoolFactory
from tests.factories.host import UserFactory

UseHost = Callable[[type], None]


@pytest.fixture
def use_host(settings: Settings) -> UseHost:
    def use(adapter: type) -> None:
        path = f"{adapter.__module__}.{adapter.__qualname__}"
        settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "HOST": path}

    return use


@pytest.fixture
def poison(world: World) -> CourseRun:
    """S-1 is promised a good course run and one that upsets the host."""
    run = CourseRunFactory(course_id="course-v1:Uni+poison+2026", curricula=[world.curriculum])
    world.write_program(("S-1", "enrolled"))
    world.write_course(("S-1", "active"))
    world.write_course(("S-1", "active"), course_run=run)
    return run


@pytest.mark.parametrize(
    ("adapter", "code", "refusals"),
    [
        (failing_hosts.PoisonedHost, "host_unavailable", 0),
        (failing_hosts.BrokenTransactionHost, "host_unavailable", 0),
        (failing_hosts.RefusingHost, "host_refused", 1),
    ],
)
def test_one_bad_course_run_costs_only_itself(
    world: World, poison: CourseRun, use_host: UseHost, adapter: type, code: str, refusals: int
) -> None:
    use_host(adapter)
    user = world.sign_on("S-1")

    assert Learner.objects.get().user == user
    assert ProgramEnrollment.objects.count() == 1
    assert ProgramCourseEnrollment.objects.get().course_run == world.course_run
    waiting = PreemptiveCourseEnrollment.objects.get()
    assert (waiting.course_run, waiting.problem_code, waiting.tries, waiting.refusals) == (poison, code, 1, refusals)


def test_passing_failures_are_tried_for_ever(world: World, poison: CourseRun, use_host: UseHost) -> None:
    use_host(failing_hosts.PoisonedHost)
    user = world.sign_on("S-1")
    for _ in range(9):
        world.sign_on("S-1", user=user)
    waiting = PreemptiveCourseEnrollment.objects.get()
    assert (waiting.tries, waiting.refusals) == (10, 0)


def test_an_unreachable_host_leaves_courses_waiting_and_programs_real(
    world: World, poison: CourseRun, use_host: UseHost
) -> None:
    use_host(failing_hosts.UnreachableHost)
    world.sign_on("S-1")
    assert ProgramEnrollment.objects.count() == 1
    assert PreemptiveCourseEnrollment.objects.filter(problem_code="host_unavailable").count() == 2

    use_host(DemoHost)
    report = api.sweep()
    assert (report.done.course_enrollments, report.is_clean) == (2, True)
    assert not PreemptiveCourseEnrollment.objects.exists()


def test_no_log_line_names_anybody(
    world: World, poison: CourseRun, use_host: UseHost, caplog: pytest.LogCaptureFixture
) -> None:
    use_host(failing_hosts.PoisonedHost)
    world.sign_on("S-1")
    world.write_course(("S-1", "active"), course_run=poison)
    assert caplog.records, "a failure is never silent"
    assert "S-1" not in caplog.text
    assert "uni-a.example" not in caplog.text


def test_one_bad_learner_costs_only_their_row(world: World, use_host: UseHost) -> None:
    names = ["ann", "poison", "cem", "dan", "eve"]
    for name in names:
        world.sign_on(name, user=UserFactory(username=name))
    world.write_program(*[(name, "enrolled") for name in names], ("waiting", "enrolled"))
    use_host(failing_hosts.PoisonedHost)

    words = world.write_course(*[(name, "active") for name in names], ("waiting", "active"))

    assert words == {name: "internal-error" if name == "poison" else "active" for name in [*names, "waiting"]}
    assert ProgramCourseEnrollment.objects.count() == 4
    assert LedgerEntry.objects.filter(course_run=world.course_run).count() == 5


def test_another_programs_course_run_that_upsets_the_host_fails_no_row(
    world: World, use_host: UseHost, poison: CourseRun
) -> None:
    """S-1 gets an address whose account is found by it: what waits elsewhere is made real beside the row."""
    world.confirm_email(UserFactory(), "s1@uni-a.example")
    other = CurriculumFactory(program__school=world.school).program
    use_host(failing_hosts.PoisonedHost)
    row = ProgramEnrollmentRequest("S-1", "S-1", "s1@uni-a.example", "enrolled")

    (outcome,) = api.write_program_enrollments(program=other, rows=[row], verb=Verb.UPSERT, origin=ORIGIN)

    assert outcome.word == "enrolled"
    assert ProgramEnrollment.objects.count() == 2
    assert PreemptiveCourseEnrollment.objects.get().course_run == poison


def test_realizing_that_breaks_as_a_whole_is_shown_and_repaired(
    world: World, monkeypatch: pytest.MonkeyPatch, poison: CourseRun
) -> None:
    """What was begun is undone, stored on the learner, and done by the sweep."""
    with monkeypatch.context() as patched:
        patched.setattr("program_enrollments.api.realizing.settlement.record_changes", _struck_by_lightning)
        world.sign_on("S-1")
    stored = Learner.objects.get()
    assert (stored.user, stored.problem_code) == (None, LearnerProblem.REALIZING_FAILED)
    assert PreemptiveProgramEnrollment.objects.count() == 1
    assert not ProgramCourseEnrollment.objects.exists()

    assert api.sweep().is_clean
    stored.refresh_from_db()
    assert (stored.problem_code, stored.user is not None) == ("", True)
    assert ProgramCourseEnrollment.objects.count() == 2


def _struck_by_lightning(**kwargs: object) -> None:
    raise OSError("the disk is full of S-1")


def test_a_cascade_the_host_refuses_changes_nothing_of_that_learner(world: World, use_host: UseHost) -> None:
    run = CourseRunFactory(course_id="course-v1:Uni+poison+2026", curricula=[world.curriculum])
    world.write_program(("S-1", "enrolled"), ("S-2", "enrolled"))
    one, two = world.sign_on("S-1"), world.sign_on("S-2")
    world.write_course(("S-1", "active"), ("S-2", "active"))
    world.write_course(("S-1", "active"), course_run=run)
    use_host(failing_hosts.PoisonedLeavingHost)
    assert world.write_program(("S-1", "ended"), ("S-2", "ended"), cascade=True) == {
        "S-1": "internal-error",
        "S-2": "ended",
    }
    assert set(ProgramCourseEnrollment.objects.filter(learner__user=one).values_list("status", flat=True)) == {"active"}
    assert set(CourseEnrollment.objects.filter(user=one).values_list("is_active", flat=True)) == {True}
    assert set(CourseEnrollment.objects.filter(user=two).values_list("is_active", flat=True)) == {False}


def test_a_refused_role_gives_no_seat(world: World, use_host: UseHost) -> None:
    world.write_program(("S-1", "enrolled"), ("S-2", "enrolled"))
    world.sign_on("S-1")
    world.sign_on("S-2")
    use_host(failing_hosts.NoRolesHost)
    assert world.write_course(("S-1", "active", True), ("S-2", "active")) == {"S-1": "internal-error", "S-2": "active"}
    assert CourseEnrollment.objects.count() == 1


def test_a_refused_role_realizes_no_seat(world: World, use_host: UseHost) -> None:
    other = CourseRunFactory(curricula=[world.curriculum])
    world.write_program(("S-1", "enrolled"))
    world.write_course(("S-1", "active", True))
    world.write_course(("S-1", "active"), course_run=other)
    use_host(failing_hosts.NoRolesHost)
    user = world.sign_on("S-1")
    assert PreemptiveCourseEnrollment.objects.get().problem_code == "no_roles"
    assert CourseEnrollment.objects.get(user=user).course_run_id == other.course_id


@pytest.mark.django_db(transaction=True)
def test_what_a_host_does_after_the_commit_does_not_undo_the_answer(use_host: UseHost) -> None:
    school = SchoolFactory(key="uni-a")
    provider = IdentityProviderFactory(school=school, slug="uni-a")
    curriculum = CurriculumFactory(program__school=school)
    run = CourseRunFactory(curricula=[curriculum])
    world = World(school, provider, curriculum, run, run_callbacks=None)  # type: ignore[arg-type]
    world.write_program(("S-1", "enrolled"), ("S-2", "enrolled"))
    for key in ("S-1", "S-2"):
        UserSocialAuth.objects.create(user=UserFactory(), provider="tpa-saml", uid=f"uni-a:{key}")
    use_host(failing_hosts.HookingHost)
    answer = world.write_course(("S-1", "active"), ("S-2", "active"), verb=Verb.CREATE)
    assert ProgramCourseEnrollment.objects.count() == 2
    assert answer == {"S-1": "active", "S-2": "active"}
