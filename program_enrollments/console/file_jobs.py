"""File jobs: one file: its preview, its progress, what it would remove, its result."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from program_enrollments import api
from program_enrollments.console import file_words
from program_enrollments.console.base import EMPTY, ProgramPage, Seen
from program_enrollments.console.file_forms import ApprovalForm, DecisionForm, RowFilterForm
from program_enrollments.console.job_links import job_links
from program_enrollments.data import ENDED_STATES, FileWord, JobState, Page, Permission
from program_enrollments.exceptions import (
    InvalidFile,
    JobDoesNotExist,
    PermissionDenied,
    ResultExpired,
    StorageUnavailable,
    WrongState,
)
from program_enrollments.pages.csv_files import csv_response
from program_enrollments.pages.tables import Column, Table, csv_header, csv_rows

ROW_COLUMNS = ("line", "student_key", "course_id", "word", "changed", "before", "after", "detail")
"""The columns of the lines' CSV file, as in the API."""

POLLED_EVERY = {JobState.WAITING.value: "15s"}
POLLED = "2s"


class JobPage(ProgramPage):
    """A page of one file of the program; the person who sent it may look at it, too."""

    section = "files"
    reads_with: ClassVar[str | None] = Permission.READ_ENROLLMENTS
    job: api.Job

    def require(self) -> None:
        try:
            job = api.get_job(access=self.access, number=str(self.kwargs["job"]), permission=self.permission)
        except PermissionDenied:
            # Of another program, it is not here at all.
            job = api.get_job(access=self.access, number=str(self.kwargs["job"]))
            if job.program_id == self.program.pk:
                raise PermissionDenied(permission=self.permission) from None
        if job.program_id != self.program.pk:
            raise JobDoesNotExist
        self.job = job

    def job_url(self, name: str = "file") -> str:
        """Return the address of a page of this file."""
        return self.url(name, self.job.pk)

    @property
    def can_write(self) -> bool:
        """Whether the person may decide about the file."""
        return Permission.WRITE_ENROLLMENTS in self.permissions


class FilePage(JobPage):
    """A file in whatever state it is."""

    template_name = "program_enrollments/console/file.html"

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        job = self.job
        words = set(job.counts) or ({FileWord.LEFT.value} if job.held else set())
        form = RowFilterForm(request.GET, words=words)
        if not form.is_valid():
            return self.show(
                {**self.describe(api.PresentedFile(job, EMPTY)), "form": form, "is_filtered": True}, status=400
            )
        used = [f"{name}={value}" for name, value in form.cleaned_data.items() if value]
        if self.wants_csv:
            return self.export(form.filters(), used)
        presented = api.present_file(job=job, filters=form.filters(), cursor=self.cursor, page_size=self.page_size)
        if presented.rows.rows:
            self.seen = Seen("file", len(presented.rows.rows), used)
        return self.show({**self.describe(presented), "form": form, "is_filtered": bool(used)})

    def export(self, filters: api.JobRowFilters, used: list[str]) -> HttpResponseBase:
        """Return the lines that are filtered as a CSV file."""
        columns = [Column(name=name, label=name) for name in ROW_COLUMNS]
        return csv_response(
            name=f"file-{self.job.pk}-lines",
            header=csv_header(columns),
            rows=csv_rows(
                columns,
                fetch=lambda cursor, size: api.fetch_job_rows(
                    job=self.job, filters=filters, cursor=cursor, page_size=size
                ),
            ),
            when_sent=lambda count: self.record(Seen("file", count, used), is_export=True),
        )

    def describe(self, presented: api.PresentedFile) -> dict[str, Any]:
        """Return what the page says of the file."""
        job = presented.job
        has_file, has_ended = bool(job.input_name), job.state in ENDED_STATES
        is_shown = job.dry_run and job.state == JobState.SUCCEEDED
        can_start_undo = job.undoes_id is not None and is_shown and not presented.started
        can_start = is_shown and has_file and not job.is_input_due
        leaving = job.counts.get(FileWord.LEFT.value, 0) if job.counts else job.removals
        return {
            "job": job,
            "presented": presented,
            "links": job_links(presented, kind="file", place=self.program.uuid),
            "table": self.table(presented.rows),
            "scopes": self.scopes(job) if job.held else None,
            "title": file_words.job_title(job),
            "told": file_words.tell_job(job),
            "state": file_words.state_label(job),
            "tone": file_words.state_tone(job),
            "kind": file_words.KINDS[job.kind],
            "mode": file_words.mode_label(job),
            "is_undo": job.undoes_id is not None,
            "problems": file_words.problems_of(job.counts, is_undo=job.undoes_id is not None),
            "leaving": leaving,
            "altered": None if presented.new is None else max(0, job.changed - presented.new - leaving),
            "has_numbers": bool(job.counts),
            "progress": progress_of(job),
            "has_file": has_file,
            "has_result": api.has_result(job=job),
            "has_ended": has_ended,
            "can_write": self.can_write,
            "can_start": can_start and self.can_write,
            "can_undo": self.can_write and (can_start_undo if job.dry_run else presented.is_undoable),
            "can_cancel": not has_ended and self.can_write,
            "can_resume": self.can_write
            and (job.state == JobState.WAITING or (job.state == JobState.FAILED and job.waiting_since is not None)),
            "approval": ApprovalForm(initial={"effects": (job.held or {}).get("effects", "")}),
            "cancellation": DecisionForm(auto_id="cancel_%s"),
            "resumption": DecisionForm(auto_id="resume_%s"),
            "undoing": DecisionForm(auto_id="undo_%s"),
        }

    def table(self, page: Page) -> Table:
        """Return the table of the file's lines."""
        columns = [
            Column(label=_("Learner"), show=lambda row: row["student_key"] or _("not readable"), kind="code"),
            Column(name="line", label=_("Line"), kind="number"),
            Column(
                label=_("What happened")
                if self.job.state in ENDED_STATES and not self.job.dry_run
                else _("What would happen"),
                show=file_words.row_text,
                tone=file_words.row_tone,
                note=file_words.row_note,
            ),
        ]
        if self.job.undoes_id is not None:
            del columns[1]
        if any(row["course_id"] for row in page.rows):
            columns.insert(len(columns) - 1, Column(name="course_id", label=_("Course"), kind="code"))
        return Table(caption=_("Lines"), columns=columns, page=page, query=self.request.GET)

    def scopes(self, job: api.Job) -> Table:
        """Return whom a file would remove, by program or course run."""
        columns = [
            Column(name="course_id", label=_("Where"), show=lambda key: key or self.program.title),
            Column(name="removals", label=_("would be removed"), kind="number"),
            Column(name="present", label=_("of those present"), kind="number"),
            Column(name="limit", label=_("allowed without a decision"), kind="number"),
        ]
        return Table(
            caption=_("Removals"),
            columns=columns,
            page=Page((job.held or {}).get("scopes", [])),
            query=self.request.GET,
        )


