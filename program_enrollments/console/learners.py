"""Learners of a program: found, filtered, printed, exported."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from program_enrollments import api
from program_enrollments.console import wording
from program_enrollments.console.base import EMPTY, ProgramPage, Seen
from program_enrollments.console.forms import LearnerFilterForm, ProgramChosenForm
from program_enrollments.data import LearnerFilters, Page, Permission
from program_enrollments.pages.csv_files import csv_response
from program_enrollments.pages.tables import Column, Row, Table, csv_header, csv_rows


def _status_tone(row: Row) -> str:
    return wording.STATUS_TONES.get(row["status"], "")


def _state_tone(row: Row) -> str:
    return wording.STATE_TONES.get(row["state"], "")


def _problem(row: Row) -> Any:
    return wording.PROBLEMS.get(row["problem"], "")


def program_filters(program: api.Program, data: QueryDict) -> LearnerFilterForm:
    """Return the form of the filters of a program's learners."""
    return LearnerFilterForm(data, courses=api.fetch_run_titles(program=program))


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

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        form = self.filter_form(request.GET)
        if not form.is_valid():
            return self.show({"form": form, "table": self.table(EMPTY), "is_filtered": True}, status=400)
        if self.wants_csv:
            return self.export(form)
        page = self.fetch(form.filters(), self.cursor, self.page_size)
        self.seen = Seen("learners", len(page.rows), form.used())
        return self.show(
            {
                "form": form,
                "table": self.table(page),
                "is_filtered": bool(form.used()),
                "can_write": Permission.WRITE_ENROLLMENTS in self.permissions,
                "chosen": ProgramChosenForm(data=request.GET.copy()),
                "statuses": ProgramChosenForm.statuses,
            }
        )

    def filter_form(self, data: QueryDict) -> LearnerFilterForm:
        """Return the form of the list's filters."""
        return program_filters(self.program, data)

    def fetch(self, filters: LearnerFilters, cursor: str | None, page_size: int) -> Page:
        """Return a page of learners."""
        return api.fetch_learners(program=self.program, filters=filters, cursor=cursor, page_size=page_size)

    def export(self, form: LearnerFilterForm) -> HttpResponseBase:
        """Return exactly what is filtered, as a file that can be uploaded."""
        columns, filters = self.columns(), form.filters()
        return csv_response(
            name=f"learners-{self.program.key or self.program.uuid}",
            header=csv_header(columns),
            rows=csv_rows(columns, fetch=lambda cursor, size: self.fetch(filters, cursor, size)),
            when_sent=lambda count: self.record(Seen("learners", count, form.used()), is_export=True),
        )

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
