"""Files: a program's files and the writes through the API, and the templates of files."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from program_enrollments import api
from program_enrollments.console import file_words
from program_enrollments.console.base import EMPTY, ProgramPage
from program_enrollments.console.file_forms import HistoryForm
from program_enrollments.data import JobKind, Page, Permission, Source
from program_enrollments.pages.csv_files import csv_response
from program_enrollments.pages.tables import Column, Row, Table

TEMPLATES = {
    JobKind.PROGRAM_ENROLLMENTS.value: ("program", ("student_key", "email", "status", "curriculum_uuid")),
    JobKind.COURSE_ENROLLMENTS.value: ("courses", ("course_id", "student_key", "email", "status", "course_staff")),
}
"""By the kind of a file: the template's name, and its columns."""


class FileHistory(ProgramPage):
    """What came as a file and through the API, newest first.

    People who may not read all enrollments see the files that they sent.
    """

    section = "files"
    template_name = "program_enrollments/console/files.html"

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        form = HistoryForm(request.GET)
        context: dict[str, Any] = {
            "form": form,
            "can_read": Permission.READ_ENROLLMENTS in self.permissions,
            "can_write": Permission.WRITE_ENROLLMENTS in self.permissions,
        }
        if not form.is_valid():
            return self.show({**context, "table": self.table(EMPTY), "is_filtered": True}, status=400)
        page = api.fetch_history(
            access=self.access,
            program=self.program,
            filters=form.filters(),
            cursor=self.cursor,
            page_size=self.page_size,
        )
        is_filtered = any(form.cleaned_data.values())
        return self.show(
            {**context, "table": self.table(page), "is_filtered": is_filtered, "is_first": self.cursor is None}
        )

    def table(self, page: Page) -> Table:
        """Return the table of files and writes."""
        columns = [
            Column(label=_("File or write"), show=_title, link=self._link, note=_kind),
            Column(label=_("State"), show=_state, tone=_tone),
            Column(label=_("Result"), show=_numbers),
            Column(label=_("Who"), show=lambda row: row["job"].created_by if row["job"] else row["actor"]),
            Column(name="at", label=_("Time"), kind="time"),
        ]
        return Table(caption=_("Files and writes"), columns=columns, page=page, query=self.request.GET)

    def _link(self, row: Row) -> str:
        if row["job"] and row["job"].program_id is None:
            return reverse("console:rekey", args=[self.program.school.key, row["job"].pk])
        if row["job"]:
            return self.url("file", row["job"].pk)
        day = timezone.localtime(row["at"]).date().isoformat()
        return f"{self.url('changes')}?{urlencode({'source': Source.API.value, 'since': day, 'until': day})}"


def _title(row: Row) -> str:
    return file_words.job_title(row["job"]) if row["job"] else _("Write through the API")


def _kind(row: Row) -> str:
    job = row["job"]
    if not job:
        return str(row["request_id"])
    kind = str(file_words.ALL_KINDS[job.kind])
    return kind if job.program_id is None else f"{kind}, {file_words.mode_label(job)}"


def _state(row: Row) -> str:
    return file_words.state_label(row["job"]) if row["job"] else _("done")


def _tone(row: Row) -> str:
    return (file_words.state_tone(row["job"]) if row["job"] else "good") or "quiet"


def _numbers(row: Row) -> str:
    if row["job"]:
        return file_words.tell_numbers(row["job"])
    text = ngettext("%(count)d change", "%(count)d changes", row["changes"])
    return text % {"count": row["changes"]}


class FileTemplate(ProgramPage):
    """A file with nothing but the names of the columns."""

    section = "files"
    reads_with = Permission.WRITE_ENROLLMENTS

    def get(self, request: HttpRequest, kind: str, **kwargs: Any) -> HttpResponseBase:
        if kind not in TEMPLATES:
            raise Http404
        name, columns = TEMPLATES[kind]
        return csv_response(name=name, header=columns, rows=())
