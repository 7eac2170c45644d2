"""The pages in every state: what a learner reads, and what there is to do."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from program_enrollments.data import CourseStatus, LinkHow, ProgramStatus
from program_enrollments.models import (
    Learner,
    LedgerEntry,
    LinkClaim,
    Program,
    ProgramCourseEnrollment,
    ProgramEnrollment,
    School,
)
from tests.dashboard.conftest import Student, enroll, learn, open_program
from tests.factories.enrollment import LinkedLearnerFactory, SchoolFactory
from tests.factories.host import CourseGradeFactory, UserFactory


def headings(page_tree: object) -> list[str]:
    return [" ".join(one.text_content().split()) for one in page_tree.xpath("//main//section//h2")]  # type: ignore[attr-defined]


def courses(page_tree: object) -> dict[str, str]:
    """Return what each course's entry says, by title."""
    entries = page_tree.xpath('//li[@class="pe-course"]')  # type: ignore[attr-defined]
    return {" ".join(one.xpath("string(.//h3)").split()): " ".join(" ".join(one.itertext()).split()) for one in entries}


def test_the_only_program_is_the_first_page(student: Student, program: Program) -> None:
    enroll(student.user, program)

    page = student.open("home")

    assert page.redirected_to == f"/programs/{program.uuid}/"
    assert page.heading == "Master of Computer Science"


def test_courses_stand_by_the_dates_of_their_runs(student: Student, program: Program) -> None:
    enroll(student.user, program)
    learn(student.user, program)

    page = student.open("program", program.uuid)

    found = headings(page.tree)
    assert [one for one in found if one[-1].isdigit()] == ["Now 1", "Coming up 1", "Done 1", "Not yet offered 1"]
    told = courses(page.tree)
    assert list(told) == ["Algorithms", "Operating Systems", "Algebra", "Thesis"]
    assert "40 %" in told["Algorithms"].replace("\xa0", " ")
    assert "Due next: Problem set 4" in told["Algorithms"]
    assert "Continue" in told["Algorithms"]
    assert "passed · A · 94" in told["Algebra"]
    assert "Dates are not fixed yet" in told["Thesis"]
    assert "1 of 4 courses done" in page.text
    assert "Advisor Ada" in page.text
    assert {"https://uni.example/handbook", "https://uni.example/rules"} <= set(page.tree.xpath("//main//a/@href"))


@pytest.mark.parametrize(
    ("status", "words", "advice"),
    [
        (ProgramStatus.ENROLLED, "You have been enrolled since", ""),
        (ProgramStatus.PENDING, "waiting for your university's decision since", "Ask Advisor Ada."),
        (ProgramStatus.SUSPENDED, "Your place has been suspended since", "Ask Advisor Ada."),
        (ProgramStatus.CANCELED, "Your place was canceled on", "Ask Advisor Ada."),
        (ProgramStatus.ENDED, "This program ended for you on", "You can still read all of it here."),
    ],
)
def test_every_status_in_words_on_both_pages(
    student: Student, program: Program, status: str, words: str, advice: str
) -> None:
    enroll(student.user, program, status=status)

    for page in (student.open("program", program.uuid), student.open("all")):
        assert words in page.text
        assert advice in page.text
        is_led_on = any("Continue" in link.text_content() for link in page.tree.xpath("//main//a"))
        is_led_on |= any(link.text_content().strip() == "Start" for link in page.tree.xpath("//main//a"))
        assert is_led_on == (status == ProgramStatus.ENROLLED), "only those who are enrolled are led into courses"


def test_the_day_is_the_ledgers(student: Student, program: Program) -> None:
    learner = enroll(student.user, program, status=ProgramStatus.SUSPENDED)
    for days, status in ((40, "enrolled"), (30, "suspended"), (20, "enrolled"), (10, "suspended")):
        LedgerEntry.objects.create(
            program=program,
            position=100 - days,
            at=timezone.now() - timedelta(days=days),
            learner=learner,
            student_key="S-1",
            kind="program_enrollment",
            after=status,
            source="api",
        )
    day = timezone.now() - timedelta(days=10)

    assert f"suspended since {day:%b}" in student.open("program", program.uuid).text.replace(".", "")
    assert f" {day.day}, {day.year}" in student.open("program", program.uuid).text


def test_whom_to_ask_without_an_advisor_is_the_school(student: Student, program: Program) -> None:
    Program.objects.update(advisor_name="", advisor_email="")
    enroll(student.user, program, status=ProgramStatus.SUSPENDED)
    assert "Ask Student Services." in student.open("program", program.uuid).text
    School.objects.update(support_email="", support_name="")
    assert "Ask Support of the demo." in student.open("program", program.uuid).text


def test_finished_courses_stay_done_when_leaving_closes_them(student: Student, program: Program) -> None:
    enroll(student.user, program, status=ProgramStatus.ENDED)
    ProgramCourseEnrollment.objects.update(status=CourseStatus.INACTIVE)

    page = student.open("program", program.uuid)

    assert [one for one in headings(page.tree) if one[-1].isdigit()] == ["Done 1", "Closed for you 2"]
    assert "1 of 3 courses done" in page.text


