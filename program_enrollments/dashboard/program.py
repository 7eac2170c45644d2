"""A program: where the learner stands, the courses, whom to ask; printed, an enrollment confirmation."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from program_enrollments import api
from program_enrollments.dashboard.base import DashboardPage
from program_enrollments.dashboard.wording import card_of, sections_of, tell_refusals
from program_enrollments.data import ProgramStatus


class ProgramPage(DashboardPage):
    """A program of the person's own. Any other does not exist."""

    section = "program"
    template_name = "program_enrollments/dashboard/program.html"

    def get(self, request: HttpRequest, program: Any) -> HttpResponse:
        now = timezone.now()
        page = api.get_own_program(user=request.user, uuid=program, now=now)
        self.frame.school = page.program.school
        context = {
            "page": page,
            "program": page.program,
            "card": card_of(page.program),
            "sections": sections_of(page.program),
            "notices": tell_refusals(page.program),
            "keep_account_url": page.keep_account_url if page.program.is_over else "",
            "is_partial": page.is_partial,
            "status_label": ProgramStatus(page.program.status).label,
            "printed_on": now.date(),
            "check_url": request.build_absolute_uri(reverse("dashboard:confirmation")),
        }
        return self.show(context)
