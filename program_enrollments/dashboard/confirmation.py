"""Checking a printed confirmation, for anybody who has the paper.

The code is sent in a form, so that no log has it.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from program_enrollments import api
from program_enrollments.dashboard.base import DashboardPage
from program_enrollments.data import ProgramStatus
from program_enrollments.pages.frames import Link

MAX_LENGTH = 100


class CheckConfirmation(DashboardPage):
    """A form for the code, and what it proves."""

    is_public = True
    template_name = "program_enrollments/dashboard/confirmation.html"

    def links(self) -> list[Link]:
        return super().links() if self.request.user.is_authenticated else []

    def authorize(self) -> None:
        if self.request.user.is_authenticated:
            super().authorize()

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show({})

    def post(self, request: HttpRequest) -> HttpResponse:
        code = request.POST.get("code", "")[:MAX_LENGTH]
        checked = api.check_confirmation(code=code)
        if checked is None:
            return self.show({"code": code, "is_unknown": True}, status=400)
        self.frame.school = checked.school
        return self.show({"code": code, "checked": checked, "status_label": ProgramStatus(checked.status).label})