def test_a_course_closed_for_an_enrolled_learner(student: Student, program: Program) -> None:
    enroll(student.user, program)
    ProgramCourseEnrollment.objects.filter(course_run__title="Algorithms").update(status=CourseStatus.INACTIVE)

    page = student.open("program", program.uuid)

    assert "Your university has closed these courses for you." in page.text
    assert "1 of 3 courses done" in page.text
    assert "Continue" not in page.text


def test_a_seat_that_the_platform_refused_has_a_reference(student: Student, program: Program) -> None:
    learner = enroll(student.user, program, refused=True)

    page = student.open("program", program.uuid)

    assert "The platform has not let you into “Operating Systems” yet." in page.text
    assert "a person has to look. Ask Advisor Ada. Give them this reference: " + str(learner.pk) in page.text
    learner.preemptive_course_enrollments.update(refusals=1)
    assert "We try again by ourselves." in student.open("all").text


def test_another_account_holds_the_place(student: Student, school: School) -> None:
    held = LinkedLearnerFactory(school=school, student_key="SECRET-7")
    claim = LinkClaim.objects.create(learner=held, user=student.user, how=LinkHow.SSO, at=timezone.now())

    page = student.open("home")

    assert "Another account has your place at University A." in page.text
    assert f"Ask Student Services. Give them this reference: {held.pk}." in page.text
    assert held.user.get_username() not in page.text, "who holds it is support's to know"
    claim.is_open = False
    claim.save()
    assert "Another account" not in student.open("home").text


def test_the_holder_reads_that_another_account_claims_it(student: Student, program: Program) -> None:
    enroll(student.user, program)
    Learner.objects.update(
        problem_code="conflict", problem_detail="Account SECRET claims it.", problem_at=timezone.now()
    )

    for page in (student.open("home"), student.open("program", program.uuid)):
        assert "Another account says that it is you" in page.text
        assert "SECRET" not in page.text
    assert student.open("home").redirected_to == "", "there is something to read besides the program"


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        ("possibly_new_person", "may have given your student ID to somebody else"),
        ("realizing_failed", "Your enrollments at University A are not all here yet."),
        ("", "University A has not enrolled you in a program yet."),
    ],
)
def test_linked_and_nothing_enrolled(student: Student, school: School, problem: str, words: str) -> None:
    LinkedLearnerFactory(user=student.user, school=school, student_key="S-7", problem_code=problem)

    page = student.open("home")

    assert words in page.text
    assert "Ask Student Services." in page.text
    assert ("S-7" in page.text) == (problem == ""), "the learner can see what the school knows them as"


def test_unknown_to_every_school(student: Student) -> None:
    page = student.open("home")
    assert "No university knows this account yet." in page.text
    assert student.user.get_username() in page.text


def test_waiting_for_the_address_to_be_confirmed(db: None) -> None:
    student = Student(UserFactory(email="ann@uni-a.example"))

    page = student.open("home")

    assert "Your e-mail address ann@uni-a.example is not confirmed yet." in page.text
    assert "follow its link" in page.text
    assert "No university knows" not in page.text, "one of them may, by this address"


def test_several_programs_are_cards_with_their_brands(student: Student, program: Program, school: School) -> None:
    other = open_program(SchoolFactory(name="University B", primary_color="#ffd54a"), title="Master of Law")
    enroll(student.user, program)
    enroll(student.user, other, status=ProgramStatus.ENDED)

    page = student.open("home")

    assert page.redirected_to == ""
    titles = [" ".join(one.text_content().split()) for one in page.tree.xpath("//main//li//h2")]
    assert titles == ["Master of Computer Science", "Master of Law"], "present ones first"
    assert f".pe-school-{school.pk} {{ --pe-brand: #7a1f2b; --pe-on-brand: #ffffff; }}" in page.content
    (brands,) = [one for one in page.tree.xpath("//main//style/text()") if "pe-school" in one]
    light, dark = brands.split("@media (prefers-color-scheme: dark)")
    assert f".pe-school-{other.school_id} " in light
    assert "#ffd54a" not in light, "nobody could read it on white"
    assert f".pe-school-{other.school_id} {{ --pe-brand: #ffd54a; --pe-on-brand: #000000; }}" in dark


def test_a_program_without_courses(student: Student, program: Program) -> None:
    enroll(student.user, program)
    ProgramCourseEnrollment.objects.all().delete()
    program.curricula.get().course_runs.clear()
    assert "No course yet" in student.open("program", program.uuid).text


def test_a_running_course_that_is_passed_already(student: Student, program: Program) -> None:
    enroll(student.user, program)
    run = program.curricula.get().course_runs.get(title="Algorithms")
    CourseGradeFactory(user=student.user, course_run_id=run.course_id, passed=False, letter="", percent="0.3")
    assert "grade so far · 30" in courses(student.open("program", program.uuid).tree)["Algorithms"]


def test_my_data(student: Student, program: Program) -> None:
    enroll(student.user, program)
    Learner.objects.update(email="ann@uni-a.example")

    page = student.open("own-data")

    for words in (
        "University A",
        "S-1",
        "ann@uni-a.example",
        "You signed in through your university",
        "Master of Computer Science",
        "Algorithms active",
    ):
        assert words in page.text
    assert "Thesis" not in page.text, "the university sent nothing about it"
    ProgramEnrollment.objects.all().delete()
    assert "This university has not enrolled you in a program." in student.open("own-data").text
    Learner.objects.update(user=None, link_how="", linked_at=None)
    assert "No university is linked to your account." in student.open("own-data").text
