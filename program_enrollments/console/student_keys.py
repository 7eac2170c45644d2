"""Student IDs that a school gives to other persons: releasing them from their former holders."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from program_enrollments import api
from program_enrollments.conf import get_setting
from program_enrollments.console.base import SchoolPage
from program_enrollments.console.forms import PlainForm, reason_field, refuse
from program_enrollments.data import Page, Permission
from program_enrollments.pages.tables import Column, Table


class ReleaseForm(PlainForm):
    """Student IDs, one a line, and why they are released."""

    lines = forms.CharField(
        label=gettext_lazy("Student IDs, one per line"),
        max_length=1_000_000,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
    )
    reason = reason_field()


class StudentKeys(SchoolPage):
    """Releasing student IDs, with a preview first: it can't be undone here."""

    section = "student-keys"
    reads_with = Permission.WRITE_ENROLLMENTS
    template_name = "program_enrollments/console/student_keys.html"

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self.show({"form": ReleaseForm()})

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        form = ReleaseForm(request.POST)
        keys = [line.strip() for line in request.POST.get("lines", "").splitlines() if line.strip()]
        limit = get_setting("MAX_ROWS")
        if len(keys) > limit:
            refuse(form, _("At most %(limit)d lines at once.") % {"limit": limit}, field="lines")
        if not form.is_valid():
            return self.show({"form": form}, status=400)
        confirmed = "confirm" in request.POST
        words = api.release_student_keys(
            school=self.school,
            student_keys=keys,
            origin=self.origin(reason=form.cleaned_data["reason"]),
            dry_run=not confirmed,
        )
        released = words.count(api.Released.RELEASED)
        context = {"table": self.table(keys, words), "released": released, "is_done": confirmed}
        return self.show({"form": ReleaseForm() if confirmed else form, **context})

    def table(self, keys: list[str], words: list[api.Released]) -> Table:
        """Return what became of each line, or would."""
        rows = [{"student_key": key, "word": word} for key, word in zip(keys, words, strict=True)]
        columns = [
            Column(name="student_key", label=_("Student ID"), kind="code"),
            Column(
                name="word",
                label=_("What happens"),
                show=lambda word: word.label,
                tone=lambda row: "good" if row["word"] == api.Released.RELEASED else "bad",
            ),
        ]
        return Table(caption=_("Student IDs"), columns=columns, page=Page(rows), query=self.request.GET)
