"""A SIS developer practises against a sandbox: everything answers as usual, and nothing of it reaches a person."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django.fixtures import Settings

from demo_lms.models import CourseEnrollment
from demo_lms.models.primary import rows_of
from program_enrollments import api
from program_enrollments.data import LinkHow, Origin, Permission, SignOnRefusal, Source
from program_enrollments.exceptions import LinkRefused, SignOnRefused
from program_enrollments.models import Contact, Learner, LedgerEntry, Mail, Program, School
from tests.factories.enrollment import IdentityProviderFactory, UserSocialAuthFactory
from tests.flows.people import Student, University
from tests.flows.test_a_nightly_snapshot import NightlyJob
from tests.invariants import find_violations
from tests.rest_api.callers import caller_granted

STAFF = Origin(source=Source.STAFF.value)


@pytest.fixture(autouse=True)
def _file_storage(settings: Settings, tmp_path: Path) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "program_enrollments": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path)},
        },
    }


class Practice(University):
    """A university's sandbox, beside it, with an identity provider and a SIS client of its own."""

    def __post_init__(self) -> None:
        make(self.slug.removesuffix("-sandbox"))
        self.school = School.objects.get(key=self.slug)
        self.sis = caller_granted(*Permission, school=self.school)
        IdentityProviderFactory(slug="uni-a-practice", school=self.school)


def make(school_key: str) -> None:
    call_command("make_sandbox", school_key, stdout=StringIO())


@pytest.fixture
def practice(uni_a: University) -> University:
    return Practice(f"{uni_a.slug}-sandbox", uni_a.on_commit)


def test_nobody_is_linked_whatever_happens(
    uni_a: University, practice: University, new_student: Callable[[], Student]
) -> None:
    program = uni_a.open_program()
    run = uni_a.open_course(program)
    make("uni-a")
    (copy,) = Program.objects.filter(school=practice.school)
    confirmed, later = new_student(), new_student()
    confirmed.sign_up("student", "student@uni-a.example")
    confirmed.follow_the_mailed_link()

    # Enrolled under a confirmed address, under an ID that signs on later, and in a course.
    practice.enroll(copy, {"email": "student@uni-a.example", "status": "enrolled"})
    words = practice.enroll(copy, {"student_key": "S-1", "status": "enrolled"})
    assert words == {"S-1": "enrolled"}
    assert practice.enroll(copy, {"student_key": "S-1", "status": "active"}, run=run) == {"S-1": "active"}
    # Completed by the address of an account.
    practice.enroll(copy, {"student_key": "S-2", "email": "second@uni-a.example", "status": "enrolled"})
    second = new_student()
    second.sign_up("second", "second@uni-a.example")
    second.follow_the_mailed_link()
    for student, remote_id in ((later, "S-1"), (confirmed, "S-3")):
        refused = student.browser.post("/dev/sign-in/", {"idp": "uni-a-practice", "remote_id": remote_id})
        assert refused.status_code == 400
        assert "for tests only" in refused.content.decode()
    assert api.sweep().found == 0

    assert not Learner.objects.filter(school=practice.school, user__isnull=False).exists()
    assert not Learner.objects.filter(school=practice.school, student_key="S-3").exists()
    assert not rows_of(CourseEnrollment).exists()
    assert not practice.students(copy)["S-1"]["account_exists"]
    assert practice.look_up(copy, "S-1")["link"]["state"] == "waiting"
    waiting = Learner.objects.get(school=practice.school, student_key="S-1")
    with pytest.raises(LinkRefused, match="for practice"):
        api.link_learner(learner_id=waiting.pk, user_id=confirmed.account.pk, origin=STAFF, how=LinkHow.STAFF)
    api.try_again(learner_ids=[waiting.pk], origin=STAFF)
    waiting.refresh_from_db()
    assert waiting.user_id is None
    assert find_violations() == []


def test_sign_ons_that_the_platform_took_itself_are_no_evidence(uni_a: University, practice: University) -> None:
    """A platform with a SAML set-up of its own may store what a sandbox's provider asserts."""
    uni_a.open_program()
    make("uni-a")
    (copy,) = Program.objects.filter(school=practice.school)
    practice.enroll(copy, {"student_key": "S-1", "status": "enrolled"})

    with uni_a.on_commit(execute=True):
        for remote_id in ("S-1", "S-2", "S-9"):
            UserSocialAuthFactory(uid=f"uni-a-practice:{remote_id}")
    practice.enroll(copy, {"student_key": "S-2", "status": "enrolled"})
    assert api.sweep().found == 0

    learners = Learner.objects.filter(school=practice.school)
    assert dict(learners.values_list("student_key", "user")) == {"S-1": None, "S-2": None}
    with pytest.raises(SignOnRefused) as refused:
        api.confirm_holder(provider="tpa-saml", uid="uni-a-practice:S-1", now=timezone.now())
    assert refused.value.code == SignOnRefusal.PROVIDER_TEST_ONLY


