"""The learner's own page."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from demo_lms.models import CourseEnrollment, EmailAddress
from demo_lms.models.primary import rows_of
from program_enrollments import api
from program_enrollments.data import CourseStatus, ProgramStatus

MOST_PROGRAMS = 100
"""Programs shown of one learner; nobody is in more."""


@login_required
@never_cache
@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """Show the signed-in learner's programs with their courses, and the other courses they are in."""
    user_id = cast("int", request.user.pk)
    page = api.fetch_own_programs(user_id=user_id, cursor=None, page_size=MOST_PROGRAMS)
    programs = [_with_labels(program) for program in page.rows]
    in_programs = {course["course_id"] for program in programs for course in program["courses"]}
    others = (
        rows_of(CourseEnrollment)
        .filter(user=user_id, is_active=True)
        .exclude(course_run__in=in_programs)
        .select_related("course_run")
        .order_by("course_run")
    )
    context = {
        "programs": programs,
        "other_courses": others,
        "address": rows_of(EmailAddress).filter(user=user_id).first(),
    }
    return render(request, "demo_lms/dashboard.html", context)


def _with_labels(program: dict[str, Any]) -> dict[str, Any]:
    """Return one of the app's rows with its statuses in words for people."""
    courses = [course | {"status_label": CourseStatus(course["status"]).label} for course in program["courses"]]
    return program | {"status_label": ProgramStatus(program["status"]).label, "courses": courses}