def progress_of(job: api.Job) -> dict[str, Any] | None:
    """Return how far a file has come; None for one that nobody works on."""
    if job.state not in file_words.ACTIVE_STATES:
        return None
    is_measured = job.state == JobState.RUNNING and job.total > 0
    return {
        "said": file_words.tell_progress(job),
        "every": POLLED_EVERY.get(job.state, POLLED),
        "done": job.done if is_measured else None,
        "total": job.total,
    }


class FileProgress(JobPage):
    """How far a file has come: a part of its page, which htmx asks for again and again until it is over."""

    template_name = "program_enrollments/console/file_progress.html"

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if "HX-Request" not in request.headers:
            return self.go(self.job_url())
        progress = progress_of(self.job)
        told = request.GET.get("told", "")
        response = self.show({"job": self.job, "progress": progress, "told_before": told, "is_part": True})
        if progress is None:
            response["HX-Refresh"] = "true"
        return response


class FileDownload(JobPage):
    """A file made from the one that was sent."""

    name: ClassVar[str] = ""

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        try:
            blocks = self.blocks()
        except (WrongState, ResultExpired, InvalidFile, StorageUnavailable) as error:
            return self.go(self.job_url(), message=error.message, level=messages.ERROR)
        self.record(Seen(self.name, self.rows()), is_export=True)
        response = StreamingHttpResponse(blocks, content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="file-{self.job.pk}-{self.name}.csv"'
        return response

    def blocks(self) -> Iterator[bytes]:
        """Return the blocks of the file."""
        raise NotImplementedError

    def rows(self) -> int:
        """Return how many rows the file has."""
        raise NotImplementedError


class FileResult(FileDownload):
    """All lines with what became of them."""

    name = "result"

    def blocks(self) -> Iterator[bytes]:
        return api.write_result(job=self.job)

    def rows(self) -> int:
        return self.job.total


class RefusedLines(FileDownload):
    """The refused lines alone, to be corrected and sent again."""

    name = "refused"

    def blocks(self) -> Iterator[bytes]:
        return api.write_refused(job=self.job)

    def rows(self) -> int:
        return self.job.refused
