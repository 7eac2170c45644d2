"""Taking over the enrollments of the platform's own app, and comparing the two until the switch."""

import csv
import io
import uuid

import pytest
from accounts_and_runs import make_account, make_run
from common.djangoapps.student.models import CourseEnrollment
from common.djangoapps.student.signals import ENROLL_STATUS_CHANGE
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from lms.djangoapps.program_enrollments.models import (
    CourseAccessRoleAssignment,
    ProgramCourseEnrollment,
    ProgramEnrollment,
)
from opaque_keys.edx.keys import CourseKey
from social_django.models import UserSocialAuth

from program_enrollments import models as ours
from program_enrollments.host.openedx.built_in_app import read_pages

pytestmark = pytest.mark.django_db(transaction=True)


class World:
    """A school with a program in two curricula and one course run, here and in the platform's own app."""

    def __init__(self):
        self.school = ours.School.objects.create(key="uni", name="University")
        ours.IdentityProvider.objects.create(school=self.school, slug="uni-idp", name="University")
        self.program = ours.Program.objects.create(
            uuid=uuid.uuid4(), school=self.school, key="mcs", title="MCS", type="Masters"
        )
        self.old, self.new = (
            ours.Curriculum.objects.create(uuid=uuid.uuid4(), program=self.program, name=name, is_active=True)
            for name in ("2025", "2026")
        )
        self.course = self.add_run()

    def add_run(self, *, in_catalog=True):
        course = make_run("masters", "verified")
        if in_catalog:
            run = ours.CourseRun.objects.create(course_id=course, title="Course")
            self.new.course_runs.add(run)
        return course

    def enroll(self, key, *, user=None, status="enrolled", curriculum=None, program_uuid=None):
        return ProgramEnrollment.objects.create(
            external_user_key=key,
            user=user,
            program_uuid=program_uuid or self.program.uuid,
            curriculum_uuid=(curriculum or self.new).uuid,
            status=status,
        )

    def enroll_in_course(self, enrollment, *, course=None, status="active", seat=None):
        return ProgramCourseEnrollment.objects.create(
            program_enrollment=enrollment,
            course_key=CourseKey.from_string(course or self.course),
            course_enrollment=seat,
            status=status,
        )

    def stored(self):
        """(student ID, user ID, curriculum, status, whether it waits) of all program enrollments here."""
        return {
            (row.learner.student_key, row.learner.user_id, row.curriculum.name, row.status, waits)
            for model, waits in ((ours.ProgramEnrollment, False), (ours.PreemptiveProgramEnrollment, True))
            for row in model.objects.select_related("learner", "curriculum")
        }

    def stored_courses(self):
        return {
            (row.learner.student_key, row.course_run.course_id, row.status, waits)
            for model, waits in ((ours.ProgramCourseEnrollment, False), (ours.PreemptiveCourseEnrollment, True))
            for row in model.objects.select_related("learner", "course_run")
        }


@pytest.fixture
def world():
    return World()


def take_over(tmp_path, **options):
    """Run the command; return what it printed, the lines (table, ID, what) of its report, and whether it succeeded."""
    printed, report = io.StringIO(), tmp_path / "report.csv"
    try:
        call_command("import_platform_enrollments", report=report, stdout=printed, **options)
        fine = True
    except CommandError as error:
        printed.write(str(error))
        fine = False
    with report.open(newline="", encoding="utf-8") as file:
        lines = [(line["table"].rpartition("_")[2], int(line["id"]), line["what"]) for line in csv.DictReader(file)]
    return printed.getvalue(), lines, fine


def problems(lines):
    return {line for line in lines if line[2] != "differs"}


def test_who_waits_is_taken_over_as_a_promise_with_a_promised_role(world, tmp_path):
    enrollment = world.enroll("S-1")
    course = world.enroll_in_course(enrollment)
    CourseAccessRoleAssignment.objects.create(role="staff", enrollment=course)

    printed, _, fine = take_over(tmp_path)

    assert fine, printed
    assert world.stored() == {("S-1", None, "2026", "enrolled", True)}
    assert world.stored_courses() == {("S-1", world.course, "active", True)}
    assert ours.PreemptiveCourseEnrollment.objects.get().course_staff
    assert not CourseEnrollment.objects.exists()


@pytest.mark.parametrize("signed_on", [True, False])
def test_who_has_an_account_is_linked_to_it_and_keeps_the_seat(world, tmp_path, signed_on):
    user = make_account()
    if signed_on:
        UserSocialAuth.objects.create(user=user, provider="tpa-saml", uid="uni-idp:S-1")
    seat = CourseEnrollment.enroll(user, CourseKey.from_string(world.course), mode="masters")
    world.enroll_in_course(world.enroll("S-1", user=user), seat=seat)
    told = []
    ENROLL_STATUS_CHANGE.connect(listener := (lambda **kwargs: told.append(kwargs["event"])), weak=False)

    printed, _, fine = take_over(tmp_path)

    ENROLL_STATUS_CHANGE.disconnect(listener)
    assert fine, printed
    assert world.stored() == {("S-1", user.pk, "2026", "enrolled", False)}
    assert world.stored_courses() == {("S-1", world.course, "active", False)}
    assert told == []
    how = ours.Learner.objects.get().link_how
    assert how == ("sso" if signed_on else "command")


