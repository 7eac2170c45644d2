"""Acknowledgements: what the university's own system did with the grades of a version."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from program_enrollments import api
from program_enrollments.conf import get_setting
from program_enrollments.console.base import CoursePage, Seen
from program_enrollments.console.forms import MAX_REASON, PlainForm, refuse
from program_enrollments.data import AcknowledgementState, Permission, RowOutcome
from program_enrollments.pages.csv_files import csv_response
from program_enrollments.pages.tables import Column, Table, csv_header, csv_rows

STATES = [*AcknowledgementState.choices, ("open", gettext_lazy("open"))]
TONES = {"recorded": "good", "rejected": "bad", "open": "wait"}


class StateFilterForm(PlainForm):
    """The filter of a version's acknowledgements."""

    state = forms.ChoiceField(
        label=gettext_lazy("State"),
        required=False,
        choices=[("", gettext_lazy("recorded or rejected")), *STATES],
    )


class AcknowledgeForm(PlainForm):
    """Student IDs, one per line, and what became of their grades."""

    lines = forms.CharField(
        label=gettext_lazy("Student IDs, one per line"),
        max_length=1_000_000,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "autocomplete": "off"}),
    )
    state = forms.ChoiceField(label=gettext_lazy("What became of these grades"), choices=AcknowledgementState.choices)
    detail = forms.CharField(
        label=gettext_lazy("In your own words"),
        required=False,
        max_length=MAX_REASON,
        help_text=gettext_lazy("For example why your system refused the grades. Don't name people."),
    )


class Acknowledgements(CoursePage):
    """What was reported about a version's grades; with the permission to freeze, reporting it."""

    section = "grades"
    reads_with = Permission.READ_REPORTS
    writes_with = Permission.FREEZE_GRADES
    template_name = "program_enrollments/console/acknowledgements.html"

    def get(self, request: HttpRequest, version: int, **kwargs: Any) -> HttpResponseBase:
        filters = StateFilterForm(request.GET)
        if not filters.is_valid():
            return self.answer(self.fetch(version), filters, AcknowledgeForm(), status=400)
        state = filters.cleaned_data["state"] or None
        used = [f"state={state}"] if state else []
        if self.wants_csv:
            columns = self.columns()
            return csv_response(
                name=f"acknowledgements-version-{version}",
                header=csv_header(columns),
                rows=csv_rows(columns, fetch=lambda cursor, size: self.fetch(version, state, cursor, size).page),
                when_sent=lambda count: self.record(Seen("acknowledgements", count, used), is_export=True),
            )
        reported = self.fetch(version, state, self.cursor, self.page_size)
        self.seen = Seen("acknowledgements", len(reported.page.rows), used)
        return self.answer(reported, filters, AcknowledgeForm())

    def post(self, request: HttpRequest, version: int, **kwargs: Any) -> HttpResponse:
        form = AcknowledgeForm(request.POST)
        keys = [line.strip() for line in request.POST.get("lines", "").splitlines() if line.strip()]
        limit = get_setting("MAX_ROWS")
        if len(keys) > limit:
            refuse(form, _("At most %(limit)d lines at once.") % {"limit": limit}, field="lines")
        if not form.is_valid():
            return self.answer(self.fetch(version), StateFilterForm({}), form, status=400)
        state = AcknowledgementState(form.cleaned_data["state"])
        outcomes = api.acknowledge_grades(
            program=self.program,
            course_run=self.course_run,
            version=version,
            rows=[api.Acknowledgement(key, state, form.cleaned_data["detail"]) for key in keys],
            origin=self.origin(),
        )
        refused = [outcome for outcome in outcomes if not outcome.good]
        if refused:
            left = AcknowledgeForm(
                {**form.cleaned_data, "lines": "\n".join(outcome.key for outcome in refused)},
            )
            stored = len(outcomes) - len(refused)
            return self.answer(self.fetch(version), StateFilterForm({}), left, refused=refused, stored=stored)
        text = ngettext("%(count)d grade is acknowledged.", "%(count)d grades are acknowledged.", len(outcomes))
        return self.go(request.path, message=text % {"count": len(outcomes)}, level=messages.SUCCESS)

    def fetch(
        self, version: int, state: str | None = None, cursor: str | None = None, page_size: int | None = None
    ) -> api.AcknowledgementPage:
        """Return a page of what was reported, by default the first one of all."""
        return api.fetch_acknowledgements(
            program=self.program,
            course_run=self.course_run,
            version=version,
            state=state,
            cursor=cursor,
            page_size=page_size or self.page_size,
        )

    def answer(
        self,
        reported: api.AcknowledgementPage,
        filters: StateFilterForm,
        report: AcknowledgeForm,
        *,
        refused: Sequence[RowOutcome] = (),
        stored: int = 0,
        status: int = 200,
    ) -> HttpResponse:
        """Show the page, with the report as it is filled in."""
        caption = _("Acknowledgements of version %(version)d") % {"version": reported.version.version}
        table = Table(caption=caption, columns=self.columns(), page=reported.page, query=self.request.GET)
        return self.show(
            {
                "reported": reported,
                "form": filters,
                "is_filtered": bool(self.request.GET.get("state")),
                "table": table,
                "report": report,
                "refused": refused,
                "stored": stored,
                "may_change": Permission.FREEZE_GRADES in self.permissions,
            },
            status=status,
        )

    def columns(self) -> list[Column]:
        """Return the columns, named as in the API."""
        labels = dict(STATES)
        return [
            Column(name="student_key", label=_("Student ID"), kind="code"),
            Column(name="state", label=_("State"), show=labels.get, tone=lambda row: TONES[row["state"]]),
            Column(name="detail", label=_("Your system says")),
            Column(name="acknowledged_at", label=_("When"), kind="time"),
            Column(name="acknowledged_by", label=_("Who")),
        ]
