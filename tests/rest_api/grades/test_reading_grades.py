"""`grades/`: statuses, members, pages. What a row says is in tests/api/grades/test_final_grades.py."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from program_enrollments.models import CourseRun, Program
from tests.rest_api.grades.conftest import ROOT, assert_problem, enroll, post


def test_nobody_is_fine(sis: Client, url: str) -> None:
    response = sis.get(url)

    assert response.status_code == 200
    assert response.json() == {
        "next": None,
        "previous": None,
        "frozen": False,
        "frozen_at": None,
        "version": None,
        "results": [],
    }


@pytest.mark.parametrize(
    ("grades", "status"), [(["0.9", "0.8"], 200), (["0.9", ""], 207), (["", "0.9"], 207), (["", ""], 422)]
)
def test_the_status_tells_how_it_went(
    sis: Client, url: str, program: Program, run: CourseRun, grades: list[str], status: int
) -> None:
    for number, grade in enumerate(grades):
        enroll(program, run, f"S-{number}", grade=grade)

    for _frozen in (False, True):
        response = sis.get(url)
        assert response.status_code == status
        assert response["Content-Type"].partition(";")[0] == "application/json"
        assert [row["student_key"] for row in response.json()["results"]] == ["S-0", "S-1"]
        post(sis, f"{url}freeze/")


def test_the_status_is_that_of_the_page(sis: Client, url: str, program: Program, run: CourseRun) -> None:
    for number, grade in enumerate(["0.9", "", ""]):
        enroll(program, run, f"S-{number}", grade=grade)

    statuses, page = [], f"{url}?page_size=1"
    while page:
        response = sis.get(page)
        statuses.append(response.status_code)
        page = response.json()["next"]

    assert statuses == [200, 422, 422]


def test_rows_have_the_contracts_members(sis: Client, url: str, program: Program, run: CourseRun) -> None:
    enroll(program, run, "Ü-1", grade="0.925")
    enroll(program, run, "S-2", grade="1", letter="")
    enroll(program, run, "S-3")

    assert sis.get(url).content.decode().partition('"results":')[2] == (
        '[{"student_key":"Ü-1","letter_grade":"A","percent":0.925,"passed":true},'
        '{"student_key":"S-2","letter_grade":null,"percent":1,"passed":true},'
        '{"student_key":"S-3","error":"There is no grade for this learner yet."}]}'
    )


def test_the_schools_own_key_names_the_run_too(sis: Client, url: str, program: Program, run: CourseRun) -> None:
    enroll(program, run, "S-1", grade="0.9")
    base = f"{ROOT}/programs/{str(program.uuid).upper()}/courses"

    plain, escaped, plus = (
        sis.get(f"{base}/{key}/grades/") for key in ("CS/101", "CS%2F101", "course-v1:Uni+CS101+2026")
    )

    assert plain.json() == escaped.json() == plus.json() == sis.get(url).json()
    assert post(sis, f"{base}/CS%2F101/grades/freeze/").status_code == 201
    assert sis.get(f"{base}/CS/101/grades/freezes/1/").json()["count"] == 1


def test_a_page_takes_as_many_statements_whatever_its_length(
    sis: Client, url: str, program: Program, run: CourseRun
) -> None:
    for number in range(12):
        enroll(program, run, f"S-{number}", grade="0.9")

    def statements(page_size: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert len(sis.get(f"{url}?page_size={page_size}").json()["results"]) == page_size
        return len(captured) - 2  # the session and its user

    # Program, course run and grants at once, whether it is frozen, the learners, the host's grades.
    assert statements(2) == statements(12) == 4
    post(sis, f"{url}freeze/")
    assert statements(2) == statements(12) == 3


def test_a_cursor_from_before_the_freeze_is_refused(sis: Client, url: str, program: Program, run: CourseRun) -> None:
    for number in range(3):
        enroll(program, run, f"S-{number}", grade="0.9")
    following = sis.get(f"{url}?page_size=2").json()["next"]

    post(sis, f"{url}freeze/")

    assert_problem(sis.get(following), 404, "bad_cursor")
    assert_problem(sis.get(f"{url}?cursor=%00"), 404, "bad_cursor")
