"""Enrollments in programs, real and waiting for an account."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin

from program_enrollments import api
from program_enrollments.admin.enrollment_lists import EnrollmentAdmin
from program_enrollments.admin.filters import ProgramFilter, SchoolOfProgramFilter, StatusFilter
from program_enrollments.admin.forms import ProgramStatusForm
from program_enrollments.data import Origin, RowOutcome
from program_enrollments.models import PreemptiveProgramEnrollment, ProgramEnrollment


@admin.register(ProgramEnrollment, PreemptiveProgramEnrollment)
class ProgramEnrollmentAdmin(EnrollmentAdmin):
    """A list of program enrollments. Those that wait for an account have a list of their own."""

    list_display = ["student", "program", "school", "curriculum", "status", "modified"]
    list_prefetch_related = ("learner", "program__school", "curriculum")
    list_filter = [SchoolOfProgramFilter, ProgramFilter, StatusFilter]
    fields = ["learner_page", "program", "school", "curriculum", "status", "created", "modified"]
    readonly_fields = ["learner_page", "school"]
    status_form = ProgramStatusForm
    place = api.ProgramPlace

    def change_statuses(self, places: Sequence[Any], data: dict[str, Any], origin: Origin) -> list[RowOutcome]:
        return api.change_program_statuses(places=places, status=data["status"], cascade=data["cascade"], origin=origin)