def test_a_course_enrollment_without_seat_gets_one_and_a_paid_seat_is_left_alone(world, tmp_path):
    seatless, payer = make_account(), make_account()
    CourseEnrollment.enroll(payer, CourseKey.from_string(world.course), mode="verified")
    for key, user in (("S-1", seatless), ("S-2", payer)):
        world.enroll_in_course(world.enroll(key, user=user))

    assert take_over(tmp_path)[2]

    assert set(CourseEnrollment.objects.values_list("user", "mode", "is_active")) == {
        (seatless.pk, "masters", True),
        (payer.pk, "verified", True),
    }


def test_an_account_without_student_id_is_known_by_its_sign_on_or_its_address(world, tmp_path):
    by_id, by_address, by_nothing = make_account(), make_account(email="ann@uni.example"), make_account()
    UserSocialAuth.objects.create(user=by_id, provider="tpa-saml", uid="uni-idp:S:7")
    for user in (by_id, by_address):
        world.enroll(None, user=user)
    nothing = world.enroll(None, user=by_nothing)

    _, lines, fine = take_over(tmp_path)

    assert not fine
    assert {(row[0], row[1]) for row in world.stored()} == {("S:7", by_id.pk), ("", by_address.pk)}
    assert problems(lines) == {("programenrollment", nothing.pk, "no-identity")}


def test_what_cannot_be_taken_over_is_named_with_the_reason_and_the_rest_is_taken(world, tmp_path):
    good = world.enroll("S-1")
    unknown_run = world.enroll_in_course(good, course=world.add_run(in_catalog=False))
    known_run = world.enroll_in_course(good)
    nobody = world.enroll(None)
    retired = world.enroll("retired_external_key_0123")
    elsewhere = world.enroll("S-2", program_uuid=uuid.uuid4())
    too_long = world.enroll("x" * 250 + "\ufb03\ufb03\ufb03")
    other, user = make_account(), make_account()
    ours.Learner.objects.create(school=world.school, student_key="S-3", user=other, link_how="staff")
    taken_account = world.enroll("S-3", user=user)

    printed, lines, fine = take_over(tmp_path)

    assert not fine
    assert problems(lines) == {
        ("programcourseenrollment", unknown_run.pk, "run-unknown"),
        ("programenrollment", nobody.pk, "nobody"),
        ("programenrollment", retired.pk, "retired"),
        ("programenrollment", elsewhere.pk, "program-unknown"),
        ("programenrollment", too_long.pk, "invalid-identity"),
        ("programenrollment", taken_account.pk, "other-account"),
    }
    assert "S-3" not in printed
    assert ("S-1", world.course, "active", True) in world.stored_courses()
    assert ("S-3", other.pk, "2026", "enrolled", False) in world.stored()
    assert known_run.pk


@pytest.mark.parametrize("size", [1, 2, 500])
def test_a_person_in_two_curricula_is_in_the_program_once_by_the_row_that_counts(world, tmp_path, size):
    user = make_account()
    left = world.enroll("s-1", curriculum=world.old, status="canceled")
    present = world.enroll("S-1", user=user)
    bare = world.enroll(None, user=user, curriculum=world.old, status="ended")
    only_there = world.add_run()
    world.enroll_in_course(left, status="inactive")
    world.enroll_in_course(left, course=only_there)
    world.enroll_in_course(present)

    for _time in range(2):
        _, lines, fine = take_over(tmp_path, size=size)

        assert not fine
        assert problems(lines) == {("programenrollment", row.pk, "second-curriculum") for row in (left, bare)}
        assert world.stored() == {("S-1", user.pk, "2026", "enrolled", False)}
        assert world.stored_courses() == {
            ("S-1", world.course, "active", False),
            ("S-1", only_there, "active", False),
        }


@pytest.mark.parametrize("size", [1, 500])
def test_rows_of_a_person_are_found_by_student_id_and_by_account_in_turn(world, tmp_path, size):
    user = make_account()
    counting = world.enroll(None, user=user)
    by_account = world.enroll("S-1", user=user, curriculum=world.old, status="ended")
    by_id = world.enroll("s-1", status="canceled")
    world.enroll_in_course(by_id)

    _, lines, _ = take_over(tmp_path, size=size)

    # The spelling is that of the row with an ID that was changed last.
    assert problems(lines) == {("programenrollment", row.pk, "second-curriculum") for row in (by_account, by_id)}
    assert world.stored() == {("s-1", user.pk, "2026", "enrolled", False)}
    assert world.stored_courses() == {("s-1", world.course, "active", False)}
    assert counting.pk


