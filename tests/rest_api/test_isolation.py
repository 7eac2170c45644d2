"""Who may do what: every endpoint, every method, every kind of caller, and the status that each gets.

The table is the whole of it: a line for each method of each endpoint, a column for each caller. The last tests fail for
an endpoint or a method that has no line.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client

from program_enrollments import api
from program_enrollments.data import PROGRAM_PERMISSIONS, JobKind, Origin, Permission, Source
from program_enrollments.models import Job, Learner
from tests.factories.enrollment import (
    LinkedLearnerFactory,
    ProgramCourseEnrollmentFactory,
    ProgramEnrollmentFactory,
    ProgramFactory,
    act_for_all_schools,
)
from tests.factories.host import CourseGradeFactory, ServiceUserFactory, StaffUserFactory, UserFactory
from tests.rest_api.callers import Caller, Campus, caller_as, caller_granted, make_campus
from tests.rest_api.conformance import MOUNT, routes

TABLE = """
                                none fake| them mask next| self says| meta read write reps frz reop mng| prog all staff
programs/                GET     401  401|  200  200  200|  200  200|  200  200   200  200 200  200 200|  200 200   200
P/                       GET     401  401|  404  404  404|  404  404|  200  200   200  200 200  200 200|  200 200   404
P/courses/               GET     401  401|  404  404  404|  404  404|  200  200   200  200 200  200 200|  200 200   404
P/enrollments/           GET     401  401|  404  404  404|  404  404|  403  200   403  403 403  403 403|  200 200   404
P/enrollments/           POST    401  401|  404  404  404|  404  404|  403  403   200  403 403  403 403|  200 200   404
P/enrollments/           PUT     401  401|  404  404  404|  404  404|  403  403   200  403 403  403 403|  200 200   404
P/enrollments/           PATCH   401  401|  404  404  404|  404  404|  403  403   200  403 403  403 403|  200 200   404
P/course_enrollments/    GET     401  401|  404  404  404|  404  404|  403  200   403  403 403  403 403|  200 200   404
C/enrollments/           GET     401  401|  404  404  404|  404  404|  403  200   403  403 403  403 403|  200 200   404
C/enrollments/           POST    401  401|  404  404  404|  404  404|  403  403   200  403 403  403 403|  200 200   404
C/enrollments/           PUT     401  401|  404  404  404|  404  404|  403  403   200  403 403  403 403|  200 200   404
C/enrollments/           PATCH   401  401|  404  404  404|  404  404|  403  403   200  403 403  403 403|  200 200   404
C/grades/                GET     401  401|  404  404  404|  404  404|  403  403   403  200 403  403 403|  200 200   404
C/grades/freeze/         POST    401  401|  404  404  404|  404  404|  403  403   403  403 409  403 403|  409 409   404
C/grades/reopen/         POST    401  401|  404  404  404|  404  404|  403  403   403  403 403  200 403|  200 200   404
C/grades/freezes/        GET     401  401|  404  404  404|  404  404|  403  403   403  200 403  403 403|  200 200   404
C/grades/freezes/1/      GET     401  401|  404  404  404|  404  404|  403  403   403  200 403  403 403|  200 200   404
V/acknowledgements/      GET     401  401|  404  404  404|  404  404|  403  403   403  200 403  403 403|  200 200   404
V/acknowledgements/      POST    401  401|  404  404  404|  404  404|  403  403   403  403 200  403 403|  200 200   404
P/grades/freeze/         POST    401  401|  404  404  404|  404  404|  403  403   403  403 409  403 403|  409 409   404
C/attendance/            GET     401  401|  404  404  404|  404  404|  403  403   403  200 403  403 403|  200 200   404
P/learners/?student_key= GET     401  401|  404  404  404|  404  404|  403  200   403  403 403  403 403|  200 200   404
P/learners/S/            GET     401  401|  404  404  404|  404  404|  403  200   403  403 403  403 403|  200 200   404
P/changes/               GET     401  401|  404  404  404|  404  404|  403  200   403  403 403  403 403|  200 200   404
U/student_keys/release/  POST    401  401|  404  404  403|  404  404|  403  403   200  403 403  403 403|  403 200   404
U/student_keys/upload/   POST    401  401|  404  404  403|  404  404|  403  403   202  403 403  403 403|  403 202   404
P/enrollments/upload/    POST    401  401|  404  404  404|  404  404|  403  403   202  403 403  403 403|  202 202   404
P/course_enrollments/upload/ POST 401 401|  404  404  404|  404  404|  403  403   202  403 403  403 403|  202 202   404
jobs/                    GET     401  401|  200  200  200|  200  200|  200  200   200  200 200  200 200|  200 200   200
J/                       GET     401  401|  404  404  404|  404  404|  403  200   403  403 403  403 403|  200 200   404
J/rows/                  GET     401  401|  404  404  404|  404  404|  403  200   403  403 403  403 403|  200 200   404
J/result/                GET     401  401|  404  404  404|  404  404|  403  200   403  403 403  403 403|  200 200   404
J/approve/               POST    401  401|  404  404  404|  404  404|  403  403   409  403 403  403 403|  409 409   404
J/cancel/                POST    401  401|  404  404  404|  404  404|  403  403   409  403 403  403 403|  409 409   404
J/resume/                POST    401  401|  404  404  404|  404  404|  403  403   409  403 403  403 403|  409 409   404
J/undo/                  POST    401  401|  404  404  404|  404  404|  403  403   202  403 403  403 403|  202 202   404
K/                       GET     401  401|  404  404  403|  404  404|  403  403   200  403 403  403 403|  403 200   404
K/rows/                  GET     401  401|  404  404  403|  404  404|  403  403   200  403 403  403 403|  403 200   404
K/result/                GET     401  401|  404  404  403|  404  404|  403  403   200  403 403  403 403|  403 200   404
K/approve/               POST    401  401|  404  404  403|  404  404|  403  403   409  403 403  403 403|  403 409   404
K/cancel/                POST    401  401|  404  404  403|  404  404|  403  403   409  403 403  403 403|  403 409   404
K/resume/                POST    401  401|  404  404  403|  404  404|  403  403   409  403 403  403 403|  403 409   404
me/programs/             GET     401  401|  200  200  200|  200  200|  200  200   200  200 200  200 200|  200 200   200
schema/                  GET     200  200|  200  200  200|  200  200|  200  200   200  200 200  200 200|  200 200   200
nowhere/                 GET     401  401|  404  404  404|  404  404|  404  404   404  404 404  404 404|  404 404   404
"""
# U is the school, P a program of it, C a course run of that, V a version of its grades, S a learner of it, J a job of
# the program, K a re-key of the school.
#
# none   no token                                      self   a learner of the program, signed in
# fake   no token; headers and a query that claim      says   the same, claiming in the query
# them   every grant on another school                 meta … mng   that single grant, on the school
# mask   the same, with headers and a query            prog   every grant, on this program alone
# next   every grant, on the school's next program     all    Django's permission to act for all schools
#                                                      staff  the host's is_staff, and nothing else

STUDENT = "S-7001/ä"
CLAIMS = {"username": "boss", "user": "boss"}
FORGED = {
    "X-User": "boss",
    "X-Username": "boss",
    "X-Remote-User": "boss",
    "Remote-User": "boss",
    "X-Forwarded-User": "boss",
    "X-Original-URL": "/api/program_enrollments/v1/schema/",
    "X-HTTP-Method-Override": "GET",
    "X-Forwarded-For": "127.0.0.1",
    "Cookie": "sessionid=boss; username=boss",
}
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Line:
    """A line of the table: what each caller gets."""

    path: str
    method: str
    statuses: dict[str, int]


def read_table() -> list[Line]:
    head, *lines = TABLE.replace("|", " ").strip().splitlines()
    callers = head.split()
    read = []
    for line in lines:
        path, method, *statuses = line.split()
        read.append(Line(path, method, dict(zip(callers, map(int, statuses), strict=True))))
    return read


LINES = read_table()
EXPORTS = [
    line
    for line in LINES
    if line.method == "GET" and line.path.endswith(("enrollments/", "grades/", "freezes/1/", "attendance/", "changes/"))
]
CALLERS = list(LINES[0].statuses)
STRANGERS = ("none", "fake", "them", "mask", "next", "staff")
BLIND = [name for name in CALLERS if next(line for line in LINES if line.path == "P/").statuses[name] != 200]
SINGLE_GRANTS = {
    "meta": Permission.METADATA,
    "read": Permission.READ_ENROLLMENTS,
    "write": Permission.WRITE_ENROLLMENTS,
    "reps": Permission.READ_REPORTS,
    "frz": Permission.FREEZE_GRADES,
    "reop": Permission.REOPEN_GRADES,
    "mng": Permission.MANAGE_ACCESS,
}


@pytest.fixture
def inhabited(campus: Campus, file_storage: Path) -> Campus:
    """The campus with a learner who has an account, an enrollment, a grade, frozen grades, and a job that ended."""
    learner = LinkedLearnerFactory(
        school=campus.school, student_key=STUDENT, email="seven@uni.example", user=UserFactory(username="seven")
    )
    ProgramEnrollmentFactory(curriculum=campus.curriculum, learner=learner)
    ProgramCourseEnrollmentFactory(program=campus.program, course_run=campus.course_run, learner=learner)
    CourseGradeFactory(user=learner.user, course_run_id=campus.course_run.course_id)
    api.freeze_grades(
        program=campus.program,
        course_run=campus.course_run,
        origin=Origin(source=Source.API.value, reason="End of term"),
    )
    raw = f"student_key,status\n{STUDENT},pending\n".encode()
    api.upload_file(
        program=campus.program,
        kind=JobKind.PROGRAM_ENROLLMENTS,
        sent=api.SentFile(io.BytesIO(raw), "seven.csv", len(raw), hashlib.sha256(raw).hexdigest()),
        options=api.UploadOptions(),
        origin=Origin(source=Source.API.value),
    )
    raw = b"old_student_key,new_student_key\nS-7002,S-7003\n"
    api.upload_rekeys(
        school=campus.school,
        sent=api.SentFile(io.BytesIO(raw), "seven.csv", len(raw), hashlib.sha256(raw).hexdigest()),
        options=api.RekeyOptions(),
        origin=Origin(source=Source.API.value),
    )
    while api.run_next_slice():
        pass
    return campus


def make_caller(name: str, campus: Campus) -> tuple[Caller, dict[str, str]]:
    """Return the caller that a column is about, and what they add to the query."""
    UserFactory(username="boss", is_staff=True)
    learner = Learner.objects.get(school=campus.school).user

    def them() -> Caller:
        return caller_granted(*Permission, school=make_campus("uni-b").school)

    def session(user: User | None) -> Caller:
        client = Client()
        assert user is not None
        client.force_login(user)
        return Caller(client=client)

    special: dict[str, Callable[[], tuple[Caller, dict[str, str]]]] = {
        "none": lambda: (Caller(), {}),
        "fake": lambda: (Caller(FORGED), CLAIMS),
        "them": lambda: (them(), {}),
        "mask": lambda: (Caller({**FORGED, **them().headers}), CLAIMS),
        "next": lambda: (caller_granted(*PROGRAM_PERMISSIONS, program=ProgramFactory(school=campus.school)), {}),
        "self": lambda: (session(learner), {}),
        "says": lambda: (session(learner), CLAIMS),
        "prog": lambda: (caller_granted(*PROGRAM_PERMISSIONS, program=campus.program), {}),
        "all": lambda: (caller_as(act_for_all_schools(ServiceUserFactory())), {}),
        "staff": lambda: (caller_as(StaffUserFactory()), {}),
    }
    if name in special:
        return special[name]()
    return caller_granted(SINGLE_GRANTS[name], school=campus.school), {}


def ask(caller: Caller, campus: Campus, line: Line, method: str, claims: dict[str, str]) -> Any:
    path = (
        line.path.replace("U/", f"schools/{campus.school.key}/")
        .replace("V/", "C/grades/freezes/1/")
        .replace("C/", campus.course_path)
        .replace("P/", campus.path)
        .replace("/S/", "/S-7001%2F%C3%A4/")
        .replace("J/", f"jobs/{Job.objects.filter(program__isnull=False).earliest('pk').pk}/")
        .replace("K/", f"jobs/{Job.objects.filter(program=None).earliest('pk').pk}/")
    )
    path, _, parameter = path.partition("?")
    query = {**({parameter.rstrip("="): STUDENT} if parameter else {}), **claims}
    body: Any = b""
    if method in {"POST", "PUT", "PATCH"}:
        body = [] if path.endswith(("enrollments/", "release/", "acknowledgements/")) else {"reason": "End of term"}
    if path.endswith("upload/"):
        header = b"course_id,student_key,status\n"
        if "student_keys" in path:
            header = b"old_student_key,new_student_key\n"
        return caller.send(method, path, header if body else b"", query=query, content_type="text/csv")
    if path.endswith("approve/") and body:
        body |= {"effects": "0" * 64, "removals": True}
    response = caller.send(method, path, body, query=query)
    if response.streaming:
        content = response.getvalue()
        response = HttpResponse(content, status=response.status_code, headers=dict(response.headers))
    return response


# Who gets what is decided in Python. On each database: what strangers get, below.
@pytest.mark.once
@pytest.mark.parametrize("name", CALLERS)
def test_each_caller_gets_what_the_table_says(inhabited: Campus, name: str) -> None:
    caller, claims = make_caller(name, inhabited)
    got = {
        (line.path, line.method): ask(caller, inhabited, line, line.method, claims).status_code
        # What changes something comes last, so that no line meets what another one did.
        for line in sorted(LINES, key=lambda line: (line.method != "GET", "reopen" in line.path))
    }
    assert got == {(line.path, line.method): line.statuses[name] for line in LINES}


@pytest.mark.parametrize("name", CALLERS)
def test_files_are_given_to_those_to_whom_the_lists_are(inhabited: Campus, name: str) -> None:
    caller, claims = make_caller(name, inhabited)
    for line in EXPORTS:
        response = ask(caller, inhabited, line, "GET", {**claims, "format": "csv"})
        assert response.status_code == line.statuses[name], line
        assert response["Content-Type"].startswith("text/csv") == (response.status_code == 200), line
        if name in STRANGERS:
            assert "S-7001" not in response.content.decode(), line


@pytest.mark.parametrize("name", STRANGERS)
def test_no_answer_to_a_stranger_shows_anything_of_the_school(inhabited: Campus, name: str) -> None:
    caller, claims = make_caller(name, inhabited)
    secrets = [
        str(inhabited.program.uuid),
        inhabited.program.title,
        inhabited.course_run.course_id,
        inhabited.course_run.title,
        "S-7001",
        "seven",
        "uni-a",
    ]
    for line in LINES:
        if line.path == "schema/" or (name == "next" and line.path == "programs/"):
            continue
        response = ask(caller, inhabited, line, line.method, claims)
        shown = response.content.decode() + str(dict(response.headers))
        assert [secret for secret in secrets if secret in shown] == [], line


@pytest.mark.once
@pytest.mark.parametrize("name", BLIND)
def test_a_program_that_is_not_visible_answers_as_one_that_is_not_there(inhabited: Campus, name: str) -> None:
    caller, claims = make_caller(name, inhabited)
    nowhere = str(inhabited.program.uuid)[:-1] + ("0" if str(inhabited.program.uuid)[-1] != "0" else "1")
    for line in LINES:
        there = ask(caller, inhabited, line, line.method, claims)
        elsewhere_line = Line(
            line.path.replace("V/", "C/grades/freezes/1/")
            .replace("C/", f"programs/{nowhere}/courses/{inhabited.course_run.course_id}/")
            .replace("P/", f"programs/{nowhere}/"),
            line.method,
            line.statuses,
        )
        elsewhere = ask(caller, inhabited, elsewhere_line, line.method, claims)
        assert (there.status_code, there.content) == (elsewhere.status_code, elsewhere.content), line


# Which methods there are is no matter of the database; what callers get by those that there are is asked on each.
@pytest.mark.once
@pytest.mark.parametrize("name", CALLERS)
def test_methods_without_a_line_are_refused_to_everybody(inhabited: Campus, name: str) -> None:
    caller, claims = make_caller(name, inhabited)
    lined = {(line.path, line.method): line.statuses[name] for line in LINES}
    for line in {line.path: line for line in LINES if line.path != "nowhere/"}.values():
        seen = line.statuses[name] not in {401, 404}
        unknown = name in {"none", "fake"} and line.path != "schema/"
        for method in METHODS:
            if (line.path, method) in lined:
                continue
            expected = 401 if unknown else 405
            if method == "HEAD":
                expected = lined.get((line.path, "GET"), expected)
            elif method == "OPTIONS":
                # Any grant shows which methods there are.
                expected = 204 if seen else line.statuses[name]
            assert ask(caller, inhabited, line, method, claims).status_code == expected, (line.path, method)


def test_every_endpoint_and_every_method_has_a_line() -> None:
    lined = {(line.path.partition("?")[0].replace("K/", "J/"), line.method) for line in LINES}
    there = set()
    for route, view in routes():
        path = route.removeprefix(f"{MOUNT}/v1/").replace("programs/<segment:program>/", "P/")
        path = path.replace("P/courses/<anything:course>/", "C/").replace("<segment:version>", "1")
        path = path.replace("C/grades/freezes/1/ack", "V/ack")
        path = (
            path.replace("jobs/<segment:job>/", "J/")
            .replace("<anything:student_key>", "S")
            .replace("schools/<segment:school>/", "U/")
        )
        path = "nowhere/" if "<rest:path>" in path else path
        methods = (
            {"GET"}
            if path == "nowhere/"
            else {name for name in METHODS[3:] + METHODS[:1] if hasattr(view.cls, name.lower())}
        )
        there |= {(path, method) for method in methods}
    assert lined == there
