"""Frozen grades, view only: universities cite them.

Schools freeze and reopen grades through the API.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from program_enrollments import api
from program_enrollments.admin.filters import ProgramFilter, SchoolOfProgramFilter
from program_enrollments.admin.large_tables import PlumbingAdmin, ViewOnlyAdmin
from program_enrollments.admin.search import LEARNER_HELP
from program_enrollments.models import FrozenGrade, GradeAcknowledgement, GradeBook, GradeFreeze


@admin.register(GradeBook)
class GradeBookAdmin(PlumbingAdmin):
    """Course runs of programs whose grades were ever frozen."""

    list_display = ["program", "course_run"]
    list_prefetch_related = ("program", "course_run")
    list_filter = [SchoolOfProgramFilter, ProgramFilter]
    fields = ["program", "course_run"]


@admin.register(GradeFreeze)
class GradeFreezeAdmin(ViewOnlyAdmin):
    """Versions: who froze, when, why, and whether the version is still in force."""

    list_display = ["program", "course_run", "version", "frozen_at", "frozen_by", "count", "retired", "in_force"]
    list_prefetch_related = ("book__program", "book__course_run")
    fields = [
        "program",
        "course_run",
        "version",
        "in_force",
        "frozen_at",
        "frozen_by",
        "reason",
        "request_id",
        "count",
        "retired",
        "digest",
        "reopened_at",
        "reopened_by",
        "reopen_reason",
        "reopen_request_id",
    ]
    readonly_fields = ["program", "course_run", "in_force"]

    @admin.display(description=_("program"))
    def program(self, freeze: GradeFreeze) -> str:
        return freeze.book.program.title

    @admin.display(description=_("course run"))
    def course_run(self, freeze: GradeFreeze) -> str:
        return str(freeze.book.course_run.course_id)

    @admin.display(description=_("in force"), boolean=True)
    def in_force(self, freeze: GradeFreeze) -> bool:
        return freeze.reopened_at is None


@admin.register(FrozenGrade)
class FrozenGradeAdmin(ViewOnlyAdmin):
    """Single grades in a version, found by learner."""

    # Without the learner: the record may have been joined with another one of the same person.
    list_prefetch_related = ("freeze__book__program", "freeze__book__course_run")
    list_display = ["student_key", "course_run", "program", "version", "letter_grade", "percent", "passed", "error"]
    search_fields = ["student_key"]  # shows the box; what it does is in get_search_results
    search_help_text = LEARNER_HELP
    fields = ["student_key", "course_run", "program", "version", "letter_grade", "percent", "passed", "error"]
    readonly_fields = ["course_run", "program", "version"]

    @admin.display(description=_("program"))
    def program(self, grade: FrozenGrade) -> str:
        return grade.freeze.book.program.title

    @admin.display(description=_("course run"))
    def course_run(self, grade: FrozenGrade) -> str:
        return str(grade.freeze.book.course_run.course_id)

    @admin.display(description=_("version"))
    def version(self, grade: FrozenGrade) -> int:
        return grade.freeze.version

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[FrozenGrade, Any], search_term: str
    ) -> tuple[QuerySet[FrozenGrade, Any], bool]:
        if not search_term.strip():
            return queryset, False
        return queryset.filter(learner_id__in=api.find_learners(text=search_term)), False


@admin.register(GradeAcknowledgement)
class GradeAcknowledgementAdmin(ViewOnlyAdmin):
    """What universities reported about frozen grades, superseded reports included."""

    list_display = ["student_key", "course_run", "version", "state", "acknowledged_at", "acknowledged_by", "counts"]
    list_prefetch_related = ("grade__freeze__book__course_run",)
    fields = [
        "student_key",
        "course_run",
        "version",
        "state",
        "detail",
        "acknowledged_at",
        "acknowledged_by",
        "request_id",
        "superseded_at",
    ]
    readonly_fields = ["student_key", "course_run", "version"]

    @admin.display(description=_("student ID"))
    def student_key(self, acknowledgement: GradeAcknowledgement) -> str:
        return acknowledgement.grade.student_key

    @admin.display(description=_("course run"))
    def course_run(self, acknowledgement: GradeAcknowledgement) -> str:
        return str(acknowledgement.grade.freeze.book.course_run.course_id)

    @admin.display(description=_("version"))
    def version(self, acknowledgement: GradeAcknowledgement) -> int:
        return acknowledgement.grade.freeze.version

    @admin.display(description=_("in force"), boolean=True)
    def counts(self, acknowledgement: GradeAcknowledgement) -> bool:
        return acknowledgement.superseded_at is None
