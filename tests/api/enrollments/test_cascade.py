"""`cascade`: who leaves a program leaves the course staff roles that came through it."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from demo_lms.models import CourseAccessRole, CourseEnrollment
from program_enrollments.data import ProgramStatus
from program_enrollments.models import (
    CourseRun,
    LedgerEntry,
    PreemptiveCourseEnrollment,
    ProgramCourseEnrollment,
    ProgramEnrollment,
)
from tests.api import failing_hosts
from tests.api.conftest import World
from tests.factories.enrollment import CourseRunFactory, CurriculumFactory, IdentityProviderFactory, SchoolFactory
from tests.factories.host import CourseAccessRoleFactory, UserFactory


def story(kind: str) -> list[tuple[str, str]]:
    entries = LedgerEntry.objects.filter(kind=kind).order_by("pk")
    return [(entry.before or "", entry.after or "") for entry in entries]


def use_host(settings: Settings, adapter: type) -> None:
    path = f"{adapter.__module__}.{adapter.__qualname__}"
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "HOST": path}


@pytest.mark.parametrize("status", [ProgramStatus.SUSPENDED, ProgramStatus.CANCELED, ProgramStatus.ENDED])
def test_a_role_that_was_given_is_taken_back(world: World, status: ProgramStatus) -> None:
    world.write_program(("S-1", "enrolled"), ("S-2", "enrolled"))
    user, other = world.sign_on("S-1"), world.sign_on("S-2")
    world.write_course(("S-1", "active", True), ("S-2", "active", True))

    assert world.write_program(("S-1", status.value), cascade=True) == {"S-1": status.value}

    enrollment = ProgramCourseEnrollment.objects.get(learner__user=user)
    assert (enrollment.status, enrollment.course_staff, enrollment.course_staff_given) == ("inactive", False, False)
    assert [role.user for role in CourseAccessRole.objects.all()] == [other]
    assert story("course_staff") == [("false", "true"), ("false", "true"), ("true", "false")]
    assert story("course_enrollment")[-1] == ("active", "inactive")


def test_a_role_that_was_promised_is_promised_no_more(world: World) -> None:
    world.write_program(("S-1", "enrolled"))
    world.write_course(("S-1", "active", True))

    world.write_program(("S-1", "canceled"), cascade=True)

    promise = PreemptiveCourseEnrollment.objects.get()
    assert (promise.status, promise.course_staff) == ("inactive", False)
    assert story("course_staff") == [("false", "true"), ("true", "false")]
    world.sign_on("S-1")
    assert not CourseAccessRole.objects.exists()


@pytest.mark.parametrize("has_account", [False, True], ids=["promised", "given"])
def test_who_was_inactive_already_loses_the_role_too(world: World, has_account: bool) -> None:
    world.write_program(("S-1", "enrolled"))
    if has_account:
        world.sign_on("S-1")
    world.write_course(("S-1", "inactive", True))

    world.write_program(("S-1", "canceled"), cascade=True)

    assert story("course_staff")[-1] == ("true", "false")
    assert story("course_enrollment") == [("", "inactive")]
    assert not CourseAccessRole.objects.exists()
    model = ProgramCourseEnrollment if has_account else PreemptiveCourseEnrollment
    assert not model._default_manager.get().course_staff


def test_a_role_from_elsewhere_stays_and_is_wished_no_more(world: World) -> None:
    world.write_program(("S-1", "enrolled"))
    user = world.sign_on("S-1")
    CourseAccessRoleFactory(user=user, course_run_id=world.course_run.course_id)
    world.write_course(("S-1", "active", True))
    assert not ProgramCourseEnrollment.objects.get().course_staff_given

    world.write_program(("S-1", "canceled"), cascade=True)

    assert CourseAccessRole.objects.get().user == user
    assert not ProgramCourseEnrollment.objects.get().course_staff
    assert story("course_staff")[-1] == ("true", "false")


def test_roles_of_other_programs_are_not_touched(world: World) -> None:
    curriculum = CurriculumFactory(program__school=world.school)
    other: CourseRun = CourseRunFactory(curricula=[curriculum])
    world.write_program(("S-1", "enrolled"))
    world.write_program(("S-1", "enrolled"), program=curriculum.program)
    world.sign_on("S-1")
    world.write_course(("S-1", "active", True), program=curriculum.program, course_run=other)

    world.write_program(("S-1", "canceled"), cascade=True)

    assert CourseAccessRole.objects.get().course_run_id == other.course_id
    assert ProgramCourseEnrollment.objects.get().course_staff_given


def test_a_role_that_another_program_asks_for_too_becomes_that_ones(world: World) -> None:
    curriculum = CurriculumFactory(program__school=world.school)
    world.course_run.curricula.add(curriculum)
    world.write_program(("S-1", "enrolled"))
    world.write_program(("S-1", "enrolled"), program=curriculum.program)
    user = world.sign_on("S-1")
    world.write_course(("S-1", "active", True))
    world.write_course(("S-1", "inactive", True), program=curriculum.program)

    world.write_program(("S-1", "canceled"), cascade=True)

    assert CourseAccessRole.objects.get().user == user
    heir = ProgramCourseEnrollment.objects.get(program=curriculum.program)
    left = ProgramCourseEnrollment.objects.get(program=world.program)
    assert (heir.course_staff, heir.course_staff_given) == (True, True)
    assert (left.course_staff, left.course_staff_given) == (False, False)

    world.write_program(("S-1", "canceled"), program=curriculum.program, cascade=True)
    assert not CourseAccessRole.objects.exists()


def test_a_role_that_another_school_asks_for_too_becomes_that_ones(world: World) -> None:
    school = SchoolFactory(key="uni-b")
    IdentityProviderFactory(school=school, slug="uni-b")
    curriculum = CurriculumFactory(program__school=school)
    world.course_run.curricula.add(curriculum)
    world.write_program(("S-1", "enrolled"))
    world.write_program(("B-1", "enrolled"), program=curriculum.program)
    user = world.sign_on("S-1")
    world.sign_on("B-1", user=user, slug="uni-b")
    world.write_course(("S-1", "active", True))
    world.write_course(("B-1", "inactive", True), program=curriculum.program)

    world.write_program(("S-1", "canceled"), cascade=True)

    assert CourseAccessRole.objects.get().user == user
    assert ProgramCourseEnrollment.objects.get(program=curriculum.program).course_staff_given


def test_a_role_that_the_host_keeps_costs_only_that_learners_row(world: World, settings: Settings) -> None:
    world.write_program(("S-1", "enrolled"), ("S-2", "enrolled"))
    staff, student = world.sign_on("S-1"), world.sign_on("S-2")
    world.write_course(("S-1", "active", True), ("S-2", "active"))
    use_host(settings, failing_hosts.NoRolesHost)

    words = world.write_program(("S-1", "ended"), ("S-2", "ended"), cascade=True)

    assert words == {"S-1": "internal-error", "S-2": "ended"}
    kept = ProgramCourseEnrollment.objects.get(learner__user=staff)
    assert (kept.status, kept.course_staff, kept.course_staff_given) == ("active", True, True)
    assert CourseEnrollment.objects.get(user=staff).is_active
    assert not CourseEnrollment.objects.get(user=student).is_active
    assert ProgramEnrollment.objects.get(learner__user=staff).status == "enrolled"
    assert story("course_staff") == [("false", "true")]


def test_a_heir_gets_nothing_from_a_learner_whom_the_host_refuses(world: World, settings: Settings) -> None:
    curriculum = CurriculumFactory(program__school=world.school)
    poisoned = CourseRunFactory(course_id="course-v1:Uni+poison+2026", curricula=[world.curriculum])
    world.course_run.curricula.add(curriculum)
    world.write_program(("S-1", "enrolled"))
    world.write_program(("S-1", "enrolled"), program=curriculum.program)
    world.sign_on("S-1", user=UserFactory())
    world.write_course(("S-1", "active", True))
    world.write_course(("S-1", "active"), course_run=poisoned)
    world.write_course(("S-1", "inactive", True), program=curriculum.program)
    use_host(settings, failing_hosts.PoisonedLeavingHost)

    assert world.write_program(("S-1", "ended"), cascade=True) == {"S-1": "internal-error"}

    given = dict(ProgramCourseEnrollment.objects.filter(course_staff=True).values_list("program", "course_staff_given"))
    assert given == {world.program.pk: True, curriculum.program_id: False}


def test_repeating_it_changes_nothing(world: World) -> None:
    world.write_program(("S-1", "enrolled"))
    world.sign_on("S-1")
    world.write_course(("S-1", "active", True))
    world.write_program(("S-1", "canceled"), cascade=True)
    entries = LedgerEntry.objects.count()
    modified = ProgramCourseEnrollment.objects.get().modified

    world.write_program(("S-1", "canceled"), cascade=True)

    assert LedgerEntry.objects.count() == entries
    assert ProgramCourseEnrollment.objects.get().modified == modified
