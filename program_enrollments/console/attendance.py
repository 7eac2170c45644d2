"""Attendance: when learners were last in a course, and who has been away."""

from __future__ import annotations

from datetime import UTC, date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _

from program_enrollments import api
from program_enrollments.console.base import EMPTY, CoursePage, ProgramPage, Seen
from program_enrollments.console.forms import AwayForm
from program_enrollments.data import Page, Permission
from program_enrollments.pages.csv_files import csv_response
from program_enrollments.pages.tables import Column, Table, csv_header, csv_rows


class AttendanceList(ProgramPage):
    """The course runs whose attendance can be seen."""

    section = "attendance"
    reads_with = Permission.READ_REPORTS
    template_name = "program_enrollments/console/attendance.html"

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        rows = [
            {
                "course_id": state.course_run.course_id,
                "title": state.course_run.title or state.course_run.course_id,
                "external_key": state.course_run.external_key,
                "start": state.course_run.start,
                "end": state.course_run.end,
            }
            for state in api.fetch_run_states(program=self.program)
        ]
        columns = [
            Column(name="title", label=_("Course"), link=lambda row: self.url("course-attendance", row["course_id"])),
            Column(name="external_key", label=_("Own key"), kind="code"),
            Column(name="start", label=_("Start"), kind="day"),
            Column(name="end", label=_("End"), kind="day"),
        ]
        table = Table(caption=_("Courses"), columns=columns, page=Page(rows), query=request.GET)
        return self.show({"table": table})


class CourseAttendance(CoursePage):
    """The attendance of a course run, of everybody or of those who have been away."""

    section = "attendance"
    reads_with = Permission.READ_REPORTS
    template_name = "program_enrollments/console/course_attendance.html"

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        form = AwayForm(request.GET)
        if not form.is_valid():
            return self.show({"form": form, "table": self.table(EMPTY), "is_filtered": True}, status=400)
        days = form.cleaned_data["days"]
        used = [f"days={days}"] if days else []
        if self.wants_csv:
            columns = self.columns()
            return csv_response(
                name="attendance",
                header=csv_header(columns),
                rows=csv_rows(columns, fetch=lambda cursor, size: self.fetch(days, cursor, size)),
                when_sent=lambda count: self.record(Seen("attendance", count, used), is_export=True),
            )
        page = self.fetch(days, self.cursor, self.page_size)
        self.seen = Seen("attendance", len(page.rows), used)
        return self.show({"form": form, "table": self.table(page), "is_filtered": bool(days), "days": days})

    def fetch(self, days: int | None, cursor: str | None, page_size: int) -> Page:
        """Return a page of attendance; days are those of UTC, as the platform counts them."""
        return api.fetch_absences(
            program=self.program,
            course_run=self.course_run,
            days=days,
            today=timezone.now().astimezone(UTC).date(),
            cursor=cursor,
            page_size=page_size,
        )

    def columns(self) -> list[Column]:
        """Return the columns, named as in the API."""
        return [
            Column(name="student_key", label=_("Student ID"), kind="code"),
            Column(name="last_attended", label=_("Last date of attendance"), kind="day", show=_day),
            Column(name="days_away", label=_("Days away"), kind="number", show=_away),
            Column(name="first_attended", label=_("First day"), kind="day", show=_day),
            Column(name="days_attended", label=_("Days attended"), kind="number"),
            Column(name="completion", label=_("Completed"), kind="number", show=_percent),
            Column(name="error", label=_("Not known because")),
        ]

    def table(self, page: Page) -> Table:
        """Return the table of a page."""
        has_errors = any("error" in row for row in page.rows)
        columns = [one for one in self.columns() if one.name != "error" or has_errors]
        caption = _("Attendance of %(course)s") % {"course": self.course_run.title or self.course_run.course_id}
        return Table(caption=caption, columns=columns, page=page, query=self.request.GET)


def _day(value: str | None) -> date | None:
    return date.fromisoformat(value) if value else None


def _away(value: int | None) -> Any:
    return _("never came") if value is None else value


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value * 100:.0f} %"
