"""Query parameters: a name that an endpoint does not know is refused, so that a mistyped filter never answers with
everybody.
"""

from __future__ import annotations

from typing import Any

import pytest

from program_enrollments.data import JobKind, JobMode
from program_enrollments.models import Job
from program_enrollments.rest_api.endpoints import NothingHere
from program_enrollments.rest_api.parameters import PASSED_OVER
from tests.factories.enrollment import LinkedLearnerFactory, ProgramEnrollmentFactory
from tests.rest_api.callers import Caller, Campus
from tests.rest_api.conformance import MOUNT, routes

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
ROW = {"student_key": "S-1", "status": "enrolled"}


def endpoints() -> list[Any]:
    """Every method of every endpoint, as path and method."""
    return [
        pytest.param(path, method, id=f"{method} {path}")
        for path, view in ((route.removeprefix(f"{MOUNT}/v1/"), view) for route, view in routes())
        if view.cls is not NothingHere
        for method in METHODS
        if hasattr(view.cls, "get" if method == "HEAD" else method.lower())
    ]


def path_in(campus: Campus, route: str) -> str:
    if "<segment:job>" in route:
        job = Job.objects.create(
            kind=JobKind.PROGRAM_ENROLLMENTS, mode=JobMode.UPSERT, school=campus.school, program=campus.program
        )
        route = route.replace("<segment:job>", str(job.pk))
    return (
        route.replace("<segment:program>", str(campus.program.uuid))
        .replace("<anything:course>", campus.course_run.course_id)
        .replace("<anything:student_key>", "S-1")
        .replace("<segment:version>", "1")
        .replace("<segment:school>", campus.school.key)
    )


@pytest.mark.parametrize(("route", "method"), endpoints())
def test_no_endpoint_takes_a_parameter_that_it_does_not_know(
    campus: Campus, sis: Caller, route: str, method: str
) -> None:
    body: Any = b""
    if method in {"POST", "PUT", "PATCH"}:
        body = [ROW] if route.endswith(("enrollments/", "release/")) else {"reason": "End of term"}

    response = sis.send(method, path_in(campus, route), body, query={"of_nobodys_interest": "1"})

    assert response.status_code == 400
    if method != "HEAD":
        problem = response.json()
        assert (problem["error_code"], problem["parameter"]) == ("invalid_parameter", "of_nobodys_interest")
    assert sis.get(campus.enrollments).json()["results"] == []


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("student_keys", "student_key"),
        ("studentkey", "student_key"),
        ("Student_Key", "student_key"),
        ("modified-since", "modified_since"),
        ("state", "status"),
        ("account", "account_exists"),
        ("pagesize", "page_size"),
        ("curser", "cursor"),
    ],
)
def test_a_mistyped_filter_gets_the_one_that_was_meant(campus: Campus, sis: Caller, sent: str, meant: str) -> None:
    problem = sis.get(campus.enrollments, query={sent: "S-1"}).json()
    assert (problem["status"], problem["parameter"]) == (400, sent)
    assert f'Did you mean "{meant}"?' in problem["detail"]


def test_a_mistyped_switch_of_a_write_writes_nothing(campus: Campus, sis: Caller) -> None:
    response = sis.post(campus.enrollments, [ROW], query={"casacde": "true"})
    assert 'Did you mean "cascade"?' in response.json()["detail"]
    assert sis.get(campus.enrollments).json()["results"] == []


def test_a_name_like_none_gets_all_that_there_are(campus: Campus, sis: Caller) -> None:
    assert sis.get("programs/", query={"xyz": "1"}).json()["detail"] == (
        'There is no parameter "xyz" here. The parameters are: cursor, page_size, q, school, type.'
    )
    assert sis.get(campus.path, query={"page_size": "5"}).json()["detail"] == (
        'There is no parameter "page_size" here. This request takes none.'
    )


def test_a_long_or_odd_name_is_told_in_short(campus: Campus, sis: Caller) -> None:
    problem = sis.get(campus.path, query={"\x00é\n" + "x" * 10_000: "1"}).json()
    assert problem["status"] == 400
    assert len(problem["parameter"]) <= 100
    assert problem["detail"].isprintable()


def test_what_existing_clients_send_is_passed_over(campus: Campus, sis: Caller) -> None:
    assert set(PASSED_OVER) == {"format", "username", "user", "page", "limit"}
    learner = LinkedLearnerFactory(school=campus.school, student_key="S-1")
    ProgramEnrollmentFactory(curriculum=campus.curriculum, learner=learner)
    known = {"format": "json", "username": "registrar", "user": "7", "page": "2", "limit": "1"}

    for path in ("programs/", campus.path, campus.enrollments, campus.course_enrollments, f"{campus.path}changes/"):
        assert sis.get(path, query=known).json() == sis.get(path).json()
    assert sis.put(campus.enrollments, [ROW], query=known).json() == {"S-1": "enrolled"}


@pytest.mark.parametrize("claim", ["is_staff", "is_superuser", "school", "user_id", "access_token", "as"])
def test_a_claim_in_the_query_is_refused_like_any_other_name(campus: Campus, sis: Caller, claim: str) -> None:
    response = sis.get(campus.enrollments, query={claim: "true"})
    assert (response.status_code, response.json()["parameter"]) == (400, claim)


@pytest.mark.parametrize("value", ["xml", "CSV", "api", "JSON", ""])
def test_another_format_than_those_there_are_is_406(campus: Campus, sis: Caller, value: str) -> None:
    response = sis.get(campus.enrollments, query={"format": value})
    assert (response.status_code, response.json()["error_code"]) == (406, "not_acceptable")
    assert response.json()["detail"] == "format must be one of: json, csv."


def test_csv_is_406_where_there_is_no_file_to_give(campus: Campus, sis: Caller) -> None:
    for method, path in (("GET", campus.path), ("GET", f"{campus.path}courses/"), ("PUT", campus.enrollments)):
        chosen = sis.send(method, path, b"[]", query={"format": "csv"})
        accepted = sis.send(method, path, b"[]", headers={"Accept": "text/csv"})
        for response in (chosen, accepted):
            assert (response.status_code, response.json()["error_code"]) == (406, "not_acceptable")


def test_format_counts_more_than_accept(campus: Campus, sis: Caller) -> None:
    response = sis.get(campus.path, query={"format": "json"}, headers={"Accept": "text/html"})
    assert response.status_code == 200


def test_other_schools_stay_hidden_behind_a_wrong_name(campus: Campus, sis: Caller) -> None:
    for path in ("programs/00000000-0000-4000-8000-000000000000/", "nowhere/"):
        assert sis.get(path, query={"nonsense": "1"}).status_code == 404
    assert Caller().get(campus.path, query={"nonsense": "1"}).status_code == 401
