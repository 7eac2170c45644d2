"""The catalog: programs, their curricula, their course runs.

Rows that enrollments refer to cannot be moved or deleted.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from program_enrollments.admin.filters import SchoolFilter
from program_enrollments.admin.labels import LabeledInline
from program_enrollments.admin.large_tables import AnyQuerySet, DeletedOneByOne
from program_enrollments.admin.search import naming_program
from program_enrollments.models import (
    CourseRun,
    Curriculum,
    CurriculumCourseRun,
    GradeBook,
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
    Program,
    ProgramCourseEnrollment,
    ProgramEnrollment,
)
from program_enrollments.normalization import parse_uuid

if TYPE_CHECKING:
    CourseRunFormSet = forms.BaseInlineFormSet[CurriculumCourseRun, Curriculum, Any]
else:
    CourseRunFormSet = forms.BaseInlineFormSet

UUID_HELP = _("The UUID in the catalog. Keep the suggested one if it is in no catalog.")
PROGRAM_ENROLLMENTS: tuple[type[Model], ...] = (ProgramEnrollment, PreemptiveProgramEnrollment)
COURSE_ENROLLMENTS: tuple[type[Model], ...] = (ProgramCourseEnrollment, PreemptiveCourseEnrollment)


def is_used(*models: type[Model], **where: Any) -> bool:
    """Return whether any row of `models` matches `where`. One statement per model, which reads one row."""
    return any(model._default_manager.filter(**where).exists() for model in models)


class CatalogAdmin(DeletedOneByOne):
    """Rows can be deleted one by one, and only while nothing refers to them.

    Django's own deletion would read every row that refers to it, only to report that it must not be deleted.
    """

    def is_referred_to(self, obj: Any) -> bool:
        """Return whether an enrollment, or a row that enrollments need, refers to this row."""
        raise NotImplementedError

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj is not None and self.is_referred_to(obj))

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"uuid": uuid.uuid4()} | super().get_changeform_initial_data(request)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "uuid":
            kwargs["help_text"] = UUID_HELP
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if isinstance(field, forms.SplitDateTimeField):
            # Django writes "Date:" and "Time:" beside the two inputs, but labels neither.
            for widget, part in zip(field.widget.widgets, (_("date"), _("time")), strict=True):
                widget.attrs["aria-label"] = f"{field.label}: {part}"
        return field


class CurriculumInline(LabeledInline):
    """A program's curricula, with links to their own pages. They are added there, too."""

    model = Curriculum
    fields = ["name", "is_active", "uuid"]
    readonly_fields = ["uuid"]
    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Program)
class ProgramAdmin(CatalogAdmin):
    """Degree programs."""

    list_display = ["title", "school", "key", "type", "uuid"]
    list_prefetch_related = ("school",)
    list_filter = [SchoolFilter]
    search_fields = ["title", "key"]
    search_help_text = _("Part of the title or key, or the UUID.")
    autocomplete_fields = ["school"]
    fields = ["title", "school", "key", "type", "url", "advisor_name", "advisor_email", "documents", "uuid"]
    inlines = [CurriculumInline]
    ordering = ["title", "pk"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Program], search_term: str
    ) -> tuple[QuerySet[Program], bool]:
        text = search_term.strip()
        return (queryset.filter(naming_program(text=text)) if text else queryset), False

    def get_readonly_fields(self, request: HttpRequest, obj: Program | None = None) -> list[str]:
        """Keep a program with enrollments at its school, because its learners belong to the school."""
        return ["school"] if obj is not None and is_used(*PROGRAM_ENROLLMENTS, program=obj) else []

    def is_referred_to(self, obj: Any) -> bool:
        return is_used(Curriculum, GradeBook, *PROGRAM_ENROLLMENTS, *COURSE_ENROLLMENTS, program=obj)


class KeepEnrolledCourseRuns(CourseRunFormSet):
    """Takes a course run out of a curriculum only while nobody is enrolled in it through the program."""

    def clean(self) -> None:
        super().clean()
        for form in self.deleted_forms:
            course_run = form.instance.course_run
            if is_used(*COURSE_ENROLLMENTS, program=self.instance.program_id, course_run=course_run):
                raise ValidationError(
                    _("%(course_run)s has enrollments through this program, so it cannot be taken out of it."),
                    code="used",
                    params={"course_run": course_run},
                )


class CurriculumCourseRunInline(LabeledInline):
    """The course runs of a curriculum."""

    model = CurriculumCourseRun
    formset = KeepEnrolledCourseRuns
    autocomplete_fields = ["course_run"]
    extra = 0

    def get_queryset(self, request: HttpRequest) -> AnyQuerySet:
        return super().get_queryset(request).select_related("course_run")


@admin.register(Curriculum)
class CurriculumAdmin(CatalogAdmin):
    """Versions of programs' plans of study."""

    list_display = ["name", "program", "school", "is_active", "uuid"]
    list_display_links = ["name", "uuid"]
    list_prefetch_related = ("program__school",)
    search_fields = ["name", "program__title"]
    search_help_text = _("Part of its name or of the program's title or key, or either one's UUID.")
    autocomplete_fields = ["program"]
    fields = ["program", "name", "is_active", "uuid"]
    inlines = [CurriculumCourseRunInline]

    @admin.display(description=_("school"))
    def school(self, curriculum: Curriculum) -> str:
        return curriculum.program.school.name

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Curriculum], search_term: str
    ) -> tuple[QuerySet[Curriculum], bool]:
        text = search_term.strip()
        if not text:
            return queryset, False
        wanted = parse_uuid(text.strip())
        own = queryset.filter(uuid=wanted) if wanted else queryset.filter(name__icontains=text)
        return own | queryset.filter(naming_program(text=text, prefix="program__")), False

    def get_readonly_fields(self, request: HttpRequest, obj: Curriculum | None = None) -> list[str]:
        """Keep an existing curriculum in its program."""
        return [] if obj is None else ["program"]

    def is_referred_to(self, obj: Any) -> bool:
        return is_used(*PROGRAM_ENROLLMENTS, program=obj.program_id, curriculum=obj)


@admin.register(CourseRun)
class CourseRunAdmin(CatalogAdmin):
    """Course runs, with the platform's keys and the schools' keys."""

    list_display = ["course_id", "title", "external_key", "start", "end"]
    search_fields = ["course_id", "external_key", "title"]
    search_help_text = _("Part of the course key, the school's own key, or the title.")
    fields = ["course_id", "title", "external_key", "url", "start", "end"]
    ordering = ["course_id"]

    def get_readonly_fields(self, request: HttpRequest, obj: CourseRun | None = None) -> list[str]:
        """Keep the key of a run with enrollments: to the platform, another key is another run."""
        return ["course_id"] if obj is not None and self._has_enrollments(obj) else []

    def is_referred_to(self, obj: Any) -> bool:
        return is_used(CurriculumCourseRun, GradeBook, course_run=obj) or self._has_enrollments(obj)

    def _has_enrollments(self, course_run: CourseRun) -> bool:
        # Search by the programs that have the run, because the enrollments' indexes are led by the program.
        programs = list(
            Program.objects.filter(curricula__course_runs=course_run).distinct().values_list("pk", flat=True)
        )
        return is_used(*COURSE_ENROLLMENTS, program__in=programs, course_run=course_run)
