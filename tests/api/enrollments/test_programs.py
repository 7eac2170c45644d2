"""Writing program enrollments: every word of the contract, and that what is refused is not written."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from pytest_django import Settings

from demo_lms.models import CourseEnrollment
from demo_lms.models import CourseRun as HostCourseRun
from program_enrollments import api
from program_enrollments.api.enrollments import programs
from program_enrollments.api.enrollments.pipeline import Held
from program_enrollments.api.enrollments.rows import ProgramRow
from program_enrollments.data import ProgramEnrollmentRequest, Verb
from program_enrollments.exceptions import TooManyRows
from program_enrollments.models import (
    Curriculum,
    Learner,
    LedgerEntry,
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
    ProgramCourseEnrollment,
    ProgramEnrollment,
)
from tests.api.conftest import ORIGIN, World, words
from tests.factories.enrollment import CurriculumFactory, SchoolEmailDomainFactory
from tests.factories.host import UserFactory


def write(world: World, *rows: ProgramEnrollmentRequest, verb: Verb = Verb.UPSERT, **options: Any) -> dict[str, str]:
    return words(api.write_program_enrollments(program=world.program, rows=rows, verb=verb, origin=ORIGIN, **options))


def both(student_key: str, email: str, status: str = "enrolled") -> ProgramEnrollmentRequest:
    return ProgramEnrollmentRequest(student_key, student_key, email, status)


def status_of(student_key: str) -> str:
    return PreemptiveProgramEnrollment.objects.get(learner__student_key=student_key).status


class TestVerbs:
    def test_create_makes_and_refuses_what_is_there(self, world: World) -> None:
        assert world.write_program(("S-1", "enrolled"), verb=Verb.CREATE) == {"S-1": "enrolled"}
        assert world.write_program(("s-1 ", "pending"), verb=Verb.CREATE) == {"s-1 ": "conflict"}
        assert status_of("S-1") == "enrolled"

    def test_update_changes_and_refuses_what_is_not_there(self, world: World) -> None:
        assert world.write_program(("S-1", "pending"), verb=Verb.UPDATE) == {"S-1": "not-in-program"}
        assert not Learner.objects.exists(), "an update makes no learner"
        world.write_program(("S-1", "enrolled"))
        assert world.write_program(("S-1", "pending"), verb=Verb.UPDATE) == {"S-1": "pending"}
        assert status_of("S-1") == "pending"

    def test_upsert_does_either(self, world: World) -> None:
        world.write_program(("S-1", "enrolled"))
        assert world.write_program(("S-1", "ended"), ("S-2", "enrolled")) == {"S-1": "ended", "S-2": "enrolled"}

    def test_real_enrollments_are_changed_alike(self, world: World) -> None:
        world.sign_on("S-1")
        world.write_program(("S-1", "enrolled"))
        assert world.write_program(("S-1", "suspended"), verb=Verb.UPDATE) == {"S-1": "suspended"}
        assert ProgramEnrollment.objects.get().status == "suspended"
        assert world.write_program(("S-1", "enrolled"), verb=Verb.CREATE) == {"S-1": "conflict"}


class TestWords:
    def test_unknown_status(self, world: World) -> None:
        assert world.write_program(("S-1", "graduated")) == {"S-1": "invalid-status"}
        assert not Learner.objects.exists()

    @pytest.mark.parametrize(
        "identity", ["x" * 256, "ß" * 128, "ﷺ" * 20, "not an address@", "a@b", "x" * 250 + "@uni.example"]
    )
    def test_unusable_identity(self, world: World, identity: str) -> None:
        assert world.write_program((identity, "enrolled")) == {identity: "invalid-identity"}
        assert not Learner.objects.exists()

    def test_longest_identity(self, world: World) -> None:
        assert world.write_program(("é" * 255, "enrolled")) == {"é" * 255: "enrolled"}

    def test_address_outside_the_schools_domains(self, world: World) -> None:
        SchoolEmailDomainFactory(school=world.school, domain="Uni-A.example")
        assert world.write_program(
            ("a@mail.example", "enrolled"),
            ("a@uni-a.example", "enrolled"),
            ("a@mail.UNI-A.example", "enrolled"),
            ("a@evil-uni-a.example", "enrolled"),
        ) == {
            "a@mail.example": "invalid-identity",
            "a@uni-a.example": "enrolled",
            "a@mail.UNI-A.example": "enrolled",
            "a@evil-uni-a.example": "invalid-identity",
        }

    def test_two_rows_of_one_learner_are_both_refused(self, world: World) -> None:
        assert world.write_program(("S-1", "enrolled"), (" s-1", "pending"), ("S-2", "enrolled")) == {
            "S-1": "duplicated",
            " s-1": "duplicated",
            "S-2": "enrolled",
        }

    def test_two_rows_of_one_learner_by_id_and_by_stored_address(self, world: World) -> None:
        write(world, both("S-1", "a@uni-a.example"))
        assert world.write_program(("S-1", "pending"), ("A@uni-a.example", "ended"), ("S-2", "enrolled")) == {
            "S-1": "duplicated",
            "A@uni-a.example": "duplicated",
            "S-2": "enrolled",
        }
        assert status_of("S-1") == "enrolled"

    def test_two_rows_with_one_address(self, world: World) -> None:
        outcome = write(world, both("S-1", "a@uni-a.example"), both("S-2", "A@uni-a.example"))
        assert set(outcome.values()) == {"duplicated"}

    def test_rows_sharing_an_answer_key(self, world: World) -> None:
        rows = [
            ProgramEnrollmentRequest("a@x.example", "a@x.example", "", "enrolled"),
            ProgramEnrollmentRequest("a@x.example", "", "a@x.example", "enrolled"),
        ]
        assert write(world, *rows) == {"a@x.example": "duplicated"}

    def test_duplicated_comes_before_any_other_word(self, world: World) -> None:
        assert world.write_program(("S-1", "nonsense"), ("S-1 ", "nonsense")) == {
            "S-1": "duplicated",
            "S-1 ": "duplicated",
        }

    def test_curriculum_of_another_program(self, world: World) -> None:
        other = CurriculumFactory(program__school=world.school)
        row = ProgramEnrollmentRequest("S-1", "S-1", "", "enrolled", other.uuid)
        assert write(world, row) == {"S-1": "invalid-curriculum"}
        assert write(world, row._replace(curriculum_uuid=uuid.uuid4())) == {"S-1": "invalid-curriculum"}
        assert write(world, row._replace(curriculum_uuid=world.curriculum.uuid)) == {"S-1": "enrolled"}

    def test_curriculum_left_out_where_two_are_active(self, world: World) -> None:
        second = CurriculumFactory(program=world.program)
        assert world.write_program(("S-1", "enrolled")) == {"S-1": "invalid-curriculum"}
        second.is_active = False
        second.save()
        assert world.write_program(("S-1", "enrolled")) == {"S-1": "enrolled"}

    def test_too_many_rows(self, world: World, settings: Settings) -> None:
        settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "MAX_ROWS": 2}
        with pytest.raises(TooManyRows) as caught:
            world.write_program(("S-1", "enrolled"), ("S-2", "enrolled"), ("S-3", "enrolled"))
        assert caught.value.extra == {"limit": 2, "received": 3}
        assert not Learner.objects.exists()


class TestIdentities:
    def test_an_address_is_added_to_a_known_id(self, world: World) -> None:
        world.write_program(("S-1", "enrolled"))
        assert write(world, both("S-1", "a@uni-a.example")) == {"S-1": "enrolled"}
        assert Learner.objects.get().email == "a@uni-a.example"

    def test_an_id_is_added_to_a_known_address(self, world: World) -> None:
        world.write_program(("a@uni-a.example", "enrolled"))
        assert write(world, both("S-1", "a@uni-a.example", "pending")) == {"S-1": "pending"}
        learner = Learner.objects.get()
        assert (learner.student_key, learner.email) == ("S-1", "a@uni-a.example")
        assert status_of("S-1") == "pending"

    def test_another_address_replaces_the_known_one(self, world: World) -> None:
        write(world, both("S-1", "a@uni-a.example"))
        write(world, both("S-1", "b@uni-a.example"))
        assert Learner.objects.get().email_normalized == "b@uni-a.example"

    def test_the_address_a_learner_was_linked_by_stays(self, world: World) -> None:
        write(world, both("S-1", "a@uni-a.example"))
        world.confirm_email(UserFactory(), "a@uni-a.example")
        assert write(world, both("S-1", "b@uni-a.example")) == {"S-1": "invalid-identity"}
        assert Learner.objects.get().email == "a@uni-a.example"

    def test_id_and_address_of_two_learners(self, world: World) -> None:
        world.write_program(("S-1", "enrolled"), ("a@uni-a.example", "enrolled"))
        assert write(world, both("S-1", "a@uni-a.example", "ended")) == {"S-1": "invalid-identity"}
        assert write(world, both("S-2", "a@uni-a.example")) == {"S-2": "enrolled"}, "the address had no ID so far"
        assert write(world, both("S-3", "a@uni-a.example")) == {"S-3": "invalid-identity"}

    def test_who_is_listed_under_an_address_can_be_written_back_under_it(self, world: World) -> None:
        world.write_program(("a@uni-a.example", "enrolled"))
        row = ProgramEnrollmentRequest("A@uni-a.example", "A@uni-a.example", "", "pending")
        assert write(world, row) == {"A@uni-a.example": "pending"}
        assert Learner.objects.count() == 1
        rows = [row, ProgramEnrollmentRequest("a@uni-a.example", "", "a@uni-a.example", "ended")]
        assert set(write(world, *rows).values()) == {"duplicated"}

    def test_a_student_id_may_look_like_an_address(self, world: World) -> None:
        row = ProgramEnrollmentRequest("id@1", "id@1", "", "enrolled")
        assert write(world, row) == {"id@1": "enrolled"}
        assert write(world, both("id@1", "b@uni-a.example", "pending")) == {"id@1": "pending"}
        learner = Learner.objects.get()
        assert (learner.student_key, learner.email) == ("id@1", "b@uni-a.example")

    def test_a_refused_row_leaves_the_identity_alone(self, world: World) -> None:
        world.write_program(("S-1", "enrolled"))
        assert write(world, both("S-1", "a@uni-a.example"), verb=Verb.CREATE) == {"S-1": "conflict"}
        assert Learner.objects.get().email == ""

    def test_an_address_added_to_a_waiting_learner_can_bring_the_account(self, world: World) -> None:
        world.write_program(("S-1", "enrolled"))
        world.write_course(("S-1", "active"))
        user = UserFactory()
        world.confirm_email(user, "a@uni-a.example")

        assert write(world, both("S-1", "a@uni-a.example", "pending")) == {"S-1": "pending"}

        assert ProgramEnrollment.objects.get().learner.user == user
        assert ProgramEnrollment.objects.get().status == "pending"
        assert ProgramCourseEnrollment.objects.get().status == "active"
        assert not PreemptiveProgramEnrollment.objects.exists()

    def test_an_address_whose_account_already_is_a_learner_by_sign_on_completes_that_one(self, world: World) -> None:
        user = world.sign_on("S-1")
        world.confirm_email(user, "a@uni-a.example")
        assert world.write_program(("a@uni-a.example", "enrolled")) == {"a@uni-a.example": "enrolled"}
        learner = Learner.objects.get()
        assert (learner.student_key, learner.email, learner.user) == ("S-1", "a@uni-a.example", user)
        assert ProgramEnrollment.objects.get().learner == learner


class TestRecording:
    def test_writing_the_same_again_records_nothing(self, world: World) -> None:
        world.write_program(("S-1", "enrolled"))
        modified = PreemptiveProgramEnrollment.objects.get().modified
        world.write_program(("S-1", "enrolled"))
        assert LedgerEntry.objects.count() == 1
        assert PreemptiveProgramEnrollment.objects.get().modified == modified

    def test_a_change_says_from_what_to_what_and_whose_request_it_was(self, world: World) -> None:
        world.write_program(("S-1", "enrolled"))
        world.write_program(("S-1", "suspended"))
        entry = LedgerEntry.objects.get(before="enrolled")
        assert (entry.after, entry.source, entry.request_id) == ("suspended", "api", "request-1")
        assert entry.program_id == world.program.pk


class TestCurriculaOfEnrollmentsThatExist:
    """In a program with two active curricula, or with none, an enrollment that exists has its curriculum already."""

    @pytest.fixture(params=["two", "none"])
    def unclear(self, request: pytest.FixtureRequest, world: World) -> World:
        write(world, ProgramEnrollmentRequest("S-1", "S-1", "", "enrolled", world.curriculum.uuid))
        if request.param == "two":
            CurriculumFactory(program=world.program)
        else:
            Curriculum.objects.update(is_active=False)
        return world

    @pytest.mark.parametrize("verb", [Verb.UPDATE, Verb.UPSERT])
    @pytest.mark.parametrize("move_curriculum", [True, False])
    def test_it_may_be_left_out(self, unclear: World, verb: Verb, move_curriculum: bool) -> None:
        row = ProgramEnrollmentRequest("S-1", "S-1", "", "canceled")
        for status in ("canceled", "canceled", "enrolled"):
            again = row._replace(status=status)
            assert write(unclear, again, verb=verb, move_curriculum=move_curriculum) == {"S-1": status}
            assert status_of("S-1") == status
        assert PreemptiveProgramEnrollment.objects.get().curriculum == unclear.curriculum

    def test_creating_is_a_conflict_and_a_new_enrollment_needs_one(self, unclear: World) -> None:
        row = ProgramEnrollmentRequest("S-1", "S-1", "", "enrolled")
        new = ProgramEnrollmentRequest("S-2", "S-2", "", "enrolled")
        assert write(unclear, row, verb=Verb.CREATE) == {"S-1": "conflict"}
        for verb in (Verb.CREATE, Verb.UPSERT):
            assert write(unclear, new, verb=verb) == {"S-2": "invalid-curriculum"}
        assert write(unclear, new, verb=Verb.UPDATE) == {"S-2": "not-in-program"}

    def test_an_update_does_not_read_it_unless_it_may_move(self, unclear: World) -> None:
        row = ProgramEnrollmentRequest("S-1", "S-1", "", "canceled", uuid.uuid4())
        assert write(unclear, row, verb=Verb.UPDATE) == {"S-1": "canceled"}
        assert write(unclear, row, verb=Verb.UPDATE, move_curriculum=True) == {"S-1": "invalid-curriculum"}
        assert write(unclear, row, verb=Verb.UPSERT) == {"S-1": "invalid-curriculum"}
        stranger = row._replace(key="S-2", student_key="S-2")
        assert write(unclear, stranger, verb=Verb.UPDATE) == {"S-2": "not-in-program"}
        assert write(unclear, stranger, verb=Verb.UPDATE, move_curriculum=True) == {"S-2": "invalid-curriculum"}

    def test_one_that_is_checked_does_not_move_it(self, unclear: World) -> None:
        other = CurriculumFactory(program=unclear.program)
        row = ProgramEnrollmentRequest("S-1", "S-1", "", "canceled", other.uuid)
        assert write(unclear, row, verb=Verb.UPSERT) == {"S-1": "canceled"}
        assert PreemptiveProgramEnrollment.objects.get().curriculum == unclear.curriculum


class TestMovingCurricula:
    def test_the_curriculum_of_an_enrollment_stays_unless_moving_is_asked(self, world: World) -> None:
        world.write_program(("S-1", "enrolled"))
        other = CurriculumFactory(program=world.program)
        row = ProgramEnrollmentRequest("S-1", "S-1", "", "enrolled", other.uuid)

        assert write(world, row) == {"S-1": "enrolled"}
        assert PreemptiveProgramEnrollment.objects.get().curriculum == world.curriculum

        assert write(world, row, move_curriculum=True) == {"S-1": "enrolled"}
        assert PreemptiveProgramEnrollment.objects.get().curriculum == other
        entry = LedgerEntry.objects.get(kind="program_curriculum")
        assert (entry.before, entry.after) == (str(world.curriculum.uuid), str(other.uuid))


class TestCascading:
    @pytest.fixture
    def active(self, world: World) -> World:
        world.write_program(("S-1", "enrolled"), ("S-2", "enrolled"))
        world.write_course(("S-1", "active"), ("S-2", "active"))
        world.sign_on("S-1")
        return world

    def test_a_status_alone_leaves_course_enrollments_alone(self, active: World) -> None:
        active.write_program(("S-1", "canceled"), ("S-2", "canceled"))
        assert ProgramCourseEnrollment.objects.get().status == "active"
        assert PreemptiveCourseEnrollment.objects.get().status == "active"
        assert CourseEnrollment.objects.get().is_active

    def test_cascade_takes_course_enrollments_and_seats_along(self, active: World) -> None:
        active.write_program(("S-1", "canceled"), ("S-2", "canceled"), cascade=True)
        assert ProgramCourseEnrollment.objects.get().status == "inactive"
        assert PreemptiveCourseEnrollment.objects.get().status == "inactive"
        assert not CourseEnrollment.objects.get().is_active

    @pytest.mark.parametrize("status", ["enrolled", "pending"])
    def test_other_statuses_cascade_to_nothing(self, active: World, status: str) -> None:
        active.write_program(("S-1", status), ("S-2", status), cascade=True)
        assert ProgramCourseEnrollment.objects.get().status == "active"
        assert PreemptiveCourseEnrollment.objects.get().status == "active"

    def test_a_seat_the_host_keeps_refuses_its_row_alone(self, active: World) -> None:
        HostCourseRun.objects.all().delete()
        assert active.write_program(("S-1", "canceled"), ("S-2", "canceled"), cascade=True) == {
            "S-1": "canceled",
            "S-2": "canceled",
        }, "without a seat there is nothing to give up"


def test_a_row_that_breaks_alone_is_an_internal_error_and_the_others_go_through(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = programs.ProgramWrite.apply

    def breaking(self: programs.ProgramWrite, rows: list[ProgramRow], held: Held) -> object:
        changes = original(self, rows, held)
        if any(row.request.key == "S-3" for row in rows):
            raise RuntimeError("the database was struck by lightning")
        return changes

    monkeypatch.setattr(programs.ProgramWrite, "apply", breaking)
    rows = [(f"S-{number}", "enrolled") for number in range(8)]
    assert world.write_program(*rows) == {key: "internal-error" if key == "S-3" else status for key, status in rows}
    assert set(Learner.objects.values_list("student_key", flat=True)) == {key for key, _ in rows} - {"S-3"}
