"""A student information system tries its call first, then makes it, and follows the changes that come of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from program_enrollments.models import Grant, Program
from tests.flows.people import Student, University

ROWS = [{"student_key": "S-1", "status": "enrolled"}, {"student_key": "S-2", "status": "absent"}]


def changes(university: University, program: Program, **query: Any) -> dict[str, Any]:
    response = university.sis.get(f"programs/{program.uuid}/changes/", query=query)
    assert response.status_code == 200
    page: dict[str, Any] = response.json()
    return page


def test_a_call_is_tried_then_made(uni_a: University, new_student: Callable[[], Student]) -> None:
    program = uni_a.open_program()
    path = f"programs/{program.uuid}/enrollments/"
    student = new_student()
    student.sign_on("S-1")

    tried = uni_a.sis.put(path, ROWS, query={"dry_run": "true", "detail": "true"})
    assert uni_a.students(program) == {}
    made = uni_a.sis.put(path, ROWS, query={"detail": "true"})

    assert (tried.status_code, tried.json()) == (made.status_code, made.json())
    assert [(row["word"], row["changed"]) for row in made.json()] == [("enrolled", True), ("invalid-status", False)]
    assert uni_a.students(program)["S-1"]["username"] == student.username


def test_the_feed_has_who_did_what(uni_a: University, new_student: Callable[[], Student]) -> None:
    program = uni_a.open_program()
    run = uni_a.open_course(program)
    sis = str(Grant.objects.filter(school=uni_a.school).select_related("user")[0].user.get_username())
    uni_a.enroll(program, {"student_key": "S-1", "status": "enrolled"})
    uni_a.enroll(program, {"student_key": "S-1", "status": "active"}, run=run)
    first = changes(uni_a, program)
    assert [(row["after"], row["course_id"], row["actor"]) for row in first["results"]] == [
        ("enrolled", None, sis),
        ("active", run.course_id, sis),
    ]

    new_student().sign_on("S-1")

    then = changes(uni_a, program, after=first["cursor"])
    assert {row["kind"] for row in then["results"]} == {"program_realized", "course_realized"}
    assert {row["student_key"] for row in then["results"]} == {"S-1"}
    assert changes(uni_a, program, after=then["cursor"])["results"] == []
