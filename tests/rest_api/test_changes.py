"""`changes/`: pages, cursors and refusals. What is in the feed, and in what order: tests/api/reads/test_changes*.py."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from program_enrollments import api
from program_enrollments.data import Origin, Permission, ProgramEnrollmentRequest, Source, Verb
from program_enrollments.models import Program
from tests.factories.enrollment import CurriculumFactory, GrantFactory
from tests.factories.host import ServiceUserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def program() -> Program:
    program: Program = CurriculumFactory().program
    return program


@pytest.fixture
def sis(client: Client, program: Program) -> Client:
    user = ServiceUserFactory()
    GrantFactory(user=user, school=program.school, permission=Permission.READ_ENROLLMENTS)
    client.force_login(user)
    return client


def write(program: Program, *student_keys: str, status: str = "enrolled") -> None:
    user = ServiceUserFactory()
    api.write_program_enrollments(
        program=program,
        rows=[ProgramEnrollmentRequest(key, key, "", status) for key in student_keys],
        verb=Verb.UPSERT,
        origin=Origin(source=Source.API.value, actor_id=user.pk, request_id="request-1"),
    )


def changes_path(program: Program) -> str:
    return f"/api/program_enrollments/v1/programs/{program.uuid}/changes/"


def pages(client: Client, program: Program, **query: Any) -> Iterator[dict[str, Any]]:
    """Follow `next` to the end."""
    response = client.get(changes_path(program), query)
    while True:
        assert response.status_code == 200
        page = response.json()
        yield page
        if page["next"] is None:
            return
        response = client.get(page["next"])


def test_next_leads_through_everything_and_the_cursor_on_from_there(sis: Client, program: Program) -> None:
    write(program, *[f"S-{number}" for number in range(5)])

    read = list(pages(sis, program, page_size=2))

    assert [[row["student_key"] for row in page["results"]] for page in read] == [
        ["S-0", "S-1"],
        ["S-2", "S-3"],
        ["S-4"],
    ]
    assert all(page["next"].startswith("http://testserver/api/program_enrollments/v1/") for page in read[:-1])
    cursor = read[-1]["cursor"]
    assert sis.get(changes_path(program), {"after": cursor}).json() == {"next": None, "cursor": cursor, "results": []}

    write(program, "S-0", status="ended")
    [page] = pages(sis, program, after=cursor)
    assert [(row["student_key"], row["before"], row["after"]) for row in page["results"]] == [
        ("S-0", "enrolled", "ended")
    ]


def test_an_entry_is_written_as_the_contract_says(sis: Client, program: Program) -> None:
    write(program, "S-1")

    [entry] = sis.get(changes_path(program)).json()["results"]

    assert list(entry) == [
        "id",
        "at",
        "student_key",
        "course_id",
        "kind",
        "before",
        "after",
        "actor",
        "source",
        "request_id",
        "job_id",
        "reason",
    ]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", entry["at"])
    assert entry["course_id"] is entry["before"] is entry["job_id"] is None


def test_an_empty_feed_has_a_cursor(sis: Client, program: Program) -> None:
    for query in ({}, {"after": ""}):
        page = sis.get(changes_path(program), query).json()
        assert page["results"] == []
        assert page["next"] is None
        assert isinstance(page["cursor"], str)
        assert page["cursor"]


@pytest.mark.parametrize(("page_size", "rows"), [("2", 2), ("0", 3), ("-1", 3), ("two", 3), ("100000", 3)])
def test_page_size_is_taken_as_in_every_list(sis: Client, program: Program, page_size: str, rows: int) -> None:
    write(program, "S-1", "S-2", "S-3")
    assert len(sis.get(changes_path(program), {"page_size": page_size}).json()["results"]) == rows


@pytest.mark.parametrize("after", ["nonsense", "\x00", "x" * 5000, "ü"])
def test_a_bad_cursor_is_404(sis: Client, program: Program, after: str) -> None:
    response = sis.get(changes_path(program), {"after": after})
    assert response.status_code == 404
    assert response.json()["error_code"] == "bad_cursor"


def test_the_cursor_of_another_programs_feed_is_404(sis: Client, program: Program) -> None:
    other = CurriculumFactory(program__school=program.school).program
    cursor = sis.get(changes_path(other)).json()["cursor"]
    response = sis.get(changes_path(program), {"after": cursor})
    assert response.status_code == 404
    assert response.json()["error_code"] == "bad_cursor"


def test_another_schools_feed_is_404_and_one_without_the_grant_403(sis: Client, program: Program) -> None:
    other = CurriculumFactory().program
    assert sis.get(changes_path(other)).json()["error_code"] == "program_does_not_exist"

    user = ServiceUserFactory()
    GrantFactory(user=user, school=program.school, permission=Permission.WRITE_ENROLLMENTS)
    sis.force_login(user)
    assert sis.get(changes_path(program)).status_code == 403


def test_without_signing_in_it_is_401(client: Client, program: Program) -> None:
    assert client.get(changes_path(program)).status_code == 401


def test_a_page_costs_the_same_whatever_its_size(sis: Client, program: Program) -> None:
    def statements(page_size: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            page = sis.get(changes_path(program), {"page_size": page_size}).json()
        assert len(page["results"]) == page_size
        return len(captured)

    write(program, *[f"S-{number}" for number in range(101)])
    assert statements(1) == statements(100)
