"""Learners of a program: found, filtered, printed, exported."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from program_enrollments import api
from program_enrollments.console import wording
from program_enrollments.console.base import EMPTY, ProgramPage, Seen
from program_enrollments.console.forms import LearnerFilterForm
from program_enrollments.data import LearnerFilters, Page, Permission
from program_enrollments.pages.csv_files import csv_response
from program_enrollments.pages.tables import Column, Row, Table, csv_header, csv_page_size, csv_rows


def _status_tone(row: Row) -> str:
    return wording.STATUS_TONES.get(row["status"], "")


def _state_tone(row: Row) -> str:
    return wording.STATE_TONES.get(row["state"], "")


def _problem(row: Row) -> Any:
    return wording.PROBLEMS.get(row["problem"], "")


STATE = Column(
    name="state",
    label=gettext_lazy("Account"),
    show=wording.state_label,
    tone=_state_tone,
    note=_problem,
)


class LearnerList(ProgramPage):
    """The learners of a program."""

    section = "learners"
    reads_with = Permission.READ_ENROLLMENTS
    template_name = "program_enrollments/console/learners.html"
    form_class: ClassVar[type[LearnerFilterForm]] = LearnerFilterForm
    name: ClassVar[str] = "learners"
    """The name of the list in the record of looks at personal data, and the beginning of its file's name."""

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        form = self.form_class(request.GET)
        filters = form.filters() if form.is_valid() else None
        cursor, page_size = (None, csv_page_size()) if self.wants_csv else (self.cursor, self.page_size)
        listed = self.fetch(filters, cursor, page_size)
        form.offer(listed.courses)
        if not form.is_valid():
            return self.show({"form": form, "table": self.table(EMPTY), "is_filtered": True}, status=400)
        if self.wants_csv:
            return self.export(form, first=listed.page)
        self.seen = Seen(self.name, len(listed.page.rows), form.used())
        return self.show(
            {
                "form": form,
                "table": self.table(listed.page),
                "is_filtered": bool(form.used()),
                "can_write": Permission.WRITE_ENROLLMENTS in self.permissions,
                "statuses": self.form_class.statuses,
            }
        )

    def fetch(self, filters: LearnerFilters | None, cursor: str | None, page_size: int) -> api.ListedLearners:
        """Return a page of learners, and the courses by which they can be filtered."""
        return api.fetch_learner_list(program=self.program, filters=filters, cursor=cursor, page_size=page_size)

    def export(self, form: LearnerFilterForm, *, first: Page) -> HttpResponseBase:
        """Return exactly what is filtered, as a file that can be uploaded. `first` is the list's first page."""
        columns, filters = self.columns(), form.filters()
        return csv_response(
            name=f"{self.name}-{self.file_key()}",
            header=csv_header(columns),
            rows=csv_rows(columns, fetch=lambda cursor, size: self.fetch(filters, cursor, size).page, first=first),
            when_sent=lambda count: self.record(Seen(self.name, count, form.used()), is_export=True),
        )

    def file_key(self) -> str:
        """Return what the name of an exported file says of the place."""
        return str(self.program.key or self.program.uuid)

    def columns(self) -> list[Column]:
        """Return the columns; those of uploads have their names."""
        return [
            Column(
                name="student_key",
                label=_("Student ID"),
                kind="code",
                link=lambda row: self.url("learner", row["learner_id"]),
            ),
            Column(name="email", label=_("E-mail")),
            Column(name="username", label=_("Account name")),
            Column(name="status", label=_("Status"), show=wording.status_label, tone=_status_tone),
            Column(name="curriculum_uuid", label=_("Curriculum"), is_for_csv=True),
            STATE,
        ]

    def table(self, page: Page) -> Table:
        """Return the table of a page; people who may write can choose rows."""
        can_write = Permission.WRITE_ENROLLMENTS in self.permissions
        return Table(
            caption=_("Learners of %(program)s") % {"program": self.program.title},
            columns=self.columns(),
            page=page,
            query=self.request.GET,
            choose="learner" if can_write else "",
            choose_by="learner_id",
        )
