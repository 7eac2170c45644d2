"""Final grades of the host, in the form in which they are read, frozen and digested."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from program_enrollments.api.grades.members import GatheredLearner
from program_enrollments.data import Grade, GradeUnavailable
from program_enrollments.host import get_host
from program_enrollments.host.answer_rules import plain_line, read_fraction
from program_enrollments.models import CourseRun, FrozenGrade

MAX_ERROR_LENGTH = 500

Told = Grade | GradeUnavailable
"""A grade as the host reports it."""


class GradeRow(NamedTuple):
    """A learner's final grade as it is shown and frozen.

    Either `error` is empty, or `letter_grade`, `percent` and `passed` are None.
    """

    learner_id: int
    student_key: str
    letter_grade: str | None = None
    percent: Decimal | None = None
    passed: bool | None = None
    error: str = ""

    def render(self) -> dict[str, Any]:
        """Return the row as the API shows it (docs/grades.rst, What a row says)."""
        return render_grade(
            student_key=self.student_key,
            letter_grade=self.letter_grade,
            percent=self.percent,
            passed=self.passed,
            error=self.error,
        )


def render_grade(
    *, student_key: str, letter_grade: str | None, percent: Decimal | None, passed: bool | None, error: str
) -> dict[str, Any]:
    """Return a row of the API: a grade, or `student_key` and `error` alone. Numbers are `plain_number`s."""
    if error or percent is None:
        return {"student_key": student_key, "error": error}
    return {
        "student_key": student_key,
        "letter_grade": letter_grade,
        "percent": plain_number(percent),
        "passed": passed,
    }


def grade_learners(*, course_run: CourseRun, learners: Sequence[GatheredLearner]) -> list[GradeRow]:
    """Return the learners' present final grades, in the given order.

    Learners without a record or with an unavailable grade have a row with the reason. One call of the host, none
    without learners. Raises HostError if the host cannot answer at all.
    """
    grades = fetch_told(course_run=course_run, user_ids=[learner.user_id for learner in learners])
    return [grade_row(learner=learner, told=grades.get(learner.user_id)) for learner in learners]


def fetch_told(*, course_run: CourseRun, user_ids: Sequence[int]) -> Mapping[int, Told]:
    """Return the host's grades of these users. One call, none without users. Raises HostError."""
    if not user_ids:
        return {}
    return get_host().grades.fetch_grades(course_id=course_run.course_id, user_ids=user_ids)


def grade_row(*, learner: GatheredLearner, told: Told | None) -> GradeRow:
    """Return the row of a learner with the host's grade `told`, None if the host has no record."""
    learner_id, student_key, _user_id = learner
    if told is None:
        return GradeRow(learner_id, student_key, error=_("There is no grade for this learner yet."))
    if isinstance(told, GradeUnavailable):
        error = read_reason(told.error) or _("The learning platform cannot tell this grade.")
        return GradeRow(learner_id, student_key, error=error)
    letter = None if told.letter_grade is None else told.letter_grade.strip()
    return GradeRow(learner_id, student_key, letter, read_fraction(told.percent), told.passed)


def render_frozen(row: Sequence[Any]) -> dict[str, Any]:
    """Return a row of the API from the columns `FROZEN_COLUMNS` of a `FrozenGrade`."""
    _position, student_key, letter_grade, percent, passed, error = row
    return render_grade(student_key=student_key, letter_grade=letter_grade, percent=percent, passed=passed, error=error)


FROZEN_COLUMNS = ("position", "student_key", "letter_grade", "percent", "passed", "error")


def read_frozen(*, freeze_id: int, **conditions: Any) -> Any:
    """Return the rows of a version as tuples of `FROZEN_COLUMNS`, in their fixed order."""
    rows = FrozenGrade.objects.filter(freeze_id=freeze_id, **conditions)
    return rows.order_by("position").values_list(*FROZEN_COLUMNS)


def read_reason(reason: str) -> str:
    """Return the host's reason as it is stored: one line of at most `MAX_ERROR_LENGTH` characters."""
    return plain_line(str(reason))[:MAX_ERROR_LENGTH]


def plain_number(value: Decimal) -> int | float:
    """Return the shortest JSON number for `value`.

    0 and 1 are integers, so that every language writes a row in the same bytes.
    """
    number = float(value)
    return int(number) if number.is_integer() else number
