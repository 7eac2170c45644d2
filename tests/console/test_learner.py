"""One learner: in a sentence, what to do, and what happened."""

from __future__ import annotations

from django.utils import timezone

from program_enrollments.models import KeptEnrollment, Learner, School
from tests.console.conftest import Desk, enroll, learner_id
from tests.factories.enrollment import (
    LearnerFactory,
    LinkedLearnerFactory,
    PreemptiveCourseEnrollmentFactory,
    ProgramCourseEnrollmentFactory,
    ProgramEnrollmentFactory,
)
from tests.factories.host import CourseEnrollmentFactory, UserFactory
from tests.rest_api.callers import Campus


def steps(desk: Desk, campus: Campus, pk: int) -> list[str]:
    page = desk.open("learner", campus.program.uuid, pk)
    return [" ".join(one.text_content().split()) for one in page.tree.xpath('//*[@class="pe-steps"]/li')]


def test_one_who_waits_gets_a_message_to_copy(registrar: Desk, campus: Campus) -> None:
    enroll(campus, "A-5002", active=True)

    page = registrar.open("learner", campus.program.uuid, learner_id(campus, "A-5002"))

    assert "A-5002 is enrolled, but has not signed in yet." in page.text
    assert f"you are enrolled in {campus.program.title} at {campus.school.name}" in page.text
    assert "http://testserver/sso/schools/uni-a/" in page.text
    assert steps(registrar, campus, learner_id(campus, "A-5002")) == [
        "Sent: done The university enrolled the learner.",
        "Signed in: not yet Nobody has signed in through the school with this student ID yet.",
        "Linked: not yet Happens at the first sign-in, by itself.",
        "In the courses: not yet 0 of 1 courses",
    ]


def test_one_who_is_in_needs_nothing(registrar: Desk, campus: Campus) -> None:
    learner = LinkedLearnerFactory(school=campus.school, student_key="S-1", user=UserFactory(username="sasha"))
    ProgramEnrollmentFactory(curriculum=campus.curriculum, learner=learner)
    ProgramCourseEnrollmentFactory(program=campus.program, course_run=campus.course_run, learner=learner)
    CourseEnrollmentFactory(user=learner.user, course_run_id=campus.course_run.course_id, mode="masters")

    page = registrar.open("learner", campus.program.uuid, learner.pk)

    assert "S-1 is enrolled and has an account." in page.text
    assert "Copy the message" not in page.text
    assert "seat, masters" in page.text
    assert steps(registrar, campus, learner.pk)[1:] == [
        "Signed in: done Account: sasha",
        "Linked: done Known by single sign-on.",
        "In the courses: done 1 of 1 courses",
    ]


def test_a_refused_seat_stands_with_its_reason(registrar: Desk, campus: Campus) -> None:
    learner = LinkedLearnerFactory(school=campus.school, student_key="S-1")
    ProgramEnrollmentFactory(curriculum=campus.curriculum, learner=learner)
    PreemptiveCourseEnrollmentFactory(
        program=campus.program,
        course_run=campus.course_run,
        learner=learner,
        problem_code="host_refused",
        problem_detail="There is no such course run.",
        refusals=5,
    )

    page = registrar.open("learner", campus.program.uuid, learner.pk)

    assert "the platform refused a seat in a course" in page.text
    assert "refused There is no such course run." in page.text
    assert steps(registrar, campus, learner.pk)[3] == "In the courses: needs help 0 of 1 courses"


def test_a_conflict_is_told_without_naming_the_other_account(registrar: Desk, campus: Campus) -> None:
    learner = LinkedLearnerFactory(school=campus.school, student_key="S-1")
    ProgramEnrollmentFactory(curriculum=campus.curriculum, learner=learner)
    Learner.objects.filter(pk=learner.pk).update(
        problem_code="conflict", problem_detail="Another account claims this learner.", problem_at=timezone.now()
    )

    assert (
        "S-1 needs help: Two accounts claim this learner."
        in registrar.open("learner", campus.program.uuid, learner.pk).text
    )


def test_the_ledger_is_told_in_words(registrar: Desk, campus: Campus) -> None:
    enroll(campus, "S-1")
    pk = learner_id(campus, "S-1")
    registrar.send("status", campus.program.uuid, learner=[pk], status="suspended", confirm="1", reason="Fees")

    page = registrar.open("learner", campus.program.uuid, pk)
    entries = [" ".join(one.text_content().split()) for one in page.tree.xpath('//*[@class="pe-timeline"]/li')]

    assert entries[0].startswith("Status in the program: enrolled → suspended")
    assert entries[0].endswith(f"console, {registrar.user.username} · “Fees”")
    assert "preemptive" not in page.text.lower()


def test_a_learner_of_another_program_is_not_there(registrar: Desk, campus: Campus) -> None:
    at_the_school = LearnerFactory(school=campus.school)

    page = registrar.open("learner", campus.program.uuid, at_the_school.pk)

    assert page.status == 404
    assert "There is nothing here" in page.text
    assert "Reference number" in page.text


class TestKeeping:
    def test_a_kept_enrollment_says_by_whom_and_why(self, registrar: Desk, campus: Campus) -> None:
        enroll(campus, "S-1", active=True)
        pk = learner_id(campus, "S-1")

        page = registrar.send("keep", campus.program.uuid, pk, reason="Appeal is open", until="2100-01-31")

        assert page.messages() == ["Files leave this enrollment alone from now on."]
        assert f"kept by {registrar.user.username}: “Appeal is open” until 2100-01-31" in page.text
        kept = KeptEnrollment.objects.get()
        assert (kept.learner_id, kept.course_run) == (pk, None)

        registrar.send("course-keep", campus.program.uuid, campus.course_run.course_id, pk, reason="Exam")
        registrar.send("keep", campus.program.uuid, pk, release="1")
        assert KeptEnrollment.objects.get().course_run == campus.course_run

    def test_without_a_reason_nothing_is_kept(self, registrar: Desk, campus: Campus) -> None:
        enroll(campus, "S-1")

        page = registrar.send("keep", campus.program.uuid, learner_id(campus, "S-1"), reason=" ")

        assert page.messages() == ["Give a reason, and a date or none."]
        assert not KeptEnrollment.objects.exists()

    def test_only_a_learner_of_the_program_is_kept_in_it(self, registrar: Desk, campus: Campus) -> None:
        stranger = LearnerFactory(school=campus.school)

        assert registrar.send("keep", campus.program.uuid, stranger.pk, reason="x").status == 404
        assert not KeptEnrollment.objects.exists()


def test_nobody_writes_to_a_learner_of_a_school_for_practice(registrar: Desk, campus: Campus) -> None:
    enroll(campus, "A-5002")
    real = registrar.open("learner", campus.program.uuid, learner_id(campus, "A-5002"))
    School.objects.filter(pk=campus.school.pk).update(is_sandbox=True)

    page = registrar.open("learner", campus.program.uuid, learner_id(campus, "A-5002"))

    assert "This school is for practice, so nobody is linked to an account here." in page.text
    assert "Copy the message" not in page.text
    assert "For practice: nothing here reaches the learning platform, and nobody is mailed." in page.text
    assert "For practice" not in real.text
    assert "#a4510f" in page.content
    assert "#a4510f" not in real.content
