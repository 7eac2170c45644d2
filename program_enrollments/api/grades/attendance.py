"""Attending: when and how much learners took part in a course run, as the host recorded it.

See docs/grades.rst, Attendance.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from functools import partial
from typing import Any

from django.utils.translation import gettext as _

from program_enrollments.api.grades.final_grades import plain_number, read_reason
from program_enrollments.api.grades.members import GatheredLearner, gather_page
from program_enrollments.api.reads.cursors import walk
from program_enrollments.data import Attendance, AttendanceUnavailable, Page
from program_enrollments.host import get_host
from program_enrollments.host.answer_rules import read_fraction
from program_enrollments.host.deadline import limited
from program_enrollments.models import CourseRun, Program

ABSENT = Attendance()


def fetch_attendance(
    *, program: Program, course_run: CourseRun, since: date | None = None, cursor: str | None, page_size: int
) -> Page:
    """Return a page of attendance of the learners with an account in the course run.

    All who are in it through the program are listed, present or not.

    Dates are UTC days in ISO 8601; `since` (a UTC day) limits `days_attended` alone to that day and later. One
    statement and one call of the host a page. A learner whose record cannot be reported has a row with `error` alone.
    Raises BadCursor, and HostError if the host cannot answer.
    """
    page = gather_page(program=program, course_run=course_run, cursor=cursor, page_size=page_size)
    told: Mapping[int, Attendance | AttendanceUnavailable] = {}
    if page.learners:
        with limited("CALL_HOST_SECONDS"):
            told = get_host().attendance.fetch_attendance(
                course_id=course_run.course_id, user_ids=[learner.user_id for learner in page.learners], since=since
            )
    rows = [_render(learner, told.get(learner.user_id, ABSENT)) for learner in page.learners]
    return Page(rows, page.next_cursor, page.previous_cursor)


def walk_attendance(
    *, program: Program, course_run: CourseRun, since: date | None, page_size: int
) -> Iterator[dict[str, Any]]:
    """Yield every row of `fetch_attendance`, a page at a time. Raises HostError."""
    return walk(partial(fetch_attendance, program=program, course_run=course_run, since=since, page_size=page_size))


def _render(learner: GatheredLearner, attendance: Attendance | AttendanceUnavailable) -> dict[str, Any]:
    if isinstance(attendance, AttendanceUnavailable):
        reason = read_reason(attendance.error) or _("The learning platform cannot report this attendance.")
        return {"student_key": learner.student_key, "error": reason}
    completion = attendance.completion
    return {
        "student_key": learner.student_key,
        "first_attended": attendance.first_attended.isoformat() if attendance.first_attended else None,
        "last_attended": attendance.last_attended.isoformat() if attendance.last_attended else None,
        "days_attended": attendance.days_attended,
        "completion": None if completion is None else plain_number(read_fraction(completion)),
    }
