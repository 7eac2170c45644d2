"""Apps of the host save and delete accounts through a proxy of the user model, and nothing is lost by that."""

from __future__ import annotations

from collections.abc import Callable

from demo_lms.models.primary import rows_of
from program_enrollments.models import Learner
from tests.factories.accounts import EMAIL
from tests.factories.host import confirm_email
from tests.flows.people import Student, University
from tests.flows.test_deletions_cross_everything import Person

MASTERS = ("masters", True)


def test_another_app_gives_an_account_its_address(uni_a: University, new_student: Callable[[], Student]) -> None:
    program = uni_a.open_program()
    run = uni_a.open_course(program)
    uni_a.enroll(program, {"email": "kim@uni-a.example", "status": "enrolled"})
    uni_a.enroll(program, {"email": "kim@uni-a.example", "status": "active"}, run=run)
    student = new_student()
    student.sign_up("kim", "kim@home.example")
    student.follow_the_mailed_link()

    person = rows_of(Person).get(pk=student.account.pk)
    setattr(person, EMAIL, "kim@uni-a.example")
    with uni_a.on_commit(execute=True):
        person.save()
    assert student.seat(run) is None, "the new address is not confirmed"
    confirm_email(person)
    with uni_a.on_commit(execute=True):
        person.save()

    assert student.seat(run) == MASTERS
    assert uni_a.students(program)["kim@uni-a.example"]["username"] == student.username


def test_another_app_deletes_an_account(uni_a: University, new_student: Callable[[], Student]) -> None:
    program = uni_a.open_program()
    run = uni_a.open_course(program)
    uni_a.enroll(program, {"student_key": "S-1", "status": "enrolled"})
    uni_a.enroll(program, {"student_key": "S-1", "status": "active"}, run=run)
    first, again = new_student(), new_student()
    first.sign_on("S-1")

    with uni_a.on_commit(execute=True):
        rows_of(Person).get(pk=first.account.pk).delete()
    assert Learner.objects.get().user is None
    assert uni_a.students(program)["S-1"]["account_exists"] is False

    again.sign_on("S-1")
    assert again.seat(run) == MASTERS
