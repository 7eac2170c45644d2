"""Jobs: files that schools sent, how far each has come, and decisions about held ones."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from program_enrollments import api
from program_enrollments.admin.filters import ProgramFilter, SchoolFilter, SchoolOfProgramFilter
from program_enrollments.admin.forms import ReasonForm
from program_enrollments.admin.large_tables import LargeTableAdmin, ViewOnlyAdmin
from program_enrollments.admin.pages import form_page_context
from program_enrollments.data import ENDED_STATES, JobState, Origin, Source
from program_enrollments.exceptions import StaleEffects, WrongState
from program_enrollments.models import Job, JobRow, KeptEnrollment

TEMPLATE = "admin/university_enrollments/job/decide.html"
CHOICES = ("approve", "approve_without", "cancel", "resume", "undo", "undo_preview")


class DecisionForm(ReasonForm):
    """Why a job is approved, canceled, resumed or undone."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].help_text = gettext_lazy("Kept with the job, and in the ledger with what it changes.")


@admin.register(Job)
class JobAdmin(ViewOnlyAdmin):
    """Files, newest first. The page of one leads to its rows, and to what can be decided."""

    change_form_template = "admin/university_enrollments/job/change_form.html"
    list_display = [
        "id",
        "school",
        "program",
        "kind",
        "mode",
        "dry_run",
        "state",
        "total",
        "done",
        "changed",
        "refused",
        "removals",
        "created",
        "created_by",
    ]
    list_prefetch_related = ("school", "program")
    list_filter = [SchoolFilter, ProgramFilter, "state", "kind"]
    fields = [
        "school",
        "program",
        "kind",
        "mode",
        "dry_run",
        "undoes",
        "reason",
        "cascade",
        "leaving_status",
        "identity_provider",
        "honor_old_until",
        "state",
        "message",
        "notes",
        "file_name",
        "size",
        "sha256",
        "total",
        "done",
        "counts",
        "changed",
        "unchanged",
        "refused",
        "removals",
        "held",
        "created_by",
        "created",
        "started",
        "finished",
        "next_try",
        "decided_by",
        "decided_at",
        "decision_reason",
        "removals_approved",
        "request_id",
    ]

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_decide"
        decide = path("<int:pk>/decide/", self.admin_site.admin_view(self.decide), name=name)
        urls: list[URLPattern] = super().get_urls()
        return [decide, *urls]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        may_decide = self.may_change(request)
        context = {**(extra_context or {}), "may_decide": may_decide}
        response: HttpResponse = super().change_view(request, object_id, form_url, context)
        return response

    def decide(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show what can be decided about a job, and on POST do it."""
        job = get_object_or_404(Job, pk=pk)
        if not self.may_change(request):
            raise PermissionDenied
        form = DecisionForm(request.POST if request.method == "POST" else None)
        asked = next((choice for choice in CHOICES if choice in request.POST), None)
        if asked is not None and form.is_valid():
            shown = self._decide(request, job, asked, form.cleaned_data["reason"])
            return redirect(reverse(f"{self.admin_site.name}:{self.opts.app_label}_job_change", args=[shown.pk]))
        context = form_page_context(model_admin=self, request=request, form=form) | {
            "title": _("Decide about job %s") % job.pk,
            "original": job,
            "is_held": job.state == JobState.HELD,
            "may_cancel": job.state not in ENDED_STATES,
            "may_undo": api.why_not_undoable(job) is None,
            "may_resume": job.state == JobState.WAITING or (job.state == JobState.FAILED and job.waiting_since),
        }
        return render(request, TEMPLATE, context)

    def _decide(self, request: HttpRequest, job: Job, asked: str, reason: str) -> Job:
        """Do what was asked, and return the job whose page shows what comes of it."""
        origin = Origin(source=Source.STAFF.value, actor_id=request.user.pk, reason=reason)
        try:
            if asked in {"approve", "approve_without"}:
                effects = request.POST.get("effects", "")
                api.approve_job(job=job, effects=effects, removals=asked == "approve", origin=origin)
            elif asked in {"undo", "undo_preview"}:
                undo = api.undo_job(job=job, origin=origin, dry_run=asked == "undo_preview")
                self.log_change(request, job, f"{asked}: {reason}")
                messages.success(request, _("This is the undo. It begins as soon as a worker is free."))
                return undo
            elif asked == "cancel":
                api.cancel_job(job=job, origin=origin)
            else:
                api.resume_job(job=job, origin=origin)
        except (WrongState, StaleEffects) as error:
            messages.warning(request, error.message)
            return job
        self.log_change(request, job, f"{asked}: {reason}")
        messages.success(request, _("Done. The job goes on as soon as a worker is free."))
        return job


@admin.register(JobRow)
class JobRowAdmin(ViewOnlyAdmin):
    """What became of lines; those that changed nothing have no row."""

    list_display = ["job", "line", "student_key", "course_id", "word", "changed", "before", "after", "detail"]
    list_prefetch_related = ("job",)
    list_filter = ["job"]
    fields = ["job", "line", "student_key", "course_id", "word", "changed", "before", "after", "detail", "planned"]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """Offer no list of all jobs beside the rows; the job's page links to its own."""
        return []

    def _own_parameters(self, request: HttpRequest) -> set[str]:
        return {"job__id__exact", "word__exact"}


class KeepingForm(forms.ModelForm):  # type: ignore[type-arg]
    """What is kept. Program and learner have to belong together."""

    class Meta:
        model = KeptEnrollment
        fields = ["learner", "program", "course_run", "reason", "until"]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        learner, program = cleaned.get("learner"), cleaned.get("program")
        if learner is not None and program is not None and learner.school_id != program.school_id:
            self.add_error("program", _("The learner is of another school than the program."))
        return cleaned


@admin.register(KeptEnrollment)
class KeptEnrollmentAdmin(LargeTableAdmin):
    """Enrollments that files leave alone. Calls of the API don't."""

    form = KeepingForm
    list_display = ["learner", "program", "course_run", "by", "reason", "until", "created"]
    list_prefetch_related = ("learner", "program", "course_run")
    list_filter = [SchoolOfProgramFilter, ProgramFilter]
    raw_id_fields = ["learner", "program", "course_run"]
    fields = ["learner", "program", "course_run", "reason", "until"]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.by = str(request.user.get_username())[:255]
        super().save_model(request, obj, form, change)
