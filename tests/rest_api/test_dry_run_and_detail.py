"""`?dry_run=true` and `?detail=true` of the writes."""

from __future__ import annotations

import pytest

from program_enrollments.models import Learner, LedgerEntry, PreemptiveProgramEnrollment
from tests.rest_api.callers import Caller, Campus

ROWS = [
    {"student_key": "S-1", "status": "enrolled"},
    {"student_key": "S-2", "status": "absent"},
    {"email": "ann@uni.example", "status": "pending"},
]


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_dry_run_answers_and_writes_nothing(campus: Campus, sis: Caller, method: str) -> None:
    dry = sis.send(method, campus.enrollments, ROWS, query={"dry_run": "true"})

    assert not Learner.objects.exists()
    assert not LedgerEntry.objects.exists()
    real = sis.send(method, campus.enrollments, ROWS)
    assert (dry.status_code, dry.json()) == (real.status_code, real.json())
    assert PreemptiveProgramEnrollment.objects.count() == 2


def test_details_come_in_the_requests_order_with_a_sentence(campus: Campus, sis: Caller) -> None:
    response = sis.put(campus.enrollments, ROWS, query={"detail": "true"})

    assert response.status_code == 207
    first, second, third = response.json()
    assert first == {
        "key": "S-1",
        "word": "enrolled",
        "good": True,
        "changed": True,
        "before": None,
        "after": "enrolled",
        "detail": "",
    }
    assert (second["word"], second["good"], second["after"]) == ("invalid-status", False, None)
    assert "enrolled, pending" in second["detail"]
    assert third["key"] == "ann@uni.example"


def test_both_go_together_and_for_course_runs_too(campus: Campus, sis: Caller) -> None:
    sis.put(campus.enrollments, ROWS[:1])

    response = sis.put(
        f"{campus.course_path}enrollments/",
        [{"student_key": "S-1", "status": "active"}, {"student_key": "S-9", "status": "active"}],
        query={"dry_run": "true", "detail": "true"},
    )

    assert [(row["word"], row["changed"]) for row in response.json()] == [("active", True), ("not-in-program", False)]
    listed = sis.get(f"{campus.course_path}enrollments/").json()["results"]
    assert listed == []


@pytest.mark.parametrize("name", ["dry_run", "detail"])
def test_another_value_is_refused(campus: Campus, sis: Caller, name: str) -> None:
    response = sis.put(campus.enrollments, ROWS, query={name: "perhaps"})
    assert (response.status_code, response.json()["error_code"]) == (400, "invalid_parameter")
    assert not Learner.objects.exists()
