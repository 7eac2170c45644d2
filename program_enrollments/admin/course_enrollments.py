"""Enrollments in course runs, real and waiting for an account, with the reasons of refused ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin

from program_enrollments import api
from program_enrollments.admin.enrollment_lists import EnrollmentAdmin
from program_enrollments.admin.filters import (
    CourseStatusFilter,
    ProgramFilter,
    RefusalFilter,
    SchoolOfProgramFilter,
)
from program_enrollments.admin.forms import CourseStatusForm
from program_enrollments.data import Origin, RowOutcome
from program_enrollments.models import PreemptiveCourseEnrollment, ProgramCourseEnrollment

FIELDS = ["learner_page", "program", "school", "course_run", "status", "course_staff"]


class CourseEnrollmentAdmin(EnrollmentAdmin):
    """Base class of the lists of real and waiting course enrollments."""

    list_prefetch_related = ("learner", "program__school", "course_run")
    readonly_fields = ["learner_page", "school"]
    status_form = CourseStatusForm
    place = api.CoursePlace

    def change_statuses(self, places: Sequence[Any], data: dict[str, Any], origin: Origin) -> list[RowOutcome]:
        return api.change_course_statuses(
            places=places, status=data["status"], course_staff=data["course_staff"], origin=origin
        )


@admin.register(ProgramCourseEnrollment)
class RealCourseEnrollmentAdmin(CourseEnrollmentAdmin):
    """Enrollments of learners with an account."""

    list_display = ["student", "course_run", "program", "school", "status", "course_staff", "modified"]
    list_filter = [SchoolOfProgramFilter, ProgramFilter, CourseStatusFilter]
    fields = [*FIELDS, "course_staff_given", "created", "modified"]


@admin.register(PreemptiveCourseEnrollment)
class PreemptiveCourseEnrollmentAdmin(CourseEnrollmentAdmin):
    """Enrollments that wait for an account, or that the host refused, with the reason."""

    list_display = ["student", "course_run", "program", "status", "problem_detail", "tries", "last_tried", "modified"]
    list_filter = [RefusalFilter, SchoolOfProgramFilter, ProgramFilter, CourseStatusFilter]
    fields = [
        *FIELDS,
        "problem_code",
        "problem_detail",
        "tries",
        "refusals",
        "last_tried",
        "created",
        "modified",
    ]
