"""Filters of long lists.

Each filters by an index, or appears only after another filter has narrowed the list.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from program_enrollments import api
from program_enrollments.admin.large_tables import AnyModelAdmin, AnyQuerySet
from program_enrollments.data import CourseStatus, LearnerProblem, ProgramStatus
from program_enrollments.models import PreemptiveCourseEnrollment, Program, School

SCHOOL, PROGRAM = "school", "program"
PRIMARY_KEY = re.compile(r"[0-9]{1,18}")


def read_primary_key(text: str | None) -> int | None:
    """Return a parameter as a primary key, or None if no row can have it."""
    return int(text) if text is not None and PRIMARY_KEY.fullmatch(text) else None


class SchoolFilter(admin.SimpleListFilter):
    """One school's programs, learners or entries. `path` leads from the listed model to the school."""

    title = _("school")
    parameter_name = SCHOOL
    path = "school"

    def lookups(self, request: HttpRequest, model_admin: AnyModelAdmin) -> Iterable[tuple[Any, Any]]:
        return [(str(pk), name) for pk, name in School.objects.order_by("name").values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: AnyQuerySet) -> AnyQuerySet:
        return queryset.filter(**{self.path: self.value()}) if self.value() in self._known() else queryset

    def _known(self) -> set[str]:
        return {str(value) for value, _label in self.lookup_choices}


class SchoolOfProgramFilter(SchoolFilter):
    """One school's enrollments, found by its programs, since their indexes are led by the program."""

    def queryset(self, request: HttpRequest, queryset: AnyQuerySet) -> AnyQuerySet:
        if self.value() not in self._known():
            return queryset
        programs = Program.objects.filter(school_id=int(self.value() or 0)).values_list("pk", flat=True)
        return queryset.filter(program_id__in=list(programs))


class ProgramFilter(admin.SimpleListFilter):
    """One program, offered once a school is chosen: the programs of all schools are too many to list."""

    title = _("program")
    parameter_name = PROGRAM

    def lookups(self, request: HttpRequest, model_admin: AnyModelAdmin) -> Iterable[tuple[Any, Any]]:
        school, program = read_primary_key(request.GET.get(SCHOOL)), read_primary_key(request.GET.get(PROGRAM))
        programs = Program.objects.order_by("title", "pk")
        if school is not None:
            programs = programs.filter(school=school)
        elif program is not None:
            programs = programs.filter(pk=program)
        else:
            return []
        return [(str(pk), title) for pk, title in programs.values_list("pk", "title")]

    def queryset(self, request: HttpRequest, queryset: AnyQuerySet) -> AnyQuerySet:
        known = {str(value) for value, _label in self.lookup_choices}
        return queryset.filter(program=self.value()) if self.value() in known else queryset


class StatusFilter(admin.SimpleListFilter):
    """A status, offered once a school or a program is chosen. Without one, it would read the whole table."""

    title = _("status")
    parameter_name = "status"
    statuses: type[ProgramStatus | CourseStatus] = ProgramStatus

    def lookups(self, request: HttpRequest, model_admin: AnyModelAdmin) -> Iterable[tuple[Any, Any]]:
        narrowed = request.GET.get(SCHOOL) or request.GET.get(PROGRAM)
        return [(value, str(label)) for value, label in self.statuses.choices] if narrowed else []

    def queryset(self, request: HttpRequest, queryset: AnyQuerySet) -> AnyQuerySet:
        known = {value for value, _label in self.lookup_choices}
        return queryset.filter(status=self.value()) if self.value() in known else queryset


class CourseStatusFilter(StatusFilter):
    """A status of course enrollments, offered like `StatusFilter`."""

    statuses = CourseStatus


class NeedsPersonFilter(admin.SimpleListFilter):
    """Learners who need a person, by problem."""

    title = _("problem")
    parameter_name = "needs"
    ANY = "any"

    def lookups(self, request: HttpRequest, model_admin: AnyModelAdmin) -> Iterable[tuple[Any, Any]]:
        return [
            (self.ANY, _("Any that needs a person")),
            (LearnerProblem.CONFLICT.value, _("Conflict: two claims disagree")),
            (LearnerProblem.POSSIBLY_NEW_PERSON.value, _("The student ID may be another person's now")),
            (LearnerProblem.REALIZING_FAILED.value, _("Enrollments could not be made real")),
            (api.REFUSED, _("Refused by the learning platform too often")),
        ]

    def queryset(self, request: HttpRequest, queryset: AnyQuerySet) -> AnyQuerySet:
        chosen = self.value()
        if chosen not in {value for value, _label in self.lookup_choices}:
            return queryset
        return queryset.filter(pk__in=api.find_learners_in_need(kind="" if chosen == self.ANY else chosen))


class AccountFilter(admin.SimpleListFilter):
    """Learners with an account, and those who wait for one."""

    title = _("account")
    parameter_name = "account"

    def lookups(self, request: HttpRequest, model_admin: AnyModelAdmin) -> Iterable[tuple[Any, Any]]:
        return [("linked", _("Linked")), ("waiting", _("Waiting"))]

    def queryset(self, request: HttpRequest, queryset: AnyQuerySet) -> AnyQuerySet:
        if self.value() not in {"linked", "waiting"}:
            return queryset
        return queryset.filter(user__isnull=self.value() == "waiting")


class RefusalFilter(admin.SimpleListFilter):
    """Preemptive course enrollments that the host has refused."""

    title = _("refused by the learning platform")
    parameter_name = "refused"

    def lookups(self, request: HttpRequest, model_admin: AnyModelAdmin) -> Iterable[tuple[Any, Any]]:
        return [("yes", _("Refused at least once"))]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[PreemptiveCourseEnrollment]
    ) -> QuerySet[PreemptiveCourseEnrollment]:
        return queryset.exclude(problem_code="") if self.value() == "yes" else queryset
