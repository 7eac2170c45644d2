"""Keeping: a learner's enrollment that files have to leave alone, and releasing it to them again."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from program_enrollments import api
from program_enrollments.console.base import CoursePage, ProgramPage
from program_enrollments.console.forms import PlainForm, reason_field
from program_enrollments.data import Permission


class KeepForm(PlainForm):
    """Why an enrollment is kept, and until when."""

    reason = reason_field()
    until = forms.DateField(
        label=gettext_lazy("Until"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=gettext_lazy("Leave it empty to keep the enrollment until somebody releases it."),
    )


class Keep(ProgramPage):
    """A learner's place in the program, which files may or may not change."""

    section = "learners"
    reads_with = Permission.WRITE_ENROLLMENTS

    def get(self, request: HttpRequest, learner: int, **kwargs: Any) -> HttpResponse:
        return self.go(self.url("learner", learner))

    def post(self, request: HttpRequest, learner: int, **kwargs: Any) -> HttpResponse:
        # Only who is a learner of this program can be kept in it.
        api.get_learner(program=self.program, learner_id=learner, last_changes=0)
        back, run = self.url("learner", learner), self.scope.course_run
        place: dict[str, Any] = {
            "program_id": self.program.pk,
            "learner_ids": [learner],
            "course_run_id": run.pk if run is not None else None,
        }
        if "release" in request.POST:
            api.release_enrollments(**place)
            return self.go(back, message=_("Files decide about this enrollment again."))
        form = KeepForm(request.POST)
        if not form.is_valid():
            return self.go(back, message=_("Give a reason, and a date or none."), level=messages.ERROR)
        data, by = form.cleaned_data, self.request.user.get_username()
        api.keep_enrollments(**place, by=by, reason=data["reason"], until=data["until"], now=timezone.now())
        return self.go(back, message=_("Files leave this enrollment alone from now on."))


class CourseKeep(Keep, CoursePage):
    """A learner's place in a course run of the program."""
