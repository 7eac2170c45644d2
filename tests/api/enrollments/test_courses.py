"""Writing course enrollments: every word, what the host is told, and whose seat is whose."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from demo_lms.models import CourseAccessRole, CourseEnrollment
from demo_lms.models import CourseRun as HostCourseRun
from program_enrollments import api
from program_enrollments.data import Origin, Source, Verb
from program_enrollments.models import (
    Curriculum,
    Learner,
    LedgerEntry,
    PreemptiveCourseEnrollment,
    Program,
    ProgramCourseEnrollment,
)
from tests.api.conftest import World
from tests.factories.enrollment import CurriculumFactory, IdentityProviderFactory, SchoolFactory


@pytest.fixture
def student(world: World) -> User:
    """S-1 has an account and is in the program; S-2 is in the program and has none."""
    world.write_program(("S-1", "enrolled"), ("S-2", "enrolled"))
    return world.sign_on("S-1")


@pytest.fixture
def second_program(world: World, student: User) -> Program:
    """Another program of the school with the same course run, and both students in it."""
    curriculum: Curriculum = CurriculumFactory(program__school=world.school)
    curriculum.course_runs.add(world.course_run)
    world.write_program(("S-1", "enrolled"), ("S-2", "enrolled"), program=curriculum.program)
    return curriculum.program


def seat(user: User) -> tuple[str, bool]:
    return CourseEnrollment.objects.values_list("mode", "is_active").get(user=user)


def is_staff(user: User) -> bool:
    return CourseAccessRole.objects.filter(user=user).exists()


class TestWords:
    def test_good_rows(self, world: World, student: User) -> None:
        assert world.write_course(("S-1", "active"), ("S-2", "inactive")) == {"S-1": "active", "S-2": "inactive"}
        assert ProgramCourseEnrollment.objects.get().status == "active"
        assert PreemptiveCourseEnrollment.objects.get().status == "inactive"

    def test_not_in_program(self, world: World, student: User) -> None:
        assert world.write_course(("S-9", "active")) == {"S-9": "not-in-program"}
        elsewhere = CurriculumFactory(program__school=world.school).program
        assert world.write_course(("S-1", "active"), program=elsewhere) == {"S-1": "not-in-program"}

    def test_unknown_status(self, world: World, student: User) -> None:
        assert world.write_course(("S-1", "enrolled")) == {"S-1": "invalid-status"}

    def test_unusable_identity(self, world: World, student: User) -> None:
        assert world.write_course(("x" * 256, "active")) == {"x" * 256: "invalid-identity"}

    def test_create_refuses_what_is_there(self, world: World, student: User) -> None:
        world.write_course(("S-1", "inactive"), ("S-2", "active"))
        rows = (("S-1", "active"), ("S-2", "active"))
        assert world.write_course(*rows, verb=Verb.CREATE) == {"S-1": "conflict", "S-2": "conflict"}

    def test_update_refuses_what_is_not_there(self, world: World, student: User) -> None:
        rows = (("S-1", "active"), ("S-2", "active"), ("S-3", "active"))
        assert world.write_course(*rows, verb=Verb.UPDATE) == {
            "S-1": "not-found",
            "S-2": "not-found",
            "S-3": "not-in-program",
        }

    def test_duplicated(self, world: World, student: User) -> None:
        assert world.write_course(("S-1", "active"), ("s-1", "nonsense")) == {"S-1": "duplicated", "s-1": "duplicated"}

    def test_active_through_one_program_at_a_time(self, world: World, second_program: Program) -> None:
        world.write_course(("S-1", "active"), ("S-2", "active"))
        rows = (("S-1", "active"), ("S-2", "active"))
        assert world.write_course(*rows, program=second_program) == {"S-1": "conflict", "S-2": "conflict"}
        assert world.write_course(("S-1", "inactive"), program=second_program) == {"S-1": "inactive"}

        world.write_course(("S-1", "inactive"))
        assert world.write_course(("S-1", "active"), program=second_program) == {"S-1": "active"}

    def test_what_the_host_refuses_is_an_internal_error_and_not_stored(self, world: World, student: User) -> None:
        HostCourseRun.objects.update(enrollment_closed=True)
        assert world.write_course(("S-1", "active"), ("S-2", "active")) == {"S-1": "internal-error", "S-2": "active"}
        assert not ProgramCourseEnrollment.objects.exists()
        assert LedgerEntry.objects.filter(course_run=world.course_run).count() == 1


class TestSeats:
    """The course status alone decides what the host is told."""

    @pytest.mark.parametrize("program_status", ["enrolled", "pending", "suspended", "canceled", "ended"])
    def test_whatever_the_program_status(self, world: World, student: User, program_status: str) -> None:
        world.write_program(("S-1", program_status))
        world.write_course(("S-1", "active"))
        assert seat(student) == ("masters", True)
        world.write_course(("S-1", "inactive"))
        assert seat(student) == ("masters", False)
        world.write_course(("S-1", "active"))
        assert seat(student) == ("masters", True)

    @pytest.mark.parametrize("mode", ["audit", "honor"])
    def test_a_free_seat_becomes_ours(self, world: World, student: User, mode: str) -> None:
        CourseEnrollment.objects.create(user=student, course_run_id=world.course_run.course_id, mode=mode)
        world.write_course(("S-1", "active"))
        assert seat(student) == ("masters", True)

    @pytest.mark.parametrize("was_active", [True, False])
    def test_a_paid_seat_stays_in_its_mode(self, world: World, student: User, was_active: bool) -> None:
        CourseEnrollment.objects.create(
            user=student, course_run_id=world.course_run.course_id, mode="verified", is_active=was_active
        )
        world.write_course(("S-1", "active"))
        assert seat(student) == ("verified", True)
        world.write_course(("S-1", "inactive"))
        assert seat(student) == ("verified", True)

    def test_an_audit_seat_is_not_ours_to_take(self, world: World, student: User) -> None:
        CourseEnrollment.objects.create(user=student, course_run_id=world.course_run.course_id, mode="audit")
        world.write_course(("S-1", "inactive"))
        assert seat(student) == ("audit", True)

    def test_writing_the_same_again_repairs_the_host_and_records_nothing(self, world: World, student: User) -> None:
        world.write_course(("S-1", "active"))
        entries = LedgerEntry.objects.count()
        CourseEnrollment.objects.update(is_active=False)
        assert world.write_course(("S-1", "active")) == {"S-1": "active"}
        assert seat(student) == ("masters", True)
        assert LedgerEntry.objects.count() == entries

    def test_inactive_through_one_program_keeps_the_seat_another_gives(
        self, world: World, student: User, second_program: Program
    ) -> None:
        world.write_course(("S-1", "active"))
        world.write_course(("S-1", "inactive"), program=second_program)
        assert seat(student) == ("masters", True)

    def test_inactive_at_one_school_keeps_the_seat_another_school_gives(self, world: World, student: User) -> None:
        other = CurriculumFactory(program__school=SchoolFactory(key="uni-b"))
        other.course_runs.add(world.course_run)
        IdentityProviderFactory(school=other.program.school, slug="uni-b")
        world.write_program(("B-7", "enrolled"), program=other.program)
        world.sign_on("B-7", user=student, slug="uni-b")
        world.write_course(("S-1", "active"))
        world.write_course(("B-7", "active"), program=other.program)

        world.write_course(("B-7", "inactive"), program=other.program)
        assert seat(student) == ("masters", True)
        world.write_course(("S-1", "inactive"))
        assert seat(student) == ("masters", False)


class TestCourseStaff:
    def test_granted_and_taken_back(self, world: World, student: User) -> None:
        world.write_course(("S-1", "active", True))
        assert is_staff(student)
        world.write_course(("S-1", "active"))
        assert is_staff(student), "left out means left as it is"
        world.write_course(("S-1", "inactive", False))
        assert not is_staff(student)

    def test_a_role_found_there_is_not_taken_back(self, world: World, student: User) -> None:
        CourseAccessRole.objects.create(user=student, course_run_id=world.course_run.course_id, role="staff")
        world.write_course(("S-1", "active", True))
        world.write_course(("S-1", "active", False))
        assert is_staff(student)

    def test_asking_again_repairs_the_host_and_keeps_the_role_ours(self, world: World, student: User) -> None:
        world.write_course(("S-1", "active", True))
        CourseAccessRole.objects.all().delete()
        world.write_course(("S-1", "active", True))
        assert is_staff(student)
        world.write_course(("S-1", "active", False))
        assert not is_staff(student)

    def test_a_promise_is_given_and_taken(self, world: World, student: User) -> None:
        world.write_course(("S-2", "active", True))
        assert PreemptiveCourseEnrollment.objects.get().course_staff
        world.write_course(("S-2", "active", False))
        assert not PreemptiveCourseEnrollment.objects.get().course_staff
        assert not is_staff(world.sign_on("S-2"))

    def test_a_role_asked_for_through_two_programs_goes_with_the_last(
        self, world: World, student: User, second_program: Program
    ) -> None:
        world.write_course(("S-1", "active", True))
        world.write_course(("S-1", "inactive", True), program=second_program)
        world.write_course(("S-1", "active", False))
        assert is_staff(student)
        world.write_course(("S-1", "inactive", False), program=second_program)
        assert not is_staff(student)

    def test_it_is_recorded(self, world: World, student: User) -> None:
        world.write_course(("S-1", "active", True))
        world.write_course(("S-1", "active", False))
        story = LedgerEntry.objects.filter(kind="course_staff").order_by("pk").values_list("before", "after")
        assert list(story) == [("false", "true"), ("true", "false")]


def test_a_refused_promise_of_a_linked_learner_becomes_real_when_written_again(world: World) -> None:
    world.write_program(("S-1", "enrolled"))
    world.write_course(("S-1", "active", True))
    HostCourseRun.objects.update(enrollment_closed=True)
    user = world.sign_on("S-1")
    assert world.write_course(("S-1", "active")) == {"S-1": "internal-error"}
    assert PreemptiveCourseEnrollment.objects.get().tries == 2

    HostCourseRun.objects.update(enrollment_closed=False)
    assert world.write_course(("S-1", "active")) == {"S-1": "active"}
    assert not PreemptiveCourseEnrollment.objects.exists()
    assert seat(user) == ("masters", True)
    assert is_staff(user)


def test_a_role_another_school_asks_for_stays_when_a_learner_is_unlinked(world: World) -> None:
    school = SchoolFactory(key="uni-b")
    provider = IdentityProviderFactory(school=school, slug="uni-b")
    other = CurriculumFactory(program__school=school)
    other.course_runs.add(world.course_run)
    world.write_program(("S-1", "enrolled"))
    world.write_program(("B-1", "enrolled"), program=other.program)
    user = world.sign_on("S-1")
    world.sign_on("B-1", user=user, slug=provider.slug)
    world.write_course(("S-1", "active", True))
    world.write_course(("B-1", "active", True), program=other.program)
    api.unlink_learner(learner_id=Learner.objects.get(student_key="S-1").pk, origin=Origin(source=Source.STAFF.value))
    assert CourseAccessRole.objects.filter(user=user).exists()
    assert ProgramCourseEnrollment.objects.get().course_staff_given, "the other school's is now ours to take back"
    world.write_course(("B-1", "active", False), program=other.program)
    assert not CourseAccessRole.objects.filter(user=user).exists()
