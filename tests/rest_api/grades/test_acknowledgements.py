"""`grades/freezes/{version}/acknowledgements/`: the university reports what became of each grade."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from program_enrollments import api
from program_enrollments.models import CourseRun, FrozenGrade, GradeAcknowledgement, Program
from tests.factories.enrollment import LinkedLearnerFactory, ProgramCourseEnrollmentFactory
from tests.rest_api.grades.conftest import assert_problem, enroll, post


@pytest.fixture
def frozen(sis: Client, url: str, program: Program, run: CourseRun) -> str:
    """A version with the grades of S-1, S-2 and S-3: the path of its acknowledgements."""
    for number in (1, 2, 3):
        enroll(program, run, f"S-{number}", grade="0.9")
    assert post(sis, f"{url}freeze/").status_code == 201
    return f"{url}freezes/1/acknowledgements/"


def counts(sis: Client, path: str) -> Any:
    return sis.get(path.replace("acknowledgements/", "")).json()["acknowledged"]


def states(sis: Client, path: str) -> dict[str, str]:
    return {row["student_key"]: row["state"] for row in sis.get(path).json()["results"]}


def test_each_grade_is_recorded_rejected_or_open(sis: Client, frozen: str) -> None:
    assert counts(sis, frozen) == {"recorded": 0, "rejected": 0, "open": 3}
    version = sis.get(frozen.replace("acknowledgements/", "")).json()

    response = post(
        sis,
        frozen,
        [
            {"student_key": "S-1", "state": "recorded"},
            {"student_key": "s-2 ", "state": "rejected", "detail": "Not registered for the examination."},
            {"student_key": "S-9", "state": "recorded"},
        ],
    )

    assert response.status_code == 207
    assert response.json() == {"S-1": "recorded", "s-2 ": "rejected", "S-9": "not-in-version"}
    assert counts(sis, frozen) == {"recorded": 1, "rejected": 1, "open": 1}
    first, second = sis.get(frozen).json()["results"]
    assert (first["student_key"], first["state"], first["detail"]) == ("S-1", "recorded", "")
    assert (second["student_key"], second["state"]) == ("S-2", "rejected")
    assert second["detail"] == "Not registered for the examination."
    assert second["acknowledged_by"] == "registrar"
    assert second["acknowledged_at"]
    after = sis.get(frozen.replace("acknowledgements/", "")).json()
    assert (after["results"], after["digest"]) == (version["results"], version["digest"])


def test_the_last_report_counts_and_the_ones_before_stay_as_evidence(sis: Client, frozen: str) -> None:
    post(sis, frozen, [{"student_key": "S-1", "state": "rejected", "detail": "Locked"}])
    response = post(sis, f"{frozen}?detail=true", [{"student_key": "S-1", "state": "recorded"}])

    assert response.json() == [
        {
            "key": "S-1",
            "word": "recorded",
            "good": True,
            "changed": True,
            "before": "rejected",
            "after": "recorded",
            "detail": "",
        }
    ]
    assert counts(sis, frozen) == {"recorded": 1, "rejected": 0, "open": 2}
    assert states(sis, frozen) == {"S-1": "recorded"}
    assert list(GradeAcknowledgement.objects.values_list("state", "detail")) == [
        ("rejected", "Locked"),
        ("recorded", ""),
    ]


def test_repeating_a_report_changes_nothing(sis: Client, frozen: str) -> None:
    report = [{"student_key": "S-1", "state": "recorded"}]
    post(sis, frozen, report)
    (row,) = post(sis, f"{frozen}?detail=true", report).json()

    assert (row["word"], row["changed"]) == ("recorded", False)
    assert GradeAcknowledgement.objects.count() == 1


def test_a_dry_run_answers_the_same_and_writes_nothing(sis: Client, frozen: str) -> None:
    report = [{"student_key": "S-1", "state": "recorded"}, {"student_key": "S-9", "state": "recorded"}]

    rehearsed = post(sis, f"{frozen}?dry_run=true&detail=true", report)

    assert not GradeAcknowledgement.objects.exists()
    assert rehearsed.json() == post(sis, f"{frozen}?detail=true", report).json()


def test_rows_that_name_one_student_are_refused_together(sis: Client, frozen: str) -> None:
    response = post(
        sis,
        frozen,
        [{"student_key": "S-1", "state": "recorded"}, {"student_key": " s-1", "state": "rejected"}],
    )
    assert response.status_code == 422
    assert set(response.json().values()) == {"duplicated"}
    assert not GradeAcknowledgement.objects.exists()


def test_an_id_that_two_grades_carry_names_neither(sis: Client, url: str, program: Program, run: CourseRun) -> None:
    enroll(program, run, "b@uni-a.example", grade="0.9")
    other = LinkedLearnerFactory(school=program.school, student_key="", email="b@uni-a.example")
    ProgramCourseEnrollmentFactory(program=program, course_run=run, learner=other)
    post(sis, f"{url}freeze/")
    path = f"{url}freezes/1/acknowledgements/"

    (row,) = post(sis, f"{path}?detail=true", [{"student_key": "b@uni-a.example", "state": "recorded"}]).json()

    assert row["word"] == "not-in-version"
    assert "Two grades" in row["detail"]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"state": "recorded"}, "missing"),
        ({"student_key": "", "state": "recorded"}, "blank"),
        ({"student_key": ["S-1"], "state": "recorded"}, "not_text"),
        ({"student_key": "S-1"}, "unknown_state"),
        ({"student_key": "S-1", "state": "open"}, "unknown_state"),
        ({"student_key": "S-1", "state": ["recorded"]}, "unknown_state"),
        ({"student_key": "S-1", "state": "recorded", "detail": "x" * 501}, "too_long"),
        ({"student_key": "S-1", "state": "recorded", "detail": "a\x00b"}, "unusable_characters"),
        ({"student_key": "S-1", "state": "recorded", "detail": 5}, "fine"),
        ({"student_key": "S-1", "state": "recorded", "detail": None}, "fine"),
        ({"student_key": "S-1", "state": "recorded", "detail": {}}, "not_text"),
        ("S-1", "not_an_object"),
    ],
)
def test_a_malformed_report_is_refused_as_a_whole(sis: Client, frozen: str, row: object, code: str) -> None:
    response = post(sis, frozen, [{"student_key": "S-2", "state": "recorded"}, row])

    if code == "fine":
        assert response.status_code == 200
        return
    problem = assert_problem(response, 400, "invalid_body")
    assert [(error["row"], error["code"]) for error in problem["errors"]] == [(1, code)]
    assert not GradeAcknowledgement.objects.exists()


def test_they_are_listed_page_by_page_and_by_state(sis: Client, frozen: str) -> None:
    post(sis, frozen, [{"student_key": key, "state": "recorded"} for key in ("S-3", "S-1")])

    first = sis.get(f"{frozen}?page_size=1").json()
    second = sis.get(first["next"]).json()

    assert [row["student_key"] for row in first["results"] + second["results"]] == ["S-1", "S-3"]
    assert second["next"] is None
    assert first["acknowledged"] == {"recorded": 2, "rejected": 0, "open": 1}
    assert sis.get(second["previous"]).json()["results"] == first["results"]
    assert states(sis, f"{frozen}?state=open") == {"S-2": "open"}
    assert states(sis, f"{frozen}?state=rejected") == {}
    assert_problem(sis.get(f"{frozen}?state=lost"), 400, "invalid_parameter")
    assert_problem(sis.get(f"{frozen}?cursor=x"), 404, "bad_cursor")


@pytest.mark.parametrize("version", ["2", "0", "x", "9" * 30])
def test_of_a_version_that_is_not_there(sis: Client, url: str, frozen: str, version: str) -> None:
    path = f"{url}freezes/{version}/acknowledgements/"
    assert_problem(sis.get(path), 404, "freeze_does_not_exist")
    assert_problem(post(sis, path, []), 404, "freeze_does_not_exist")


def test_a_reopened_version_can_still_be_acknowledged(sis: Client, url: str, frozen: str) -> None:
    post(sis, f"{url}reopen/")
    assert post(sis, frozen, [{"student_key": "S-1", "state": "recorded"}]).status_code == 200


def test_a_retired_person_is_gone_from_them(sis: Client, frozen: str) -> None:
    post(sis, frozen, [{"student_key": "S-1", "state": "rejected", "detail": "Ada has left."}])
    learner_id = FrozenGrade.objects.get(student_key="S-1").learner_id

    api.retire_from_freezes(pseudonyms={learner_id: "retired-1"})

    (row,) = sis.get(frozen).json()["results"]
    assert (row["student_key"], row["state"], row["detail"]) == ("retired-1", "rejected", "")
    assert post(sis, frozen, [{"student_key": "retired-1", "state": "recorded"}]).json() == {
        "retired-1": "not-in-version"
    }


def test_the_number_of_statements_does_not_grow_with_the_rows(
    sis: Client, url: str, program: Program, run: CourseRun
) -> None:
    for number in range(30):
        enroll(program, run, f"S-{number}", grade="0.9")
    post(sis, f"{url}freeze/")
    path = f"{url}freezes/1/acknowledgements/"
    spent = []
    for numbers in (range(1), range(1, 30)):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            report = [{"student_key": f"S-{number}", "state": "recorded"} for number in numbers]
            assert post(sis, path, report).status_code == 200
        spent.append(len(queries))
    assert spent[0] == spent[1]
