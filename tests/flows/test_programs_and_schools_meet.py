"""One person in several programs, equal IDs at two universities, and a university that names another's students."""

from __future__ import annotations

from collections.abc import Callable

from tests.flows.people import Student, University

MASTERS = ("masters", True)


def test_two_programs_of_one_school(uni_a: University, new_student: Callable[[], Student]) -> None:
    science, arts = uni_a.open_program(), uni_a.open_program()
    shared = uni_a.open_course(science, arts)
    for program in (science, arts):
        uni_a.enroll(program, {"student_key": "S-1", "status": "enrolled"})
    assert uni_a.enroll(science, {"student_key": "S-1", "status": "active"}, run=shared) == {"S-1": "active"}
    assert uni_a.enroll(arts, {"student_key": "S-1", "status": "active"}, run=shared) == {"S-1": "conflict"}

    student = new_student()
    student.sign_on("S-1")
    assert student.seat(shared) == MASTERS
    assert {uni_a.students(program)["S-1"]["username"] for program in (science, arts)} == {student.username}

    uni_a.enroll(science, {"student_key": "S-1", "status": "inactive"}, run=shared)
    assert student.seat(shared) == ("masters", False)
    assert uni_a.enroll(arts, {"student_key": "S-1", "status": "active"}, run=shared) == {"S-1": "active"}
    assert student.seat(shared) == MASTERS


def test_leaving_a_program_can_take_its_courses_along(uni_a: University, new_student: Callable[[], Student]) -> None:
    program = uni_a.open_program()
    run = uni_a.open_course(program)
    uni_a.enroll(program, {"student_key": "S-1", "status": "enrolled"})
    uni_a.enroll(program, {"student_key": "S-1", "status": "active"}, run=run)
    student = new_student()
    student.sign_on("S-1")

    uni_a.enroll(program, {"student_key": "S-1", "status": "canceled"})
    assert student.seat(run) == MASTERS
    path = f"programs/{program.uuid}/enrollments/"
    uni_a.sis.patch(path, [{"student_key": "S-1", "status": "canceled"}], query={"cascade": "true"})
    assert student.seat(run) == ("masters", False)


def test_equal_ids_at_two_schools_are_two_people(
    uni_a: University, uni_b: University, new_student: Callable[[], Student]
) -> None:
    at_a, at_b = uni_a.open_program(), uni_b.open_program()
    run_a, run_b = uni_a.open_course(at_a), uni_b.open_course(at_b)
    for university, program, run in ((uni_a, at_a, run_a), (uni_b, at_b, run_b)):
        university.enroll(program, {"student_key": "1001", "status": "enrolled"})
        university.enroll(program, {"student_key": "1001", "status": "active"}, run=run)

    alma, blanca = new_student(), new_student()
    alma.sign_on("1001", slug="uni-a")
    assert uni_b.students(at_b)["1001"]["account_exists"] is False
    blanca.sign_on("1001", slug="uni-b")

    assert alma.account != blanca.account
    assert (alma.seat(run_a), alma.seat(run_b)) == (MASTERS, None)
    assert (blanca.seat(run_a), blanca.seat(run_b)) == (None, MASTERS)


def test_a_university_cannot_name_anothers_students(
    uni_a: University, uni_b: University, new_student: Callable[[], Student]
) -> None:
    program = uni_a.open_program()
    run = uni_a.open_course(program)
    uni_a.enroll(program, {"student_key": "S-1", "status": "enrolled"})
    uni_a.enroll(program, {"student_key": "S-1", "status": "active"}, run=run)

    stranger = new_student()
    for remote_id in ("S-1", "uni-a:S-1"):
        stranger.sign_on(remote_id, slug="uni-b")
        assert stranger.seat(run) is None
    assert uni_a.students(program)["S-1"]["account_exists"] is False

    student = new_student()
    student.sign_on("S-1")
    assert student.seat(run) == MASTERS


def test_signing_on_while_somebody_else_is_signed_in_signs_the_right_person_in(
    uni_a: University, new_student: Callable[[], Student]
) -> None:
    program = uni_a.open_program()
    uni_a.enroll(program, {"student_key": "S-1", "status": "enrolled"}, {"student_key": "S-2", "status": "enrolled"})
    shared_computer = new_student()
    shared_computer.sign_on("S-1")
    first = shared_computer.account
    shared_computer.sign_on("S-2")
    assert shared_computer.account != first
    names = uni_a.students(program)
    assert (names["S-1"]["username"], names["S-2"]["username"]) == (
        first.get_username(),
        shared_computer.username,
    )
