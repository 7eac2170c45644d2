"""Absences: the learners of a course run who have been away for some days."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from program_enrollments.api.grades.attendance import fetch_attendance
from program_enrollments.data import Page
from program_enrollments.models import CourseRun, Program

MOST_LOOKED_AT = 1_000
"""Learners whose attendance is looked at for one page; a page may hold fewer rows than it could."""


def fetch_absences(
    *, program: Program, course_run: CourseRun, days: int | None, today: date, cursor: str | None, page_size: int
) -> Page:
    """Return a page of attendance, of those alone who have been away for `days` days, unless that is None.

    Who never attended has been away forever. Rows are those of `fetch_attendance` with `days_away`, None for who never
    came. With `days` a page looks at up to 1,000 learners, with one call of the host, and may end early. Raises what
    `fetch_attendance` raises.
    """
    size = page_size if days is None else max(page_size, MOST_LOOKED_AT)
    page = fetch_attendance(program=program, course_run=course_run, cursor=cursor, page_size=size)
    rows = [_with_days(row, today) for row in page.rows]
    if days is not None:
        limit = (today - timedelta(days=days)).isoformat()
        rows = [row for row in rows if "error" not in row and (row["last_attended"] or "") <= limit]
    return Page(rows, page.next_cursor, page.previous_cursor)


def _with_days(row: dict[str, Any], today: date) -> dict[str, Any]:
    last = row.get("last_attended")
    return {**row, "days_away": (today - date.fromisoformat(last)).days if last else None}
