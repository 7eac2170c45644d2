"""A registrar and a student: what is done by hand in the console becomes real at the first sign-on."""

from __future__ import annotations

from collections.abc import Callable

from demo_lms.models import CourseGrade
from program_enrollments.data import Permission
from program_enrollments.models import CourseRun, Grant
from tests.console.conftest import Desk
from tests.factories.host import UserFactory
from tests.flows.people import Student, University


def registrar_of(university: University) -> Desk:
    user = UserFactory()
    for permission in Permission:
        Grant.objects.create(user=user, school=university.school, permission=permission)
    return Desk(user)


def test_a_registrar_enrolls_a_student_who_signs_on_is_suspended_and_comes_back(
    uni_a: University, uni_b: University, new_student: Callable[[], Student]
) -> None:
    program = uni_a.open_program()
    run: CourseRun = uni_a.open_course(program)
    registrar, stranger, place = registrar_of(uni_a), registrar_of(uni_b), (program.uuid, run.course_id)
    registrar.send("add", program.uuid, lines="A-7001", status="enrolled", verb="create", confirm="1")
    registrar.send("course-add", *place, lines="A-7001", status="active", verb="create", confirm="1")
    (row,) = registrar.open("learners", program.uuid).rows()
    assert "waiting for an account" in row

    student = new_student()
    student.sign_on("A-7001", email="kim@uni-a.example")

    assert student.seat(run) == ("masters", True)
    assert program.title in student.dashboard()
    page = registrar.open("learners", program.uuid)
    assert "has an account" in page.rows()[0]
    (link,) = page.tree.xpath("//tbody//th/a/@href")
    pk = int(link.rstrip("/").rpartition("/")[2])
    assert "A-7001 is enrolled and has an account." in registrar.open("learner", program.uuid, pk).text

    chosen = {"learner": [pk], "cascade": "on", "confirm": "1"}
    registrar.send("status", program.uuid, **chosen, status="suspended", reason="Fees are open")
    assert student.seat(run) == ("masters", False)
    registrar.send("status", program.uuid, **chosen, status="enrolled", reason="Fees are paid")
    registrar.send("course-status", *place, learner=[pk], status="active", confirm="1", reason="Fees are paid")
    assert student.seat(run) == ("masters", True)

    CourseGrade.objects.create(
        user=student.account, course_run_id=run.course_id, letter="A", percent="0.9", passed=True
    )
    page = registrar.send("freeze", *place, reason="End of term")
    assert "Frozen as version 1" in page.text
    reasons = [row for row in registrar.open("changes", program.uuid, source="console").rows() if "Fees" in row]
    assert len(reasons) == 4, "suspended with the course, and back in both"

    for name, args in (("learners", place[:1]), ("roster", place), ("course-grades", place), ("changes", place[:1])):
        assert stranger.open(name, *args).status == 404
    assert program.title not in stranger.open("home").text
