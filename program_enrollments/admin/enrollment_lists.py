"""The base of the lists of enrollments: columns, search, and the action that changes a status."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from program_enrollments import api
from program_enrollments.admin.large_tables import AnyQuerySet, ViewOnlyAdmin
from program_enrollments.admin.messages import staff_origin, tell_outcomes
from program_enrollments.admin.pages import form_page_context, linked, viewable_page
from program_enrollments.admin.search import ENROLLMENT_HELP, search_enrollments
from program_enrollments.data import Origin, RowOutcome
from program_enrollments.exceptions import ProgramEnrollmentsError

MAX_AT_ONCE = 1_000
"""The most enrollments of one bulk action: one chunk of a bulk write."""


MAX_SHOWN = 20
NUMBERS = re.compile(r"[0-9]{1,18}(,[0-9]{1,18})*")


def _read_numbers(text: str) -> list[int]:
    """Return the primary keys that the confirmation page sent back, or None if it sent anything else."""
    return [int(number) for number in text.split(",")] if NUMBERS.fullmatch(text) else []


class EnrollmentAdmin(ViewOnlyAdmin):
    """A list of enrollments, with an action that changes their status through the same write as the API."""

    search_fields = ["learner__student_key"]  # shows the box; what it does is in get_search_results
    search_help_text = ENROLLMENT_HELP
    actions = ["change_status"]
    change_form_template = "admin/university_enrollments/enrollment.html"
    status_form: type[forms.Form]
    place: type[api.ProgramPlace | api.CoursePlace]
    """The value that names an enrollment of this list to `api`; its fields are columns of the table."""

    def change_statuses(self, places: Sequence[Any], data: dict[str, Any], origin: Origin) -> list[RowOutcome]:
        """Write the chosen status to the chosen enrollments, and return the outcomes."""
        raise NotImplementedError

    @admin.display(description=gettext_lazy("student ID"))
    def student(self, enrollment: Any) -> str:
        return str(enrollment.learner.display_key)

    @admin.display(description=gettext_lazy("learner"))
    def learner_page(self, enrollment: Any) -> str:
        """The student ID, with a link to the learner's page for those who may see it."""
        return linked(enrollment.learner.display_key, getattr(enrollment, "learner_url", ""))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        enrollment = super().get_object(request, object_id, from_field)
        if enrollment is not None:
            enrollment.learner_url = viewable_page(self.admin_site, request, enrollment.learner)
        return enrollment

    @admin.display(description=gettext_lazy("school"))
    def school(self, enrollment: Any) -> str:
        return str(enrollment.program.school)

    def get_search_results(
        self, request: HttpRequest, queryset: AnyQuerySet, search_term: str
    ) -> tuple[AnyQuerySet, bool]:
        return search_enrollments(queryset=queryset, text=search_term), False

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context["may_change_status"] = self.may_change(request)
        return super().render_change_form(request, context, *args, **kwargs)

    def has_write_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may use the action below (Django calls a method of this name)."""
        return self.may_change(request)

    @admin.action(description=gettext_lazy("Change the status"), permissions=["write"])
    def change_status(self, request: HttpRequest, queryset: AnyQuerySet) -> HttpResponse | None:
        """Show a form for the status and the reason. When it comes back, write."""
        if "apply" in request.POST:
            queryset = self.get_queryset(request).filter(pk__in=_read_numbers(request.POST.get("chosen", "")))
        # The primary keys alone: with the rows, everything that the list shows would be fetched, too.
        chosen = list(queryset.order_by("pk").values_list("pk", *self.place._fields)[: MAX_AT_ONCE + 1])
        if len(chosen) > MAX_AT_ONCE:
            text = _("Choose at most %(limit)d enrollments at a time. For more, upload a file or use the API.")
            messages.error(request, text % {"limit": MAX_AT_ONCE})
            return None
        if not chosen:
            messages.warning(
                request,
                _("These enrollments are not there any more; they may have become real. Search for the learner again."),
            )
            return None
        numbers = [number for number, *_place in chosen]
        shown = list(self.get_queryset(request).filter(pk__in=numbers[:MAX_SHOWN]).order_by("pk"))
        present = shown[0].status if shown else ""
        form = self.status_form(request.POST if "apply" in request.POST else None, initial={"status": present})
        if form.is_valid():
            places = [self.place(*place) for _number, *place in chosen]
            origin = staff_origin(request=request, reason=form.cleaned_data["reason"])
            try:
                tell_outcomes(request=request, outcomes=self.change_statuses(places, form.cleaned_data, origin))
            except ProgramEnrollmentsError as error:
                messages.error(request, error.message)
            return None
        context = {
            **form_page_context(model_admin=self, request=request, form=form),
            "title": _("Change the status"),
            "count": len(numbers),
            "shown": shown,
            "first": str(numbers[0]),
            # One field for all keys, because Django limits the number of fields.
            "chosen": ",".join(map(str, numbers)),
            "checkbox_name": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/university_enrollments/status_change.html", context)
