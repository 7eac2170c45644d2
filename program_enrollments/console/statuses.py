"""Changing statuses: of chosen learners, with a preview and a reason."""

from __future__ import annotations

from collections import Counter
from typing import Any, ClassVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.formats import localize
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from program_enrollments import api
from program_enrollments.conf import get_setting
from program_enrollments.console import wording
from program_enrollments.console.base import CoursePage, ProgramPage, Seen
from program_enrollments.console.forms import (
    ChosenForm,
    CourseChosenForm,
    EverybodyForm,
    LearnerFilterForm,
    ProgramChosenForm,
    ReasonForm,
    RosterFilterForm,
)
from program_enrollments.data import Page, Permission, RowOutcome
from program_enrollments.exceptions import StaleEffects, TooManyRows
from program_enrollments.pages.tables import Column, Table

MOST_SHOWN = 200
"""Rows of a preview for everybody; what is refused or changes stands first."""


class StatusChange(ProgramPage):
    """What a new status would change for the chosen learners; with a reason it is done.

    The preview is a dry run of the same write, so it says what will happen, word for word.
    """

    section = "learners"
    reads_with = Permission.WRITE_ENROLLMENTS
    template_name = "program_enrollments/console/status_change.html"
    form_class: ClassVar[type[ChosenForm]] = ProgramChosenForm

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self.go(self.list_url())

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if "everybody" in request.POST:
            return self.post_everybody(request)
        form = self.form_class(request.POST)
        if not form.is_valid():
            text = " ".join(str(error) for errors in form.errors.values() for error in errors)
            return self.go(self.back(), message=text, level=messages.ERROR)
        confirmed = "confirm" in request.POST
        reason = ReasonForm(request.POST if confirmed else None)
        if confirmed and reason.is_valid():
            outcomes = self.change(form, dry_run=False, reason=reason.cleaned_data["reason"])
            return self.tell(outcomes)
        outcomes = self.change(form, dry_run=True)
        self.seen = Seen("status change", len(outcomes))
        return self.show(
            {
                "form": form,
                "reason": reason,
                "table": self.table(outcomes),
                "changes": sum(one.outcome.changed for one in outcomes),
                "refused": sum(not one.outcome.good for one in outcomes),
                "status": wording.status_label(form.cleaned_data["status"]),
                "back": self.back(),
            }
        )

    def post_everybody(self, request: HttpRequest) -> HttpResponse:
        """Preview, or make, the change of everybody whom the list's filters find, on all of its pages."""
        filters = self.filter_form(QueryDict(request.POST.get("filter", "")))
        form = EverybodyForm(request.POST, statuses=self.form_class.statuses)
        if not (filters.is_valid() and form.is_valid()):
            return self.bad_filters()
        confirmed = "confirm" in request.POST
        reason, stale = ReasonForm(request.POST if confirmed else None), ""
        try:
            if confirmed and reason.is_valid():
                made = self.change_everybody(
                    form, filters, expected=form.cleaned_data["expected"], reason=reason.cleaned_data["reason"]
                )
                return self.tell(made.outcomes)
        except StaleEffects as error:
            stale = error.message
        except TooManyRows:
            return self.too_many()
        try:
            preview = self.change_everybody(form, filters)
        except TooManyRows:
            return self.too_many()
        filters.offer(preview.courses)
        if not filters.is_valid():
            return self.bad_filters()
        outcomes = preview.outcomes
        self.seen = Seen("status change", len(outcomes), filters.used())
        return self.show(
            {
                "form": form,
                "reason": reason,
                "stale": stale,
                "everybody": len(outcomes),
                "filters": filters.described(),
                "filter": request.POST.get("filter", ""),
                "digest": preview.digest,
                "table": self.table(outcomes, limit=MOST_SHOWN),
                "hidden": max(0, len(outcomes) - MOST_SHOWN),
                "changes": sum(one.outcome.changed for one in outcomes),
                "refused": sum(not one.outcome.good for one in outcomes),
                "status": wording.status_label(form.cleaned_data["status"]),
                "back": self.back(),
            },
            status=409 if stale else 200,
        )

    def change_everybody(
        self, form: EverybodyForm, filters: LearnerFilterForm, *, expected: str | None = None, reason: str = ""
    ) -> api.FilteredChange:
        """Change the statuses of everybody whom the filters find, or find out what would change."""
        return api.change_filtered(
            program=self.program,
            course_run=self.scope.course_run,
            filters=filters.filters(),
            status=form.cleaned_data["status"],
            cascade=form.cleaned_data["cascade"],
            origin=self.origin(reason=reason),
            identity_reach=self.identity_reach,
            expected=expected,
        )

    def filter_form(self, data: QueryDict) -> LearnerFilterForm:
        """Return the form of the list's filters."""
        return LearnerFilterForm(data)

    def bad_filters(self) -> HttpResponse:
        """Go back to the list, and say that the filters or the status cannot be read."""
        return self.go(self.back(), message=_("Look at the filters, and choose a status."), level=messages.ERROR)

    def too_many(self) -> HttpResponse:
        """Go back to the list, and say that it is too long to be changed at once."""
        text = _(
            "The filters find more than %(limit)s learners, which is too many for one change. Nothing was changed. "
            "Filter more narrowly, or download the list, change the statuses in the file, and send it under Files."
        )
        message = text % {"limit": localize(get_setting("MAX_ROWS"))}
        return self.go(self.back(), message=message, level=messages.ERROR)

    def change(self, form: ChosenForm, *, dry_run: bool, reason: str = "") -> list[api.SelectedOutcome]:
        """Change the learners' statuses, or find out what would change."""
        data = form.cleaned_data
        return api.change_selected(
            program=self.program,
            course_run=self.scope.course_run,
            learner_ids=data["learner"],
            status=data["status"],
            cascade=data.get("cascade", False),
            origin=self.origin(reason=reason),
            identity_reach=self.identity_reach,
            dry_run=dry_run,
        )

    def tell(self, outcomes: list[api.SelectedOutcome]) -> HttpResponse:
        """Go back to the list, and say what became of it."""
        return self.go(self.back(), **told([one.outcome for one in outcomes]))

    def table(self, outcomes: list[api.SelectedOutcome], *, limit: int | None = None) -> Table:
        """Return the preview, what is refused first, then what changes."""
        rows = [{"student_key": one.student_key, "outcome": one.outcome} for one in outcomes]
        rows.sort(key=lambda row: (row["outcome"].good, not row["outcome"].changed))  # type: ignore[attr-defined]
        return preview_table(rows[:limit], query=self.request.GET)

    def list_url(self) -> str:
        """Return where the learners are listed."""
        return self.url("learners")

    def back(self) -> str:
        """Return where the person came from: a page of the console, with its filters."""
        wanted = self.request.POST.get("back", "")
        is_here = wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
        return wanted if is_here else self.list_url()