def test_the_real_school_goes_on_beside_it(
    uni_a: University, practice: University, new_student: Callable[[], Student]
) -> None:
    program = uni_a.open_program()
    run = uni_a.open_course(program)
    make("uni-a")
    (copy,) = Program.objects.filter(school=practice.school)
    for university, where in ((uni_a, program), (practice, copy)):
        university.enroll(where, {"student_key": "S-1", "status": "enrolled"})
        university.enroll(where, {"student_key": "S-1", "status": "active"}, run=run)

    student = new_student()
    student.sign_on("S-1")

    assert student.seat(run) == ("masters", True)
    assert uni_a.students(program)["S-1"]["account_exists"]
    assert not practice.students(copy)["S-1"]["account_exists"]


def test_nobody_is_mailed(uni_a: University, practice: University) -> None:
    uni_a.open_program()
    make("uni-a")
    (copy,) = Program.objects.filter(school=practice.school)
    Contact.objects.create(school=practice.school, email="it@uni-a.example", created_at=timezone.now())
    night = NightlyJob(practice, copy)
    night.send([f"A-{number}" for number in range(30)])
    held = night.send(["A-1"])
    assert held["state"] == "held"

    assert api.derive_mails(now=timezone.now()) == 0

    assert not Mail.objects.exists()
    assert mail.outbox == []


def test_what_was_practised_is_deleted_and_the_rest_stays(uni_a: University, practice: University) -> None:
    program = uni_a.open_program()
    run = uni_a.open_course(program)
    make("uni-a")
    (copy,) = Program.objects.filter(school=practice.school)
    uni_a.enroll(program, {"student_key": "S-1", "status": "enrolled"})
    night = NightlyJob(practice, copy)
    night.send([f"A-{number}" for number in range(30)])
    practice.enroll(copy, {"student_key": "A-1", "status": "active"}, run=run)
    frozen = practice.sis.post(
        f"programs/{copy.uuid}/courses/{run.course_id}/grades/freeze/", {"reason": "end of the term"}
    )
    assert frozen.status_code == 201
    assert night.send(["A-1"])["state"] == "held"
    before = practice.sis.get(f"programs/{copy.uuid}/changes/").json()["cursor"]

    out = StringIO()
    call_command("empty_sandbox", "uni-a-sandbox", stdout=out, stderr=StringIO())

    assert out.getvalue() == "Deleted: learners 30, files 2, entries of the ledger 31.\n"
    assert not practice.students(copy)
    assert practice.sis.get("jobs/").json()["results"] == []
    assert practice.sis.get(f"programs/{copy.uuid}/courses/{run.course_id}/grades/").json()["frozen"] is False
    assert uni_a.students(program).keys() == {"S-1"}
    assert LedgerEntry.objects.filter(program=program).exists()
    # A reader that kept its cursor sees what comes next, and only that.
    practice.enroll(copy, {"student_key": "B-1", "status": "enrolled"})
    changes = practice.sis.get(f"programs/{copy.uuid}/changes/", query={"after": before}).json()["results"]
    assert [one["student_key"] for one in changes] == ["B-1"]


@pytest.mark.usefixtures("practice")
def test_a_real_school_is_never_emptied(uni_a: University) -> None:
    program = uni_a.open_program()
    uni_a.enroll(program, {"student_key": "S-1", "status": "enrolled"})

    for key in ("uni-a", "nowhere"):
        with pytest.raises(CommandError):
            call_command("empty_sandbox", key, stderr=StringIO())
    with pytest.raises(CommandError, match="is not for practice"):
        call_command("make_sandbox", "uni-a", key="uni-a", stderr=StringIO())
    with pytest.raises(CommandError, match="for practice itself"):
        call_command("make_sandbox", "uni-a-sandbox", stderr=StringIO())

    assert uni_a.students(program).keys() == {"S-1"}


def test_an_emptying_waits_for_files(uni_a: University, practice: University) -> None:
    uni_a.open_program()
    make("uni-a")
    (copy,) = Program.objects.filter(school=practice.school)
    response = practice.sis.post(
        f"programs/{copy.uuid}/enrollments/upload/", b"student_key,status\nA-1,enrolled\n", content_type="text/csv"
    )
    assert response.status_code == 202

    with pytest.raises(CommandError, match="being worked on"):
        call_command("empty_sandbox", "uni-a-sandbox", stderr=StringIO())


def test_the_copy_follows_its_school(uni_a: University, practice: University) -> None:
    program = uni_a.open_program()
    make("uni-a")
    (copy,) = Program.objects.filter(school=practice.school)
    run = uni_a.open_course(program)
    out = StringIO()

    call_command("make_sandbox", "uni-a", stdout=out)

    assert "was there" in out.getvalue()
    assert Program.objects.get(school=practice.school) == copy
    assert copy.uuid != program.uuid
    assert (copy.key, copy.title) == (program.key, program.title)
    courses = practice.sis.get(f"programs/{copy.uuid}/courses/").json()["results"]
    assert [course["course_id"] for course in courses] == [run.course_id]
    run.refresh_from_db()
    assert run.title, "the course run itself is described by the catalog alone"
