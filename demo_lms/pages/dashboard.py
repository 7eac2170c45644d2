"""The learner's own page: the programs as program_enrollments shows them, and what else this LMS has for them."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from demo_lms.models import CourseEnrollment
from demo_lms.models.primary import rows_of
from program_enrollments import api


@login_required
@never_cache
@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """Show the learner's programs, by the template tag of program_enrollments, and the other courses they are in."""
    in_programs = api.fetch_own_course_keys(user=request.user)
    others = (
        rows_of(CourseEnrollment)
        .filter(user=request.user.pk, is_active=True)
        .exclude(course_run__in=in_programs)
        .select_related("course_run")
        .order_by("course_run")
    )
    return render(request, "demo_lms/dashboard.html", {"other_courses": others})