class CourseStatusChange(StatusChange, CoursePage):
    """The same in a course run."""

    section = "courses"
    form_class = CourseChosenForm

    def list_url(self) -> str:
        return self.course_url("roster")

    def filter_form(self, data: QueryDict) -> LearnerFilterForm:
        return RosterFilterForm(data)


def preview_table(rows: list[dict[str, Any]], *, query: Any) -> Table:
    """Return the table of a preview: who, and what would become of them."""
    columns = [
        Column(name="student_key", label=_("Learner"), kind="code"),
        Column(
            name="outcome",
            label=_("What happens"),
            show=wording.outcome_text,
            tone=lambda row: "" if not row["outcome"].good else wording.outcome_tone(row["outcome"]),
        ),
    ]
    return Table(caption=_("Preview"), columns=columns, page=Page(rows), query=query)


def told(outcomes: list[RowOutcome]) -> dict[str, Any]:
    """Return what a write did in a message, and its level."""
    changed = sum(outcome.changed for outcome in outcomes)
    refused = Counter(outcome.word for outcome in outcomes if not outcome.good).total()
    text = ngettext("%(count)d learner was changed.", "%(count)d learners were changed.", changed)
    parts = [text % {"count": changed}]
    if refused:
        text = ngettext("%(count)d was refused.", "%(count)d were refused.", refused)
        parts.append(text % {"count": refused})
    return {"message": " ".join(parts), "level": messages.WARNING if refused else messages.SUCCESS}