def test_twice_is_once_and_what_changes_there_changes_here(world, tmp_path):
    user = make_account()
    rows = [world.enroll("S-1"), world.enroll("S-2", user=user)]
    courses = [world.enroll_in_course(row) for row in rows]
    take_over(tmp_path)
    entries = ours.LedgerEntry.objects.count()

    printed, lines, fine = take_over(tmp_path)

    assert fine
    assert lines == []
    assert ours.LedgerEntry.objects.count() == entries
    assert "Program enrollments: 0 were written, 2 are here already." in printed

    ProgramEnrollment.objects.filter(pk=rows[0].pk).update(status="suspended")
    ProgramCourseEnrollment.objects.filter(pk=courses[1].pk).update(status="inactive")
    _, lines, _ = take_over(tmp_path)

    assert lines == [
        ("programenrollment", rows[0].pk, "differs"),
        ("programcourseenrollment", courses[1].pk, "differs"),
    ]
    assert ("S-1", None, "2026", "suspended", True) in world.stored()
    assert CourseEnrollment.objects.get(user=user).is_active is False


def test_a_dry_run_shows_all_that_would_be_done_and_does_nothing(world, tmp_path):
    user = make_account()
    rows = [world.enroll("S-1"), world.enroll("S-2", user=user)]
    courses = [world.enroll_in_course(row) for row in rows]
    told = []
    ENROLL_STATUS_CHANGE.connect(listener := (lambda **kwargs: told.append(kwargs["event"])), weak=False)

    printed, lines, fine = take_over(tmp_path, dry_run=True)

    ENROLL_STATUS_CHANGE.disconnect(listener)
    assert fine, printed
    assert "Program enrollments: 2 would be written, 0 are here already." in printed
    assert "Course enrollments: 2 would be written, 0 are here already." in printed
    assert "Learners would be linked to their accounts: 1." in printed
    assert set(lines) == {("programenrollment", row.pk, "differs") for row in rows} | {
        ("programcourseenrollment", course.pk, "differs") for course in courses
    }
    assert (told, world.stored(), world.stored_courses()) == ([], set(), set())
    for model in (ours.Learner, ours.LedgerEntry, CourseEnrollment):
        assert not model.objects.exists()


def test_it_goes_on_behind_an_id(world, tmp_path):
    first, second = world.enroll("S-1"), world.enroll("S-2")

    assert take_over(tmp_path, after=first.pk)[2]

    assert {row[0] for row in world.stored()} == {"S-2"}
    assert second.pk > first.pk


def test_a_page_costs_the_same_however_many_rows_it_has(world):
    for number in range(40):
        world.enroll_in_course(world.enroll(f"S-{number}"))

    def statements(size):
        with CaptureQueriesContext(connection) as captured:
            next(read_pages(size=size))
        return len(captured)

    assert statements(1) == statements(40) <= 7


def test_both_ways_shows_what_is_only_here_whatever_the_page(world, tmp_path):
    user = make_account()
    UserSocialAuth.objects.create(user=user, provider="tpa-saml", uid="uni-idp:S-2")
    there = [world.enroll("S-1"), world.enroll(None, user=user)]
    world.enroll_in_course(there[0])
    take_over(tmp_path)
    assert take_over(tmp_path, dry_run=True, both_ways=True)[1] == []
    school, program = world.school, world.program
    new = ours.Learner.objects.create(school=school, student_key="S-9")
    program_row, course_row = (
        model.objects.create(program=program, learner=learner, **more)
        for model, learner, more in (
            (ours.PreemptiveProgramEnrollment, new, {"curriculum": world.new, "status": "enrolled"}),
            (
                ours.PreemptiveCourseEnrollment,
                new,
                {"course_run": ours.CourseRun.objects.get(course_id=world.course), "status": "active"},
            ),
        )
    )

    for size in (1, 500):
        printed, lines, fine = take_over(tmp_path, dry_run=True, both_ways=True, size=size)

        assert fine
        assert lines == [
            ("preemptiveprogramenrollment", program_row.pk, "only-here"),
            ("preemptivecourseenrollment", course_row.pk, "only-here"),
        ]
        assert "Here and not there: 2." in printed
    assert take_over(tmp_path, dry_run=True)[1] == [], "only if asked for"


def test_a_row_in_another_spelling_curriculum_or_status_is_there(world, tmp_path):
    world.enroll("S-1", curriculum=world.old, status="canceled")
    learner = ours.Learner.objects.create(school=world.school, student_key=" s-1 ")
    ours.PreemptiveProgramEnrollment.objects.create(
        program=world.program, learner=learner, curriculum=world.new, status="enrolled"
    )

    lines = take_over(tmp_path, dry_run=True, both_ways=True)[1]

    assert [what for *_, what in lines] == ["differs"]
