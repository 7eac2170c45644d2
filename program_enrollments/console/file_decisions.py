"""File decisions: starting what was previewed, approving what is held, canceling, resuming, undoing."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from program_enrollments import api
from program_enrollments.console.file_forms import ApprovalForm, DecisionForm
from program_enrollments.console.file_jobs import JobPage
from program_enrollments.data import Permission
from program_enrollments.exceptions import ResultExpired, StaleEffects, WrongState


class Decision(JobPage):
    """Something that a person does with a file; afterwards the file's page is there again."""

    reads_with = Permission.WRITE_ENROLLMENTS
    form_class: ClassVar[type[DecisionForm]] = DecisionForm
    done: ClassVar[str | Promise] = ""

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self.go(self.job_url())

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        form = self.form_class(request.POST)
        if not form.is_valid():
            return self.go(self.job_url(), message=_("Say why: the reason is kept with it."), level=messages.ERROR)
        try:
            self.decide(form)
        except StaleEffects:
            text = _("The list of removals has changed since you saw it. Look at it again, and decide then.")
            return self.go(self.job_url(), message=text, level=messages.ERROR)
        except (WrongState, ResultExpired) as error:
            return self.go(self.job_url(), message=error.message, level=messages.ERROR)
        return self.go(self.job_url(), message=self.done)

    def decide(self, form: DecisionForm) -> None:
        """Do it. Raises StaleEffects, WrongState, ResultExpired."""
        raise NotImplementedError


class Approve(Decision):
    """A held file may go on, with or without the removals that were looked at."""

    form_class = ApprovalForm
    done = gettext_lazy("Approved. The file goes on.")

    def decide(self, form: DecisionForm) -> None:
        data = form.cleaned_data
        api.approve_job(
            job=self.job,
            effects=data["effects"],
            removals=data["removals"] == "true",
            origin=self.origin(reason=data["reason"]),
        )


class Cancel(Decision):
    """A file ends where it is."""

    done = gettext_lazy("Canceled. What had been applied before stays.")

    def decide(self, form: DecisionForm) -> None:
        api.cancel_job(job=self.job, origin=self.origin(reason=form.cleaned_data["reason"]))


class Resume(Decision):
    """A file that an outage stopped goes on."""

    done = gettext_lazy("The file goes on.")

    def decide(self, form: DecisionForm) -> None:
        api.resume_job(job=self.job, origin=self.origin(reason=form.cleaned_data["reason"]))


class UndoPreview(JobPage):
    """What an undo would put back is worked out, and shown on a page of its own."""

    reads_with = Permission.WRITE_ENROLLMENTS

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self.go(self.job_url())

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        try:
            undo = api.undo_job(job=self.job, origin=self.origin(), dry_run=True)
        except WrongState as error:
            return self.go(self.job_url(), message=error.detail, level=messages.ERROR)
        return self.go(self.url("file", undo.pk))


class Undo(JobPage):
    """What a file changed is put back; the page of the undo is there then."""

    reads_with = Permission.WRITE_ENROLLMENTS

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self.go(self.job_url())

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        form = DecisionForm(request.POST)
        if not form.is_valid():
            return self.go(self.job_url(), message=_("Say why: the reason is kept with it."), level=messages.ERROR)
        try:
            undo = api.undo_job(job=self.job, origin=self.origin(reason=form.cleaned_data["reason"]))
        except WrongState as error:
            return self.go(self.job_url(), message=error.detail, level=messages.ERROR)
        return self.go(self.url("file", undo.pk))


class Start(JobPage):
    """What a preview has shown is done, with the file that was kept."""

    reads_with = Permission.WRITE_ENROLLMENTS

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self.go(self.job_url())

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        try:
            started = api.start_previewed(job=self.job, origin=self.origin())
        except (WrongState, ResultExpired) as error:
            return self.go(self.job_url(), message=error.message, level=messages.ERROR)
        return self.go(self.url("file", started.pk))
