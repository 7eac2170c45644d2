"""Files of student IDs that change: sent, previewed, started, followed (ADR 0026)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, BinaryIO, ClassVar, cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from program_enrollments import api
from program_enrollments.conf import get_setting
from program_enrollments.console import file_words
from program_enrollments.console.base import SchoolPage
from program_enrollments.console.file_forms import DecisionForm, RowFilterForm
from program_enrollments.console.file_jobs import POLLED, POLLED_EVERY
from program_enrollments.console.forms import PlainForm, refuse
from program_enrollments.console.job_links import job_links
from program_enrollments.data import ENDED_STATES, JobState, Page, Permission
from program_enrollments.exceptions import (
    DayIsOver,
    InvalidFile,
    JobDoesNotExist,
    ProgramEnrollmentsError,
    ResultExpired,
    StorageUnavailable,
    WrongState,
)
from program_enrollments.pages.tables import Column, Row, Table

CHUNK_BYTES = 256 * 1024


class RekeyForm(PlainForm):
    """A file of old and new IDs, and until when the old ones count."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        allow_empty_file=True,
        help_text=gettext_lazy("CSV with the columns old_student_key and new_student_key on line 1."),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,text/csv,text/tab-separated-values"}),
        error_messages={"required": gettext_lazy("Choose the file first.")},
    )
    honor_old_until = forms.DateField(
        label=gettext_lazy("Old IDs count until the end of"),
        required=False,
        help_text=gettext_lazy(
            "Until then students may sign in with either ID, and files may use either. Without a day the old IDs are "
            "free for other students at once."
        ),
        widget=forms.DateInput(attrs={"type": "date"}),
    )

    def clean_file(self) -> Any:
        sent = self.cleaned_data["file"]
        limit = get_setting("MAX_FILE_BYTES")
        if sent.size > limit:
            text = _("The file is larger than %(limit)s. Send it in parts, or ask the platform's operators.")
            raise forms.ValidationError(text % {"limit": filesizeformat(limit)})
        return sent


class Rekeys(SchoolPage):
    """The school's files of student IDs, and the form for another one, which is previewed first."""

    section = "student-keys"
    reads_with = Permission.WRITE_ENROLLMENTS
    template_name = "program_enrollments/console/rekeys.html"

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self.show_form(RekeyForm(), status=200)

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        form = RekeyForm(request.POST, request.FILES)
        if not form.is_valid():
            return self.show_form(form, status=400)
        try:
            job = api.upload_rekeys(
                school=self.school,
                sent=_read(form.cleaned_data["file"]),
                options=api.RekeyOptions(dry_run=True, honor_old_until=form.cleaned_data["honor_old_until"]),
                origin=self.origin(),
            )
        except DayIsOver as error:
            refuse(form, error.message, field="honor_old_until")
            return self.show_form(form, status=400)
        except InvalidFile as error:
            refuse(form, error.message, field="file")
            return self.show_form(form, status=400)
        except StorageUnavailable as error:
            refuse(form, error.message, field="file")
            return self.show_form(form, status=503)
        return self.go(reverse("console:rekey", args=[self.school.key, job.pk]))

    def show_form(self, form: RekeyForm, *, status: int) -> HttpResponse:
        """Return the page with the form and the files that came before."""
        page = api.fetch_rekeys(school=self.school, cursor=self.cursor, page_size=self.page_size)
        columns = [
            Column(label=_("File"), show=lambda row: file_words.job_title(row["job"]), link=self._link),
            Column(
                label=_("State"),
                show=lambda row: file_words.state_label(row["job"]),
                tone=lambda row: file_words.state_tone(row["job"]) or "quiet",
            ),
            Column(label=_("Result"), show=lambda row: file_words.tell_numbers(row["job"])),
            Column(label=_("Who"), show=lambda row: row["job"].created_by),
            Column(name="at", label=_("Time"), kind="time"),
        ]
        table = Table(caption=_("Files of student IDs"), columns=columns, page=page, query=self.request.GET)
        return self.show({"form": form, "table": table}, status=status)

    def _link(self, row: Row) -> str:
        return reverse("console:rekey", args=[self.school.key, row["job"].pk])


