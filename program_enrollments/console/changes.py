"""Changes: a program's ledger, newest first, day by day."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _

from program_enrollments import api
from program_enrollments.console import wording
from program_enrollments.console.base import EMPTY, ProgramPage, Seen
from program_enrollments.console.forms import ChangeFilterForm
from program_enrollments.data import Page, Permission
from program_enrollments.pages.csv_files import csv_response
from program_enrollments.pages.tables import Column, Table, csv_header, csv_rows

CSV_ONLY = ("id", "course_id", "kind", "before", "after", "actor", "source", "request_id", "job_id", "reason")


class ChangeList(ProgramPage):
    """The changes of a program."""

    section = "changes"
    reads_with = Permission.READ_ENROLLMENTS
    template_name = "program_enrollments/console/changes.html"

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        form = ChangeFilterForm(request.GET)
        if not form.is_valid():
            return self.show({"form": form, "days": [], "table": self.table(EMPTY), "is_filtered": True}, status=400)
        filters = form.filters()
        used = [f"{name}={value}" for name, value in form.cleaned_data.items() if value and name != "q"]
        used += ["search"] if filters.words else []
        if self.wants_csv:
            columns = self.csv_columns()
            return csv_response(
                name="changes",
                header=csv_header(columns),
                rows=csv_rows(columns, fetch=lambda cursor, size: self.fetch(filters, cursor, size)),
                when_sent=lambda count: self.record(Seen("changes", count, used), is_export=True),
            )
        page = self.fetch(filters, self.cursor, self.page_size)
        self.seen = Seen("changes", len(page.rows), used)
        days = [
            (day, self.table(Page(list(rows))))
            for day, rows in groupby(page.rows, key=lambda row: timezone.localtime(row["at"]).date())
        ]
        return self.show({"form": form, "days": days, "table": self.table(page), "is_filtered": bool(used)})

    def fetch(self, filters: api.ChangeFilters, cursor: str | None, page_size: int) -> Page:
        """Return a page of changes."""
        return api.fetch_days(program=self.program, filters=filters, cursor=cursor, page_size=page_size)

    def csv_columns(self) -> list[Column]:
        """Return the columns of the file, named as in the API."""
        names = ("id", "at", "student_key", *CSV_ONLY[1:])
        return [Column(name=name, label=name) for name in names]

    def table(self, page: Page) -> Table:
        """Return the table of a day."""
        columns = [
            Column(
                name="student_key",
                label=_("Learner"),
                kind="code",
                link=lambda row: self.url("learner", row["learner_id"]),
            ),
            Column(name="at", label=_("Time"), show=lambda at: f"{timezone.localtime(at):%H:%M:%S}"),
            Column(label=_("What changed"), show=wording.change_text, note=lambda row: row["course_id"] or ""),
            Column(label=_("Who"), show=wording.change_origin),
            Column(name="reason", label=_("Why")),
        ]
        return Table(caption=_("Changes"), columns=columns, page=page, query=self.request.GET)
