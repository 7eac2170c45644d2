"""A university enrolls people who have no account yet; whenever they come, everything is there."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from social_django.models import UserSocialAuth

from tests.factories.accounts import username_of
from tests.flows.people import Student, University

MASTERS = ("masters", True)


def test_by_student_id(uni_a: University, new_student: Callable[[], Student]) -> None:
    program = uni_a.open_program()
    run = uni_a.open_course(program)
    assert uni_a.enroll(program, {"student_key": "S-1", "status": "enrolled"}) == {"S-1": "enrolled"}
    assert uni_a.enroll(program, {"student_key": "S-1", "status": "active"}, run=run) == {"S-1": "active"}
    waiting = uni_a.students(program)["S-1"]
    assert (waiting["account_exists"], waiting["username"]) == (False, "")
    assert uni_a.look_up(program, "S-1")["link"]["state"] == "waiting"

    student = new_student()
    student.sign_on("S-1")

    there = uni_a.students(program)["S-1"]
    assert (there["account_exists"], there["username"]) == (True, student.username)
    assert uni_a.students(program, run=run)["S-1"]["status"] == "active"
    assert student.seat(run) == MASTERS
    assert program.title in student.dashboard()
    found = uni_a.look_up(program, "S-1")
    assert (found["link"]["state"], found["link"]["how"]) == ("linked", "sso")
    assert found["program_enrollment"]["real"] is True
    assert found["course_enrollments"][0]["host"] == {"is_active": True, "mode": "masters"}


def test_by_e_mail(uni_a: University, new_student: Callable[[], Student]) -> None:
    program = uni_a.open_program()
    run = uni_a.open_course(program)
    row = {"email": "Student@uni-a.example"}
    assert uni_a.enroll(program, {**row, "status": "enrolled"}) == {"Student@uni-a.example": "enrolled"}
    uni_a.enroll(program, {**row, "status": "active"}, run=run)
    waiting = uni_a.students(program)["Student@uni-a.example"]
    assert (waiting["account_exists"], waiting["email"]) == (False, "Student@uni-a.example")

    student = new_student()
    student.sign_up("student", "student@UNI-A.example")
    student.follow_the_mailed_link()

    assert uni_a.students(program)["Student@uni-a.example"]["username"] == username_of("student")
    assert student.seat(run) == MASTERS
    assert uni_a.look_up(program, "student@uni-a.example")["link"]["how"] == "email"


def test_an_address_counts_only_once_it_is_confirmed(uni_a: University, new_student: Callable[[], Student]) -> None:
    program = uni_a.open_program()
    run = uni_a.open_course(program)
    uni_a.enroll(program, {"email": "student@uni-a.example", "status": "enrolled"})
    uni_a.enroll(program, {"email": "student@uni-a.example", "status": "active"}, run=run)

    student = new_student()
    student.sign_up("student", "student@uni-a.example")
    assert uni_a.students(program)["student@uni-a.example"]["account_exists"] is False
    assert student.seat(run) is None

    student.follow_the_mailed_link()
    assert uni_a.students(program)["student@uni-a.example"]["account_exists"] is True
    assert student.seat(run) == MASTERS


def test_program_first_course_later(uni_a: University, new_student: Callable[[], Student]) -> None:
    program = uni_a.open_program()
    early, late = uni_a.open_course(program), uni_a.open_course(program)
    assert uni_a.enroll(program, {"student_key": "S-1", "status": "active"}, run=early) == {"S-1": "not-in-program"}
    uni_a.enroll(program, {"student_key": "S-1", "status": "enrolled"})
    uni_a.enroll(program, {"student_key": "S-1", "status": "active"}, run=early)
    student = new_student()
    student.sign_on("S-1")

    assert uni_a.enroll(program, {"student_key": "S-1", "status": "active"}, run=late) == {"S-1": "active"}
    assert (student.seat(early), student.seat(late)) == (MASTERS, MASTERS)


def test_what_changed_while_waiting_counts(uni_a: University, new_student: Callable[[], Student]) -> None:
    program = uni_a.open_program()
    kept, dropped = uni_a.open_course(program), uni_a.open_course(program)
    uni_a.enroll(program, {"student_key": "S-1", "status": "pending"})
    for run in (kept, dropped):
        uni_a.enroll(program, {"student_key": "S-1", "status": "active"}, run=run)
    uni_a.enroll(program, {"student_key": "S-1", "status": "enrolled"})
    uni_a.enroll(program, {"student_key": "S-1", "status": "inactive"}, run=dropped)

    student = new_student()
    student.sign_on("S-1")

    assert uni_a.students(program)["S-1"]["status"] == "enrolled"
    assert (student.seat(kept), student.seat(dropped)) == (MASTERS, None)
    assert uni_a.students(program, run=dropped)["S-1"]["status"] == "inactive"


def test_signing_in_twice_changes_nothing(uni_a: University, new_student: Callable[[], Student]) -> None:
    program = uni_a.open_program()
    run = uni_a.open_course(program)
    uni_a.enroll(program, {"student_key": "S-1", "status": "enrolled"})
    uni_a.enroll(program, {"student_key": "S-1", "status": "active"}, run=run)
    student, elsewhere = new_student(), new_student()
    student.sign_on("S-1")
    before = uni_a.look_up(program, "S-1")

    elsewhere.sign_on("s-1 ")

    assert elsewhere.account == student.account
    assert uni_a.look_up(program, "S-1") == before


@pytest.mark.parametrize("kept", ["", [], "{}"])
def test_what_an_older_platform_kept_of_a_sign_on_is_in_nobodys_way(
    uni_a: University, new_student: Callable[[], Student], kept: object
) -> None:
    program = uni_a.open_program()
    run = uni_a.open_course(program)
    student, later = new_student(), new_student()
    student.sign_on("S-1")
    UserSocialAuth.objects.update(extra_data=kept)
    uni_a.enroll(program, {"student_key": "S-1", "status": "enrolled"})
    uni_a.enroll(program, {"student_key": "S-1", "status": "active"}, run=run)

    later.sign_on("S-1")

    assert later.account == student.account
    assert later.seat(run) == MASTERS
    assert set(UserSocialAuth.objects.get().extra_data) == {"auth_time"}


def test_the_account_first(uni_a: University, new_student: Callable[[], Student]) -> None:
    program = uni_a.open_program()
    run = uni_a.open_course(program)
    student = new_student()
    student.sign_on("S-1")
    assert "You are in no program" in student.dashboard()

    uni_a.enroll(program, {"student_key": "S-1", "status": "enrolled"})
    uni_a.enroll(program, {"student_key": "S-1", "status": "active"}, run=run)

    assert uni_a.students(program)["S-1"]["account_exists"] is True
    assert student.seat(run) == MASTERS
    assert program.title in student.dashboard()
