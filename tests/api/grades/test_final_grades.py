"""What a grade row says, and whose."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext, override_settings
from hypothesis import given
from hypothesis import strategies as st

from demo_lms.host import DemoHost
from program_enrollments import api
from program_enrollments.api.grades.final_grades import plain_number
from program_enrollments.data import Grade, GradeUnavailable
from program_enrollments.exceptions import BadCursor
from program_enrollments.host.answer_rules import plain_line, read_fraction
from program_enrollments.models import CourseRun, Learner, ProgramCourseEnrollment
from tests.api.conftest import World
from tests.factories.enrollment import (
    CurriculumFactory,
    LinkedLearnerFactory,
    PreemptiveCourseEnrollmentFactory,
    ProgramCourseEnrollmentFactory,
)
from tests.factories.host import CourseGradeFactory


def enroll(world: World, student_key: str, *, grade: tuple[str, str, bool] | None = None, **more: Any) -> Learner:
    """Put a learner with an account into the world's course run, with (letter, percent, passed) at the host."""
    learner = LinkedLearnerFactory(school=world.school, student_key=student_key, **more.pop("learner", {}))
    ProgramCourseEnrollmentFactory(program=world.program, course_run=world.course_run, learner=learner, **more)
    if grade is not None:
        letter, percent, passed = grade
        CourseGradeFactory(
            user=learner.user,
            course_run_id=world.course_run.course_id,
            letter=letter,
            percent=Decimal(percent),
            passed=passed,
        )
    return learner


def read(world: World, *, cursor: str | None = None, page_size: int = 100) -> api.GradePage:
    return api.fetch_grades(program=world.program, course_run=world.course_run, cursor=cursor, page_size=page_size)


def assert_pages_meet(world: World, keys: list[str]) -> None:
    """Walk seven grades forwards to the end in pages of three, and one page back."""
    pages, cursor = [], None
    while True:
        grades = read(world, cursor=cursor, page_size=3)
        pages.append([row["student_key"] for row in grades.page.rows])
        cursor = grades.page.next_cursor
        if cursor is None:
            break
    back = read(world, cursor=grades.page.previous_cursor, page_size=3)

    assert pages == [keys[:3], keys[3:6], keys[6:]]
    assert [row["student_key"] for row in back.page.rows] == keys[3:6]


class OddHost(DemoHost):
    """A host whose grades are whatever a test says, by student key."""

    told: dict[str, Grade | GradeUnavailable] = {}

    def __init__(self) -> None:
        super().__init__()
        self.grades = self

    def fetch_grades(self, *, course_id: str, user_ids: Any) -> dict[int, Grade | GradeUnavailable]:
        learners = Learner.objects.filter(user_id__in=user_ids).values_list("user_id", "student_key")
        return {user_id: self.told[key] for user_id, key in learners if key in self.told}


def tell(monkeypatch: pytest.MonkeyPatch, **told: Grade | GradeUnavailable) -> Any:
    monkeypatch.setattr(OddHost, "told", told)
    return override_settings(PROGRAM_ENROLLMENTS={"HOST": f"{__name__}.OddHost"})


def test_learners_with_accounts_have_a_row_each(world: World) -> None:
    enroll(world, "S-1", grade=("A", "0.925", True))
    enroll(world, "S-2", grade=("", "0.3", False))
    enroll(world, "S-3", grade=("B", "0.8", True), status="inactive")
    enroll(world, "S-4")
    enroll(world, "", learner={"email": "ann@uni.example"}, grade=("A", "1", True))
    PreemptiveCourseEnrollmentFactory(program=world.program, course_run=world.course_run)

    grades = read(world)

    assert (grades.frozen, grades.version, grades.frozen_at) == (False, None, None)
    assert grades.page.rows == [
        {"student_key": "S-1", "letter_grade": "A", "percent": 0.925, "passed": True},
        {"student_key": "S-2", "letter_grade": None, "percent": 0.3, "passed": False},
        {"student_key": "S-3", "letter_grade": "B", "percent": 0.8, "passed": True},
        {"student_key": "S-4", "error": "There is no grade for this learner yet."},
        {"student_key": "ann@uni.example", "letter_grade": "A", "percent": 1, "passed": True},
    ]


def test_only_enrollments_through_this_program_count(world: World) -> None:
    other = CurriculumFactory(program__school=world.school).program
    learner = enroll(world, "S-1", grade=("A", "0.9", True))
    ProgramCourseEnrollment.objects.filter(learner=learner).update(program=other)
    enroll(world, "S-2", grade=("B", "0.8", True))

    assert [row["student_key"] for row in read(world).page.rows] == ["S-2"]


