"""A learner's places in programs and course runs, and the one form that changes the status of each.

Whether a place is real or waits for an account makes no difference to staff: both have the same link and the same form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from program_enrollments import api
from program_enrollments.admin.filters import read_primary_key
from program_enrollments.admin.forms import CourseStatusForm, ProgramStatusForm
from program_enrollments.admin.large_tables import AnyModelAdmin
from program_enrollments.admin.messages import staff_origin, tell_outcomes
from program_enrollments.admin.pages import change_page, form_page_context
from program_enrollments.data import Origin, RowOutcome
from program_enrollments.exceptions import ProgramEnrollmentsError
from program_enrollments.models import (
    Learner,
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
    ProgramCourseEnrollment,
    ProgramEnrollment,
)

TEMPLATE = "admin/university_enrollments/learner/place.html"
PROGRAMS: tuple[type[Model], ...] = (ProgramEnrollment, PreemptiveProgramEnrollment)
COURSES: tuple[type[Model], ...] = (ProgramCourseEnrollment, PreemptiveCourseEnrollment)


@dataclass(frozen=True, slots=True)
class Place:
    """An enrollment of a learner, with its form and the function that writes the chosen status."""

    enrollment: Any
    form: type[forms.Form]
    write: Callable[[dict[str, Any], Origin], list[RowOutcome]]


def may_change(request: HttpRequest, model: type[Model]) -> bool:
    """Return whether the viewer may change the statuses of this table."""
    options = model._meta
    return request.user.has_perm(f"{options.app_label}.change_{options.model_name}")


def change_place(request: HttpRequest, *, model_admin: AnyModelAdmin, learner: Learner) -> HttpResponse:
    """Show the form for the place that the address names.

    On POST, write the status and go back to the learner's page.
    """
    place = _find_place(request, learner)
    if place is None:
        raise Http404
    if not may_change(request, type(place.enrollment)):
        raise PermissionDenied
    form = place.form(request.POST if request.method == "POST" else None, initial={"status": place.enrollment.status})
    if form.is_valid():
        origin = staff_origin(request=request, reason=form.cleaned_data["reason"])
        try:
            tell_outcomes(request=request, outcomes=place.write(form.cleaned_data, origin))
        except ProgramEnrollmentsError as error:
            messages.error(request, error.message)
        return HttpResponseRedirect(change_page(model_admin.admin_site, learner))
    context = form_page_context(model_admin=model_admin, request=request, form=form) | {
        "title": _("Change the status"),
        "subtitle": str(learner),
        "original": learner,
        "enrollment": place.enrollment,
        "is_real": isinstance(place.enrollment, (ProgramEnrollment, ProgramCourseEnrollment)),
    }
    return TemplateResponse(request, TEMPLATE, context)


def _find_place(request: HttpRequest, learner: Learner) -> Place | None:
    """Return the learner's place in the address's program or course run, or None if there is none."""
    program_id, run_id = (read_primary_key(request.GET.get(name)) for name in ("program", "course_run"))
    if program_id is None:
        return None
    if "course_run" in request.GET:
        enrollment = _find(COURSES, learner=learner, program=program_id, course_run=run_id)
        return enrollment and Place(
            enrollment,
            CourseStatusForm,
            lambda data, origin: api.change_course_statuses(
                places=[api.CoursePlace(program_id, enrollment.course_run_id, learner.pk)],
                status=data["status"],
                course_staff=data["course_staff"],
                origin=origin,
            ),
        )
    enrollment = _find(PROGRAMS, learner=learner, program=program_id)
    return enrollment and Place(
        enrollment,
        ProgramStatusForm,
        lambda data, origin: api.change_program_statuses(
            places=[api.ProgramPlace(program_id, learner.pk)],
            status=data["status"],
            cascade=data["cascade"],
            origin=origin,
        ),
    )


def _find(models: tuple[type[Model], ...], **conditions: Any) -> Any:
    found = (model._default_manager.filter(**conditions).select_related("program").first() for model in models)
    return next((enrollment for enrollment in found if enrollment is not None), None)
