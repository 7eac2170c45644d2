"""Student IDs that a school gives to another person."""

from __future__ import annotations

from program_enrollments.models import Learner, LedgerEntry
from tests.console.conftest import Desk, enroll
from tests.rest_api.callers import Campus


def test_a_preview_releases_nothing(registrar: Desk, campus: Campus) -> None:
    enroll(campus, "S-1")

    page = registrar.send("student-keys", campus.school.key, lines="S-1\nS-9\n\n", reason="Given to Kim")

    assert "1 ID would be released." in page.text
    assert page.rows() == ["S-1 released", "S-9 nobody at the school has this ID"]
    assert Learner.objects.filter(student_key="S-1").exists()


def test_confirmed_it_is_free_for_somebody_else(registrar: Desk, campus: Campus) -> None:
    enroll(campus, "S-1")
    former = Learner.objects.get(student_key="S-1")

    page = registrar.send("student-keys", campus.school.key, lines="S-1", reason="Given to Kim", confirm="1")

    assert "1 ID is released." in page.text
    former.refresh_from_db()
    assert former.student_key != "S-1"
    entry = LedgerEntry.objects.filter(kind="student_key").latest("pk")
    assert (entry.source, entry.reason) == ("console", "Given to Kim")


def test_it_takes_a_reason(registrar: Desk, campus: Campus) -> None:
    enroll(campus, "S-1")

    page = registrar.send("student-keys", campus.school.key, lines="S-1", confirm="1")

    assert page.errors() == ["This field is required."]
    assert Learner.objects.filter(student_key="S-1").exists()
