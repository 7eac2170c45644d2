"""`grades/freezes/`: the list, one version as JSON and as CSV."""

from __future__ import annotations

import csv
import io

import pytest
from django.http import StreamingHttpResponse
from django.test import Client

from program_enrollments.models import CourseRun, FrozenGrade, GradeFreeze, Program
from program_enrollments.rest_api.v1 import freezes
from program_enrollments.tabular_files import output
from tests.rest_api.grades.conftest import assert_problem, enroll, post


def test_they_are_listed_page_by_page(sis: Client, url: str) -> None:
    assert sis.get(f"{url}freezes/").json() == {"next": None, "previous": None, "results": []}
    for number in range(3):
        post(sis, f"{url}freeze/", {"reason": f"Round {number + 1}"})
        if number < 2:
            post(sis, f"{url}reopen/", {"reason": "A mistake"})

    first = sis.get(f"{url}freezes/?page_size=2").json()
    second = sis.get(first["next"]).json()

    assert [row["reason"] for row in first["results"]] == ["Round 1", "Round 2"]
    assert [row["reopen_reason"] for row in first["results"]] == ["A mistake", "A mistake"]
    (standing,) = second["results"]
    assert standing.keys() == {
        *("version", "frozen_by", "frozen_at", "reason", "count", "digest"),
        *("retired", "reopened_by", "reopened_at", "reopen_reason"),
    }
    assert (standing["reopened_by"], standing["reopened_at"], standing["reopen_reason"]) == (None, None, None)


def test_one_with_its_results(sis: Client, url: str, program: Program, run: CourseRun) -> None:
    enroll(program, run, "S-2", grade="0.925")
    enroll(program, run, "S-1")
    receipt = post(sis, f"{url}freeze/").json()

    response = sis.get(f"{url}freezes/1/")

    assert response["Content-Type"] == "application/json"
    version = response.json()
    assert version.pop("results") == [
        {"student_key": "S-1", "error": "There is no grade for this learner yet."},
        {"student_key": "S-2", "letter_grade": "A", "percent": 0.925, "passed": True},
    ]
    assert version == {
        **receipt,
        "acknowledged": {"recorded": 0, "rejected": 0, "open": 2},
        "retired": 0,
        "reopened_by": None,
        "reopened_at": None,
        "reopen_reason": None,
    }


@pytest.mark.parametrize("version", ["0", "2", "01", "-1", "1.0", "x", "٣", "9" * 30, "%00", "1%20"])
def test_one_that_is_not_there(sis: Client, url: str, version: str) -> None:
    post(sis, f"{url}freeze/")
    assert_problem(sis.get(f"{url}freezes/{version}/"), 404, "freeze_does_not_exist")


@pytest.mark.parametrize("asked", ["?format=csv", "accept"])
def test_as_csv(sis: Client, url: str, program: Program, run: CourseRun, asked: str) -> None:
    enroll(program, run, "S-1", grade="0.925")
    enroll(program, run, "=1+1", grade="1", letter="")
    enroll(program, run, 'a,"b', grade="0.5", letter="-")
    enroll(program, run, "Ü")
    post(sis, f"{url}freeze/")

    if asked == "accept":
        response = sis.get(f"{url}freezes/1/", headers={"Accept": "text/csv"})
    else:
        response = sis.get(f"{url}freezes/1/{asked}")

    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="grades-version-1.csv"'
    assert list(csv.reader(io.StringIO(response.content.decode(), newline=""))) == [
        ["student_key", "letter_grade", "percent", "passed", "error"],
        ["'=1+1", "", "1", "true", ""],
        ["S-1", "A", "0.925", "true", ""],
        ['a,"b', "'-", "0.5", "true", ""],
        ["Ü", "", "", "", "There is no grade for this learner yet."],
    ]


def test_other_forms_are_refused(sis: Client, url: str) -> None:
    post(sis, f"{url}freeze/")
    assert_problem(sis.get(f"{url}freezes/1/?format=xml"), 406, "not_acceptable")
    assert_problem(sis.get(f"{url}freezes/1/", headers={"Accept": "image/png"}), 406, "not_acceptable")


def test_long_ones_are_streamed_and_are_the_same(
    sis: Client, url: str, program: Program, run: CourseRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        enroll(program, run, f"S-{number}", grade="0.9")
    post(sis, f"{url}freeze/")
    pages = [f"{url}freezes/1/", f"{url}freezes/1/?format=csv"]
    before = [sis.get(page).content for page in pages]

    monkeypatch.setattr(freezes, "MAX_ROWS_IN_MEMORY", 2)
    monkeypatch.setattr(output, "ROWS_PER_BLOCK", 1)
    streamed = [sis.get(page) for page in pages]

    assert all(isinstance(response, StreamingHttpResponse) for response in streamed)
    assert [response.getvalue() for response in streamed] == before


def test_a_retired_person_is_gone_from_them(sis: Client, url: str, program: Program, run: CourseRun) -> None:
    learner = enroll(program, run, "S-1", grade="0.9")
    post(sis, f"{url}freeze/")

    FrozenGrade.objects.filter(learner_id=learner.pk).update(student_key="retired-1", is_retired=True)
    GradeFreeze.objects.update(retired=1)

    version = sis.get(f"{url}freezes/1/").json()
    assert (version["retired"], version["results"][0]["student_key"]) == (1, "retired-1")
