"""Checks that write: made-up students are enrolled, changed and taken out again. Their rows stay, as left."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import quote

from gateway_contract.connection import Connection
from gateway_contract.envelopes import check_error, check_words, walk
from gateway_contract.findings import Findings, NotThere, expect

PREFIX = "gateway-contract-"
"""Begins every student ID that is made up here, so that an operator finds them."""


class MadeUpStudents:
    """Writes rows of students that nobody else knows, and takes them out at the end."""

    def __init__(self, connection: Connection, *, program: str, curriculum: str, course: str) -> None:
        self.connection = connection
        self.path = f"programs/{program}/enrollments/"
        self.course_path = f"programs/{program}/courses/{quote(course, safe=':+@/')}/enrollments/" if course else ""
        self.curriculum = curriculum
        mark = secrets.token_hex(6)
        self.first, self.second, self.stranger = (f"{PREFIX}{mark}-{number}" for number in (1, 2, 3))

    def row(self, key: str, status: object = "enrolled", **more: object) -> dict[str, object]:
        """Return a row of a program write."""
        given = {"curriculum_uuid": self.curriculum} if self.curriculum else {}
        return {"student_key": key, "status": status, **given, **more}

    def write(self, method: str, *rows: Any, **params: str) -> Any:
        """Write program enrollments and return the answer."""
        return self.connection.write(method, self.path, list(rows), params)

    def write_course(self, method: str, *rows: Any) -> Any:
        """Write course enrollments and return the answer."""
        return self.connection.write(method, self.course_path, list(rows))


def check_writes(students: MadeUpStudents, findings: Findings) -> None:
    """Check all writes; what was made is left in a leaving status."""
    try:
        check_program_writes(students, findings)
        if students.course_path:
            check_course_writes(students, findings)
        check_refused_bodies(students, findings)
    finally:
        with findings.checking("The made-up students can be taken out again"):
            gone = {students.first: "canceled", students.second: "canceled"}
            rows = [students.row(key, "canceled") for key in gone]
            check_words(students.write("PATCH", *rows), 200, gone)


def check_program_writes(students: MadeUpStudents, findings: Findings) -> None:
    """Check POST, PUT and PATCH of program enrollments."""
    first, second, stranger, row = students.first, students.second, students.stranger, students.row
    with findings.checking("POST enrolls a student without an account"):
        check_words(students.write("POST", row(first)), 200, {first: "enrolled"})
    with findings.checking("The enrollment is listed, and has no account yet"):
        rows = walk(students.connection, students.path, {"page_size": "1000"})
        listed = next((each for each in rows if each.get("student_key") == first), None)
        expect(listed, f"{students.path}: the row that was just written is not listed.")
        expect(listed and listed["account_exists"] is False, f"{students.path}: `account_exists` is not false.")
    with findings.checking("POST of an enrollment that exists is `conflict`, and 422 if no row is good"):
        check_words(students.write("POST", row(first)), 422, {first: "conflict"})
    with findings.checking("Good and bad rows together are 207"):
        words = {first: "conflict", second: "pending"}
        check_words(students.write("POST", row(first), row(second, "pending")), 207, words)
    with findings.checking("PUT creates or updates, and can be repeated"):
        for _time in range(2):
            check_words(students.write("PUT", row(second, "enrolled")), 200, {second: "enrolled"})
    with findings.checking("PATCH changes a status and does not read the curriculum"):
        patched = students.write("PATCH", row(first, "suspended", curriculum_uuid="None"))
        check_words(patched, 200, {first: "suspended"})
    with findings.checking("PATCH of a student who is not in the program is `not-in-program`"):
        check_words(students.write("PATCH", row(stranger)), 422, {stranger: "not-in-program"})
    with findings.checking("A status that does not exist is `invalid-status`"):
        check_words(students.write("PUT", row(first, "asleep")), 422, {first: "invalid-status"})
    with findings.checking("A student who is named twice is `duplicated`, and is not written"):
        answer = students.write("PUT", row(second, "ended"), row(second, "pending"))
        check_words(answer, 422, {second: "duplicated"})
        check_words(students.write("PATCH", row(second, "enrolled")), 200, {second: "enrolled"})
    with findings.checking("An empty list is 200"):
        check_words(students.write("PUT"), 200, {})


def check_course_writes(students: MadeUpStudents, findings: Findings) -> None:
    """Check POST, PUT and PATCH of course enrollments."""
    first, second, stranger = students.first, students.second, students.stranger

    def row(key: str, status: str, **more: object) -> dict[str, object]:
        return {"student_key": key, "status": status, **more}

    with findings.checking("A course enrollment of a student who is not in the program is `not-in-program`"):
        answer = students.write_course("POST", row(stranger, "active"))
        check_words(answer, 422, {stranger: "not-in-program"})
    with findings.checking("PATCH of a course enrollment that does not exist is `not-found`"):
        check_words(students.write_course("PATCH", row(first, "active")), 422, {first: "not-found"})
    with findings.checking("POST makes course enrollments, with or without the course staff role"):
        answer = students.write_course("POST", row(first, "active"), row(second, "active", course_staff=True))
        check_words(answer, 200, {first: "active", second: "active"})
    with findings.checking("The course staff role that was promised is listed"):
        rows = walk(students.connection, students.course_path, {"page_size": "1000"})
        staff = {each["student_key"]: each["course_staff"] for each in rows}
        found = staff.get(first), staff.get(second)
        expect(found == (False, True), f"{students.course_path}: `course_staff` is {found}, not (False, True).")
    with findings.checking("POST of a course enrollment that exists is `conflict`"):
        check_words(students.write_course("POST", row(first, "active")), 422, {first: "conflict"})
    with findings.checking("Course enrollments become inactive again"):
        rows_out = [row(first, "inactive"), row(second, "inactive", course_staff=False)]
        check_words(students.write_course("PUT", *rows_out), 200, {first: "inactive", second: "inactive"})


def check_refused_bodies(students: MadeUpStudents, findings: Findings) -> None:
    """Check bodies that are refused as a whole."""
    good = students.row(students.first)
    with findings.checking("A body that is no list of rows is 400, and nothing is written"):
        for body in (
            {"student_key": "x"},
            ["x"],
            [good, {"student_key": students.stranger}],
            [good, {"status": "ended"}],
        ):
            check_error(students.connection.write("POST", students.path, body), 400)
    with findings.checking("A body that is no JSON is 400"):
        path = students.connection.path(students.path)
        check_error(students.connection.send("POST", path, body=b"[{", kind="application/json"), 400)


def check_detail(students: MadeUpStudents, findings: Findings) -> None:
    """Check `?detail`, where the installation has it."""
    with findings.checking("With `?detail=true` each row says why, in the request's order"):
        answer = students.write("PATCH", students.row(students.stranger), detail="true")
        if answer.status == 400 or isinstance(answer.json(), dict):
            raise NotThere("the installation has no `?detail`.")
        rows = answer.json()
        expect(isinstance(rows, list) and len(rows) == 1, f"{answer.told()}: {answer.shown()}")
        fields = {"key", "word", "good", "changed", "before", "after", "detail"}
        expect(fields <= rows[0].keys(), f"{answer.told()} lacks {sorted(fields - rows[0].keys())}.")
        expect(rows[0]["detail"], f"{answer.told()}: a refused row has no `detail`.")
