"""`schools/{school}/student_keys/release/`."""

from __future__ import annotations

import pytest

from program_enrollments.data import Permission
from program_enrollments.models import Learner, LedgerEntry
from tests.factories.enrollment import LearnerFactory
from tests.rest_api.callers import Campus, caller_granted

PATH = "schools/uni-a/student_keys/release/"


@pytest.fixture
def learner(campus: Campus) -> Learner:
    made: Learner = LearnerFactory(school=campus.school, student_key="A-1", email="a@uni-a.example")
    return made


def test_frees_ids_row_by_row(campus: Campus, learner: Learner) -> None:
    sis = caller_granted(Permission.WRITE_ENROLLMENTS, school=campus.school)

    response = sis.send("POST", PATH, [{"student_key": "a-1"}, {"student_key": "B"}])

    assert (response.status_code, response.json()) == (207, {"a-1": "released", "B": "unknown"})
    learner.refresh_from_db()
    assert learner.student_key == ""
    entry = LedgerEntry.objects.get()
    assert (entry.before, entry.source) == ("A-1", "api")
    assert sis.send("POST", PATH, [{"student_key": "A-1"}]).status_code == 200, "again, as free as before"
    assert sis.send("POST", PATH, []).json() == {}
    assert sis.send("POST", PATH, [{"student_key": "B"}]).status_code == 422


@pytest.mark.parametrize(
    "body", [{}, [{}], [{"student_key": ""}], [{"student_key": True}], ["A"], [{"student_key": "\u200b"}]]
)
def test_refuses_another_form_as_a_whole(campus: Campus, learner: Learner, body: object) -> None:
    sis = caller_granted(Permission.WRITE_ENROLLMENTS, school=campus.school)
    response = sis.send("POST", PATH, body)
    assert (response.status_code, response.json()["error_code"]) == (400, "invalid_body")


@pytest.mark.parametrize("key", ["UNI-A", "uni-a%20", "uni-%C3%A1", "nowhere", "uni-a%00"])
def test_a_school_that_only_looks_alike_is_none(campus: Campus, learner: Learner, key: str) -> None:
    sis = caller_granted(Permission.WRITE_ENROLLMENTS, school=campus.school)
    assert sis.send("POST", f"schools/{key}/student_keys/release/", [{"student_key": "A-1"}]).status_code == 404
