"""Unusable grades and attendance records are errors of their learners alone."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.utils.translation import gettext_lazy

from program_enrollments.data import Attendance, Grade, GradeUnavailable
from program_enrollments.models import (
    FrozenGrade,
)
from tests.api.conftest import World
from tests.api.grade_freezes import freeze
from tests.api.grades.test_attendance import attend
from tests.api.grades.test_attendance import read as read_attendance
from tests.api.grades.test_final_grades import enroll
from tests.api.grades.test_final_grades import read as read_grades
from tests.host.odd_hosts import Change, UseOddHost, for_user

pytestmark = pytest.mark.once

UNUSABLE_GRADE = "The learning platform gave a grade that cannot be used. Ask its support."
UNUSABLE_ATTENDANCE = "The learning platform gave an attendance record that cannot be used. Ask its support."
MONDAY = date(2026, 3, 2)


UNUSABLE_GRADES = {
    "no percent": Grade("P", None, passed=True),  # type: ignore[arg-type]
    "percent is a bool": Grade("P", True, passed=True),
    "percent is text": Grade("P", "0.9", passed=True),  # type: ignore[arg-type]
    "percent is not a number": Grade("P", float("nan"), passed=True),
    "percent is a decimal that is not a number": Grade("P", Decimal("sNaN"), passed=True),  # type: ignore[arg-type]
    "percent is infinite": Grade("P", float("inf"), passed=True),
    "percent is over 1": Grade("P", 85, passed=True),
    "percent is below 0": Grade("P", -0.5, passed=True),
    "letter is blank": Grade(" ", 0.9, passed=True),
    "letter is a number": Grade(5, 0.9, passed=True),  # type: ignore[arg-type]
    "letter cannot be stored": Grade("A\x00", 0.9, passed=True),
    "letter is too long": Grade("A" * 256, 0.9, passed=True),
    "passed is a number": Grade("A", 0.9, passed=1),  # type: ignore[arg-type]
    "passed is missing": Grade("A", 0.9, passed=None),  # type: ignore[arg-type]
    "a dict": {"letter_grade": "A", "percent": 0.9, "passed": True},
    "nothing": None,
    "a reason that is none": GradeUnavailable(None),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("grade", UNUSABLE_GRADES.values(), ids=UNUSABLE_GRADES.keys())
def test_an_unusable_grade_is_that_learners_error_live_and_frozen(
    world: World, odd_host: UseOddHost, caplog: pytest.LogCaptureFixture, grade: Any
) -> None:
    odd = enroll(world, "SECRET", grade=("A", "0.9", True))
    enroll(world, "S-2", grade=("B", "0.8", True))
    odd_host(fetch_grades=for_user(odd.user, grade))
    expected = [
        {"student_key": "S-2", "letter_grade": "B", "percent": 0.8, "passed": True},
        {"student_key": "SECRET", "error": UNUSABLE_GRADE},
    ]

    assert sorted(read_grades(world).page.rows, key=lambda row: row["student_key"]) == expected
    assert freeze(world).count == 2
    assert read_grades(world).page.rows == expected
    assert "tests.host.odd_hosts.OddHost" in caplog.text
    assert "grades.fetch_grades" in caplog.text
    assert "SECRET" not in caplog.text


@pytest.mark.parametrize(
    "change",
    [
        lambda answer: list(answer.values()),
        lambda answer: None,
        lambda answer: {str(user_id): grade for user_id, grade in answer.items()},
        lambda answer: {float(user_id): grade for user_id, grade in answer.items()},
        lambda answer: dict.fromkeys([(1, "a"), None], *answer.values()),
    ],
    ids=["a list", "nothing", "IDs are text", "IDs are floats", "no IDs"],
)
def test_grades_that_are_nobodys_are_an_error_instead_of_no_grade_yet(
    world: World, odd_host: UseOddHost, change: Change
) -> None:
    enroll(world, "S-1", grade=("A", "0.9", True))
    odd_host(fetch_grades=change)

    assert read_grades(world).page.rows == [{"student_key": "S-1", "error": UNUSABLE_GRADE}]
    freeze(world)
    assert FrozenGrade.objects.get().error == UNUSABLE_GRADE


def test_grades_of_others_are_passed_over(world: World, odd_host: UseOddHost, caplog: pytest.LogCaptureFixture) -> None:
    enroll(world, "S-1", grade=("A", "0.9", True))
    enroll(world, "S-2")
    odd_host(fetch_grades=lambda answer: {**answer, 10**6: Grade("B", 0.8, passed=True)})

    rows = read_grades(world).page.rows

    assert [row.get("error") for row in rows] == [None, "There is no grade for this learner yet."]
    assert "OddHost" in caplog.text


@pytest.mark.parametrize(
    "attendance",
    [
        Attendance(datetime(2026, 3, 2, tzinfo=UTC), MONDAY, 1),
        Attendance(MONDAY, datetime(2026, 3, 2, tzinfo=UTC), 1),
        Attendance("2026-03-02", MONDAY, 1),  # type: ignore[arg-type]
        Attendance(MONDAY, date(2026, 3, 1), 1),
        Attendance(MONDAY, None, 1),
        Attendance(MONDAY, MONDAY, "3"),  # type: ignore[arg-type]
        Attendance(MONDAY, MONDAY, True),
        Attendance(MONDAY, MONDAY, 1.5),  # type: ignore[arg-type]
        Attendance(MONDAY, MONDAY, -1),
        Attendance(MONDAY, MONDAY, None),  # type: ignore[arg-type]
        Attendance(MONDAY, MONDAY, 1, completion=True),
        Attendance(MONDAY, MONDAY, 1, completion="0.5"),  # type: ignore[arg-type]
        Attendance(MONDAY, MONDAY, 1, completion=float("nan")),
        Attendance(MONDAY, MONDAY, 1, completion=float("-inf")),
        Attendance(MONDAY, MONDAY, 1, completion=40),
        {"days_attended": 3},
        None,
    ],
    ids=repr,
)
def test_unusable_attendance_is_that_learners_error(
    world: World, odd_host: UseOddHost, caplog: pytest.LogCaptureFixture, attendance: Any
) -> None:
    odd, fine = enroll(world, "SECRET"), enroll(world, "S-2")
    attend(world, fine, 2)
    odd_host(fetch_attendance=for_user(odd.user, attendance))

    first, second = read_attendance(world).rows

    assert first == {"student_key": "SECRET", "error": UNUSABLE_ATTENDANCE}
    assert second["days_attended"] == 1
    assert "attendance.fetch_attendance" in caplog.text
    assert "SECRET" not in caplog.text


def test_attendance_that_is_no_mapping_is_everybodys_error(world: World, odd_host: UseOddHost) -> None:
    enroll(world, "S-1")
    odd_host(fetch_attendance=lambda answer: [*answer.items()])

    assert read_attendance(world).rows == [{"student_key": "S-1", "error": UNUSABLE_ATTENDANCE}]


def test_one_line_of_the_log_speaks_for_many_records(
    world: World, odd_host: UseOddHost, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(20):
        enroll(world, f"S-{number}", grade=("A", "0.9", True))
    odd_host(fetch_grades=lambda answer: dict.fromkeys(answer, Grade("P", None, passed=True)))  # type: ignore[arg-type]

    read_grades(world)

    (line,) = [record.getMessage() for record in caplog.records if record.name.startswith("program_enrollments")]
    for part in ("OddHost", "grades.fetch_grades", "percent", "NoneType", "20"):
        assert part in line


def test_a_lazy_reason_is_a_reason(world: World, odd_host: UseOddHost) -> None:
    learner = enroll(world, "S-1")
    odd_host(fetch_grades=for_user(learner.user, GradeUnavailable(gettext_lazy("Wait."))))  # type: ignore[arg-type]

    assert read_grades(world).page.rows == [{"student_key": "S-1", "error": "Wait."}]
