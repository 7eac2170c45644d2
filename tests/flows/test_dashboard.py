"""A student's years: what the university writes is what she reads, in the university's brand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from demo_lms.models import CourseGrade
from program_enrollments import api
from program_enrollments.data import Origin, Source
from program_enrollments.models import CourseRun, Learner, School
from tests.dashboard.conftest import Student as Reader
from tests.factories.enrollment import UserSocialAuthFactory
from tests.flows.people import Student, University
from tests.flows.test_console import registrar_of


def read(student: Student) -> str:
    """Return what the student's dashboard says."""
    return Reader(student.account, student.browser).open("home").text


def test_a_student_signs_on_is_suspended_comes_back_and_finishes(
    uni_a: University, new_student: Callable[[], Student]
) -> None:
    program = uni_a.open_program()
    run: CourseRun = uni_a.open_course(program)
    row = {"student_key": "A-1", "status": "enrolled"}
    uni_a.enroll(program, row)
    uni_a.enroll(program, {"student_key": "A-1", "status": "active"}, run=run)
    student = new_student()

    student.sign_on("A-1", email="kim@uni-a.example")
    assert "You have been enrolled since" in read(student)
    assert f"Continue “{run.title}”" in read(student)

    uni_a.enroll(program, row | {"status": "suspended"})
    assert "Your place has been suspended since" in read(student)
    assert "Continue" not in read(student)

    uni_a.enroll(program, row)
    assert "You have been enrolled since" in read(student)

    CourseRun.objects.update(end=timezone.now() - timedelta(days=1))
    CourseGrade.objects.create(
        user=student.account, course_run_id=run.course_id, letter="A", percent="0.9", passed=True
    )
    uni_a.enroll(program, row | {"status": "ended"})
    told = read(student)
    assert "This program ended for you on" in told
    assert "1 of 1 course done" in told
    assert "passed · A" in told
    assert "Keep your account" in told, "so far she can sign on through her university only"


def test_whose_place_another_account_holds_reads_what_to_do_and_gets_it_from_support(
    uni_a: University, new_student: Callable[[], Student]
) -> None:
    program = uni_a.open_program()
    uni_a.enroll(program, {"student_key": "A-1", "email": "kim@mail.example", "status": "enrolled"})
    first, second = new_student(), new_student()
    first.sign_up("robin", "kim@mail.example")
    first.follow_the_mailed_link()
    assert program.title in read(first)

    second.sign_up("kim2", "kim@elsewhere.example")
    with second.on_commit(execute=True):
        UserSocialAuthFactory(user=second.account, uid="uni-a:A-1")

    told = read(second)
    assert f"Another account has your place at {uni_a.school.name}." in told
    learner = Learner.objects.get(student_key="A-1")
    assert f"reference: {learner.pk}." in told
    assert first.username not in told
    assert "Another account says that it is you" in read(first)

    api.link_learner(
        learner_id=learner.pk,
        user_id=second.account.pk,
        origin=Origin(source=Source.STAFF.value, reason="Called, and showed the student card."),
    )

    assert "You have been enrolled since" in read(second)
    assert program.title not in read(first)


def test_learners_of_two_universities_see_two_brands_that_can_be_read(
    uni_a: University, uni_b: University, new_student: Callable[[], Student]
) -> None:
    registrar = registrar_of(uni_a)
    form = {"name": "University A", "primary_color": "#7a1f2b", "guard_minimum": "10", "guard_percent": "20"}
    refused = registrar.send("brand", uni_a.slug, **form, text_color="#801f2b")
    assert refused.errors() == [
        "Text in this color is hard to read on the color above. Try #ffffff, or leave it empty."
    ]
    refused = registrar.send("brand", uni_a.slug, **form, documents="Rules, somewhere")
    assert "Write a title, a bar and an address" in refused.errors()[0]
    saved = registrar.send("brand", uni_a.slug, **form, documents="Rules | https://uni-a.example/rules")
    assert "Saved." in saved.text
    School.objects.filter(key=uni_b.slug).update(primary_color="#fff59d")
    pages = []
    for university in (uni_a, uni_b):
        program = university.open_program()
        university.enroll(program, {"student_key": "S-1", "status": "enrolled"})
        student = new_student()
        student.sign_on("S-1", slug=university.slug, email=f"s@{university.slug}.example")
        pages.append(Reader(student.account, student.browser).open("home").content)

    assert "--pe-brand: #7a1f2b; --pe-on-brand: #ffffff" in pages[0]
    assert "https://uni-a.example/rules" in pages[0]
    assert "#7a1f2b" not in pages[1]
    light = pages[1].split("@media (prefers-color-scheme: dark)")[0]
    assert "--pe-brand: #fff59d" not in light, "nobody could read it: pages make it darker"