def test_an_account_that_is_gone_has_no_row(world: World) -> None:
    learner = enroll(world, "S-1", grade=("A", "0.9", True))
    Learner.objects.filter(pk=learner.pk).update(user=None, link_how="")

    assert read(world).page.rows == []


def test_the_hosts_own_words_are_shown_when_it_cannot_tell(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for student_key in ("A", "B", "C"):
        enroll(world, student_key)

    with tell(
        monkeypatch,
        A=GradeUnavailable("Grading isn't\nfinished.\x00"),
        B=GradeUnavailable("  "),
        C=GradeUnavailable("x" * 600),
    ):
        errors = [row["error"] for row in read(world).page.rows]

    assert errors == ["Grading isn't finished.", "The learning platform cannot tell this grade.", "x" * 500]


@pytest.mark.parametrize(
    "grade",
    [
        Grade("A", 1.2, passed=True),
        Grade("A", -0.1, passed=True),
        Grade("A", float("nan"), passed=True),
        Grade("A", float("inf"), passed=True),
        Grade("A", 1e300, passed=True),
        Grade("A\x00", 0.9, passed=True),
        Grade("A" * 256, 0.9, passed=True),
    ],
)
def test_a_grade_that_is_none_costs_nobody_else_theirs(
    world: World, monkeypatch: pytest.MonkeyPatch, grade: Grade, caplog: pytest.LogCaptureFixture
) -> None:
    enroll(world, "SECRET")
    enroll(world, "B")

    with tell(monkeypatch, SECRET=grade, B=Grade(None, 0.5, passed=False)):
        odd, fine = read(world).page.rows

    assert odd == {
        "student_key": "SECRET",
        "error": "The learning platform gave a grade that cannot be used. Ask its support.",
    }
    assert fine == {"student_key": "B", "letter_grade": None, "percent": 0.5, "passed": False}
    assert "OddHost" in caplog.text
    assert "SECRET" not in caplog.text


def test_pages_go_both_ways_and_meet(world: World) -> None:
    keys = [f"S-{number}" for number in range(7)]
    for key in keys:
        enroll(world, key, grade=("A", "0.9", True))

    assert_pages_meet(world, keys)


@pytest.mark.parametrize("cursor", ["x", "0", "0.", ".bjE", "1.bjE", "0.x", "bjE", "00.bjE", "-1.bjE", "0.bjE.bjE"])
def test_a_cursor_of_another_list_is_refused(world: World, cursor: str) -> None:
    with pytest.raises(BadCursor):
        read(world, cursor=cursor)


def test_a_page_takes_three_statements_whatever_its_length(world: World) -> None:
    for number in range(12):
        enroll(world, f"S-{number}", grade=("A", "0.9", True))

    for page_size in (2, 10):
        with CaptureQueriesContext(connection) as captured:
            assert len(read(world, page_size=page_size).page.rows) == page_size
        assert len(captured) == 3  # is it frozen; who; and what the host says


def test_a_run_without_learners_asks_the_host_nothing(world: World) -> None:
    with CaptureQueriesContext(connection) as captured:
        assert read(world).page.rows == []
    assert len(captured) == 2


@given(st.floats(0, 1))
def test_a_percentage_is_within_half_a_thousandth(value: float) -> None:
    fraction = read_fraction(value)
    assert fraction is not None
    assert abs(fraction - Decimal(str(value))) <= Decimal("0.0005")
    assert 0 <= fraction <= 1
    assert plain_number(fraction) == round(float(fraction), 3)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (1, "1"),
        (0.5, "0.5"),
        (0.8995, "0.9"),
        (0.0005, "0.001"),
        (0.0004, "0"),
        (1.0000000000000002, "1"),
    ],
)
def test_numbers_are_written_in_their_shortest_form(value: float, text: str) -> None:
    fraction = read_fraction(value)
    assert fraction is not None
    assert str(plain_number(fraction)) == text


def test_lines_are_plain() -> None:
    assert plain_line(" a\tb\r\nc\ud800 ") == "a b  c"
    assert plain_line("é ñ 漢") == "é ñ 漢"


def test_the_course_run_is_asked_by_its_key(world: World) -> None:
    learner = enroll(world, "S-1")
    CourseGradeFactory(user=learner.user, letter="A", percent=Decimal("0.9"))

    assert CourseRun.objects.count() == 1
    assert "error" in read(world).page.rows[0]
