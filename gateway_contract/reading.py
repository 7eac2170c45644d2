"""Checks that only read: tokens, refusals, lists, pages, grades."""

from __future__ import annotations

import uuid
from urllib.parse import quote

from gateway_contract.connection import Connection
from gateway_contract.envelopes import COURSE_STATUSES, PROGRAM_STATUSES, check_error, check_row, read_page, walk
from gateway_contract.findings import Findings, Mismatch, NotThere, expect

PASSED_OVER = {"format": "json", "username": "gateway", "user": "gateway", "page": "1", "limit": "10"}
"""Parameters that gateways are known to send, and that must change nothing."""


def check_token(connection: Connection, findings: Findings, *, client: str, secret: str) -> bool:
    """Get a token as gateways do; return whether there is one to go on with."""
    with findings.checking("A token is given for the client's credentials, at the path without trailing slash"):
        answer = connection.request_token(client=client, secret=secret).must_be(200)
        body = answer.json()
        expect(isinstance(body, dict) and isinstance(body.get("access_token"), str), f"{answer.told()} has no token.")
        connection.token = body["access_token"]
        seconds = body.get("expires_in")
        expect(isinstance(seconds, int) and seconds > 0, f"{answer.told()}: `expires_in` is {seconds!r}.")
    with findings.checking("Wrong credentials are refused with 400 or 401"):
        connection.request_token(client=client, secret=f"{secret}-wrong").must_be(400, 401)
    return bool(connection.token)


def check_access(connection: Connection, findings: Findings, *, program: str) -> None:
    """Check who gets in, and how the others are turned away."""
    path = f"programs/{program}/enrollments/"
    with findings.checking("`Authorization: JWT` is accepted"):
        connection.get(path).must_be(200)
    with findings.checking("Without a token the answer is 401"):
        check_error(connection.get(path, scheme=""), 401)
    with findings.checking("A token that was tampered with is refused with 401"):
        other = Connection(url=connection.url, root=connection.root, timeout=connection.timeout)
        other.token = f"{connection.token[:-6]}AAAAAA"
        other.get(path).must_be(401)
    with findings.checking("An unknown program is 404, with an error that gateways can read"):
        check_error(connection.get(f"programs/{uuid.uuid4()}/enrollments/"), 404)
    with findings.checking("The program is found by its UUID in any letter case"):
        connection.get(f"programs/{program.upper()}/enrollments/").must_be(200)
    with findings.checking("Nothing may follow the path's end"):
        connection.get(f"programs/{program}/enrollmentsX").must_be(404)


def check_lists(connection: Connection, findings: Findings, *, program: str) -> None:
    """Check the list of program enrollments and its pages."""
    path = f"programs/{program}/enrollments/"
    fields = {
        "student_key": str,
        "status": str,
        "account_exists": bool,
        "curriculum_uuid": str,
    }
    with findings.checking("Program enrollments have the fields that gateways read"):
        for row in read_page(connection.get(path).must_be(200))["results"]:
            check_row(path, row, fields)
            expect(row["student_key"].strip(), f"{path}: a `student_key` is blank.")
            expect(row["status"] in PROGRAM_STATUSES, f"{path}: `status` is {row['status']!r}.")
            uuid_of(path, row["curriculum_uuid"])
    check_pages(connection, findings, path=path, what="program enrollments")
    with findings.checking("Parameters that gateways send anyway are passed over"):
        for name, value in PASSED_OVER.items():
            read_page(connection.get(path, {name: value}).must_be(200))
    with findings.checking("A cursor that means nothing is 404"):
        check_error(connection.get(path, {"cursor": "bm8tc3VjaC1wYWdl!"}), 404)