class RekeyPage(SchoolPage):
    """A page of one file of student IDs."""

    section = "student-keys"
    reads_with = Permission.WRITE_ENROLLMENTS
    job: api.Job

    def authorize(self) -> None:
        super().authorize()
        self.job = api.get_job(access=self.access, number=str(self.kwargs["job"]), permission=self.permission)
        if self.job.program_id is not None or self.job.school_id != self.school.pk:
            raise JobDoesNotExist

    def url(self, name: str = "rekey") -> str:
        """Return the address of a page of this file."""
        return reverse(f"console:{name}", args=[self.school.key, self.job.pk])

    def record(self, page: str, rows: int, *, is_export: bool = False) -> None:
        """Record that the person saw, or exported, student IDs."""
        api.record_disclosure(
            user_id=self.access.user_id,
            school=self.school,
            page=page,
            rows=rows,
            is_export=is_export,
            now=timezone.now(),
        )


class RekeyFile(RekeyPage):
    """A file of student IDs in whatever state it is."""

    template_name = "program_enrollments/console/rekey.html"

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        job = self.job
        form = RowFilterForm(request.GET, words=set(job.counts))
        is_valid = form.is_valid()
        presented = api.PresentedFile(job, Page())
        if is_valid:
            presented = api.present_file(job=job, filters=form.filters(), cursor=self.cursor, page_size=self.page_size)
        rows = presented.rows
        if rows.rows and "HX-Request" not in request.headers:
            self.record("rekey", len(rows.rows))
        has_ended = job.state in ENDED_STATES
        is_followed = job.state in file_words.ACTIVE_STATES
        context = {
            "job": job,
            "title": file_words.job_title(job),
            "told": file_words.tell_job(job),
            "state": file_words.state_label(job),
            "tone": file_words.state_tone(job),
            "said": file_words.tell_progress(job) if is_followed else "",
            "polled": POLLED_EVERY.get(job.state, POLLED) if is_followed else "",
            "problems": file_words.problems_of(job.counts, is_undo=job.undoes_id is not None),
            "table": self.table(rows),
            "form": form,
            "is_filtered": any(form.cleaned_data.values()) if is_valid else True,
            "links": job_links(presented, kind="rekey", place=self.school.key),
            "is_undo": job.undoes_id is not None,
            "can_undo": presented.is_undoable and job.changed
            if not job.dry_run
            else job.undoes_id is not None and job.state == JobState.SUCCEEDED,
            "can_start": job.dry_run and job.state == JobState.SUCCEEDED and job.input_name and not job.is_input_due,
            "can_resume": job.state == JobState.WAITING
            or (job.state == JobState.FAILED and job.waiting_since is not None),
            "can_cancel": not has_ended,
            "can_download": api.has_result(job=job),
            "has_file": bool(job.input_name),
            "undoing": DecisionForm(auto_id="undo_%s"),
            "cancellation": DecisionForm(auto_id="cancel_%s"),
            "resumption": DecisionForm(auto_id="resume_%s"),
        }
        response = self.show(context, status=200 if is_valid else 400)
        if "HX-Request" in request.headers and not is_followed:
            # What can be done with it is another thing now.
            response["HX-Refresh"] = "true"
        return response

    def table(self, page: Page) -> Table:
        """Return the table of the file's lines."""
        is_undo = self.job.undoes_id is not None
        columns = [
            Column(
                label=_("Learner") if is_undo else _("Old ID"),
                show=lambda row: row["student_key"] or _("not readable"),
                kind="code",
            ),
            Column(name="line", label=_("Line"), kind="number"),
            Column(
                label=_("What would happen") if self.job.dry_run else _("What happened"),
                show=file_words.rekey_text,
                tone=file_words.row_tone,
                note=file_words.row_note,
            ),
        ]
        if is_undo:
            del columns[1]
        return Table(caption=_("Lines"), columns=columns, page=page, query=self.request.GET)


