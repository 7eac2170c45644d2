"""Final grades and activity on Open edX: `GradePort` and `AttendancePort`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, date
from typing import Any

from django.apps import apps
from django.db.models import F, QuerySet
from django.db.models.functions import TruncDate

from program_enrollments.data import Attendance, Grade
from program_enrollments.host.openedx.platform import get_model, parse_course_keys


class OpenEdxGrades:
    """The grades that the platform has stored.

    None is computed: that takes seconds per learner, and sends events.
    """

    def fetch_grades(self, *, course_id: str, user_ids: Collection[int]) -> Mapping[int, Grade]:
        """Return each stored grade, in one statement; there is none before a learner's first attempt."""
        key = parse_course_keys([course_id]).get(course_id)
        if key is None:
            return {}
        rows = get_model("grades.PersistentCourseGrade").objects.filter(course_id=key, user_id__among=user_ids)
        return {
            user_id: to_grade(letter, percent)
            for user_id, letter, percent, stored in rows.values_list(
                "user_id", "letter_grade", "percent_grade", "course_id"
            )
            if str(stored) == course_id
        }


def to_grade(letter: str, percent: float) -> Grade:
    """Return a stored grade.

    The platform calls a learner passed who has a letter: the first pass is kept when a grade falls again.
    """
    return Grade(letter_grade=letter or None, percent=percent, passed=bool(letter))


class OpenEdxAttendance:
    """Days (UTC) on which a learner first or last touched a block, or completed one: a lower bound."""

    def fetch_attendance(
        self, *, course_id: str, user_ids: Collection[int], since: date | None = None
    ) -> Mapping[int, Attendance]:
        """Return each user's first, last and number of days, in one statement for the course run."""
        key = parse_course_keys([course_id]).get(course_id)
        if key is None or not user_ids:
            return {}
        days: dict[int, list[date]] = {}
        for user_id, day in _days(key, user_ids):
            days.setdefault(user_id, []).append(day)
        return {
            user_id: Attendance(
                first_attended=min(attended),
                last_attended=max(attended),
                days_attended=sum(since is None or day >= since for day in attended),
            )
            for user_id, attended in days.items()
        }


def _days(key: Any, user_ids: Collection[int]) -> QuerySet[Any, tuple[int, date]]:
    """Return (user ID, day) once for every day that left a trace."""
    modules = get_model("courseware.StudentModule").objects.filter(course_id=key, student__among=user_ids)
    traces = [
        modules.annotate(owner=F("student_id"), day=TruncDate(moment, tzinfo=UTC)) for moment in ("created", "modified")
    ]
    if is_completion_installed():
        completions = get_model("completion.BlockCompletion").objects
        rows = completions.filter(context_key=key, user__among=user_ids, completion__gt=0)
        traces += [
            rows.annotate(owner=F("user_id"), day=TruncDate(moment, tzinfo=UTC)) for moment in ("created", "modified")
        ]
    first, *others = (rows.order_by().values_list("owner", "day") for rows in traces)
    # UNION leaves one of equal rows.
    days: QuerySet[Any, tuple[int, date]] = first.union(*others)
    return days


def is_completion_installed() -> bool:
    """Whether the platform keeps completed blocks: the package can be left out."""
    return apps.is_installed("completion")