def check_pages(connection: Connection, findings: Findings, *, path: str, what: str) -> None:
    """Check that small pages together are the large one, row by row."""
    with findings.checking(f"Pages of {what} follow each other without gap or repetition"):
        large = [row.get("student_key") for row in walk(connection, path, {"page_size": "100"})]
        if len(large) < 2:
            raise NotThere(f"{path} has fewer than two rows.")
        size = max(1, min(len(large) // 3, 50))
        first = read_page(connection.get(path, {"page_size": str(size)}).must_be(200))
        expect(len(first["results"]) == size, f"{path}: `page_size={size}` gives {len(first['results'])} rows.")
        expect(first["next"], f"{path}: there is no `next`, but there are more rows.")
        pages = -(-len(large) // size)
        sampled = large if pages <= 60 else large[: size * 2]
        small: list[object] = []
        for row in walk(connection, path, {"page_size": str(size)}):
            small.append(row.get("student_key"))
            if len(small) >= len(sampled):
                break
        expect(small == sampled, f"{path}: small pages have other rows, or another order, than large ones.")
        expect(len(set(large)) == len(large), f"{path}: a `student_key` is listed twice.")


def check_courses(connection: Connection, findings: Findings, *, program: str, course: str) -> None:
    """Check one course run's enrollments and grades."""
    path = f"programs/{program}/courses/{quote(course, safe=':+@/')}"
    with findings.checking("Course enrollments have the fields that gateways read"):
        for row in read_page(connection.get(f"{path}/enrollments/").must_be(200))["results"]:
            fields = {"student_key": str, "status": str, "account_exists": bool, "curriculum_uuid": str}
            check_row(path, row, {**fields, "course_staff": bool})
            expect(row["status"] in COURSE_STATUSES, f"{path}: `status` is {row['status']!r}.")
    check_pages(connection, findings, path=f"{path}/enrollments/", what="course enrollments")
    with findings.checking("The `+` of a course key may arrive as it is or as %2B"):
        if "+" not in course:
            raise NotThere(f"{course} has no `+`.")
        connection.get(f"programs/{program}/courses/{quote(course, safe=':')}/enrollments/").must_be(200)
    with findings.checking("A course run that the program does not have is 404"):
        other = "course-v1:GatewayContract+None+0"
        check_error(connection.get(f"programs/{program}/courses/{other}/enrollments/"), 404)
    check_grades(connection, findings, path=f"{path}/grades/")


def check_grades(connection: Connection, findings: Findings, *, path: str) -> None:
    """Check the final grades of a course run: each row is a grade or an error, and the status says which there are."""
    with findings.checking("Grades are listed, and the status is that of their rows"):
        answer = connection.get(path).must_be(200, 207, 422)
        failed = 0
        rows = read_page(answer)["results"]
        for row in rows:
            check_row(path, row, {"student_key": str})
            if "error" in row:
                failed += 1
                check_row(path, row, {"error": str})
                expect(row["error"].strip(), f"{path}: an `error` is blank.")
                expect(row.keys() == {"student_key", "error"}, f"{path}: a row has a grade and an `error`.")
                continue
            check_row(path, row, {"letter_grade": (str, type(None)), "percent": (int, float), "passed": bool})
            expect(row["letter_grade"] != "", f"{path}: `letter_grade` is blank; without a letter it is null.")
            expect(0 <= row["percent"] <= 1, f"{path}: `percent` is {row['percent']}, which is not between 0 and 1.")
        expected = 200 if not failed else 422 if failed == len(rows) else 207
        expect(answer.status == expected, f"{answer.told()} should be {expected}: {failed} of {len(rows)} rows failed.")


def find_course(connection: Connection, *, program: str) -> str:
    """Return a course run of the program, where the installation lists them; else empty."""
    answer = connection.get(f"programs/{program}/courses/")
    if answer.status != 200:
        return ""
    try:
        rows = read_page(answer)["results"]
    except Mismatch:
        return ""
    return next((str(row["course_id"]) for row in rows if isinstance(row, dict) and row.get("course_id")), "")


def uuid_of(path: str, text: str) -> None:
    """Raise Mismatch unless `text` is a UUID."""
    try:
        uuid.UUID(text)
    except ValueError:
        raise Mismatch(f"{path}: `curriculum_uuid` is no UUID: {text!r}") from None