class RekeyDownload(RekeyPage):
    """A file made from the one that was sent."""

    name: ClassVar[str] = ""

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        try:
            blocks = self.blocks()
        except ProgramEnrollmentsError as error:
            return self.go(self.url(), message=error.message, level=messages.ERROR)
        self.record(self.name, self.job.total, is_export=True)
        response = StreamingHttpResponse(blocks, content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="ids-{self.job.pk}-{self.name}.csv"'
        return response

    def blocks(self) -> Iterator[bytes]:
        """Return the blocks of the file."""
        raise NotImplementedError


class RekeyResult(RekeyDownload):
    """All lines with what became of them."""

    name = "result"

    def blocks(self) -> Iterator[bytes]:
        return api.write_result(job=self.job)


class RekeyRefused(RekeyDownload):
    """The refused lines alone, to be corrected and sent again."""

    name = "refused"

    def blocks(self) -> Iterator[bytes]:
        return api.write_refused(job=self.job)


class RekeyStart(RekeyPage):
    """What a preview has shown is done, with the file that was kept."""

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self.go(self.url())

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        try:
            started = api.start_previewed(job=self.job, origin=self.origin())
        except (WrongState, ResultExpired) as error:
            return self.go(self.url(), message=error.message, level=messages.ERROR)
        return self.go(reverse("console:rekey", args=[self.school.key, started.pk]))


class RekeyDecision(RekeyPage):
    """Something that takes a reason; afterwards the page of the job that `decide` returns is there."""

    done: ClassVar[str | Any] = ""

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self.go(self.url())

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        form = DecisionForm(request.POST)
        if not form.is_valid():
            return self.go(self.url(), message=_("Say why: the reason is kept with it."), level=messages.ERROR)
        try:
            job = self.decide(form.cleaned_data["reason"])
        except WrongState as error:
            return self.go(self.url(), message=error.message, level=messages.ERROR)
        return self.go(reverse("console:rekey", args=[self.school.key, job.pk]), message=self.done)

    def decide(self, reason: str) -> api.Job:
        """Do it, and return the job to go on with. Raises WrongState."""
        raise NotImplementedError


class RekeyUndoPreview(RekeyPage):
    """Which IDs an undo would put back is worked out, and shown on a page of its own."""

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self.go(self.url())

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        try:
            undo = api.undo_job(job=self.job, origin=self.origin(), dry_run=True)
        except WrongState as error:
            return self.go(self.url(), message=error.message, level=messages.ERROR)
        return self.go(reverse("console:rekey", args=[self.school.key, undo.pk]))


class RekeyUndo(RekeyDecision):
    """Everybody gets the ID from before the file; the page of the undo is there then."""

    def decide(self, reason: str) -> api.Job:
        return api.undo_job(job=self.job, origin=self.origin(reason=reason))


class RekeyCancel(RekeyDecision):
    """A file ends where it is."""

    done = gettext_lazy("Canceled. What had been applied before stays.")

    def decide(self, reason: str) -> api.Job:
        return api.cancel_job(job=self.job, origin=self.origin(reason=reason))


class RekeyResume(RekeyDecision):
    """A file that an outage stopped goes on."""

    done = gettext_lazy("The file goes on.")

    def decide(self, reason: str) -> api.Job:
        return api.resume_job(job=self.job, origin=self.origin(reason=reason))


def _read(file: Any) -> api.SentFile:
    digest = hashlib.sha256()
    for chunk in file.chunks(CHUNK_BYTES):
        digest.update(chunk)
    return api.SentFile(cast("BinaryIO", file.file), str(file.name or ""), int(file.size or 0), digest.hexdigest())
