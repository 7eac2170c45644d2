"""The home page: where everything is."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from demo_lms.models import CourseRun
from demo_lms.sign_in.schools import fetch_sign_in_choices


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show links to all there is."""
    return render(
        request,
        "demo_lms/home.html",
        {"identity_providers": fetch_sign_in_choices(), "course_runs": CourseRun.objects.all()[:20]},
    )
