"""Accessing: what a caller may see and do. The scope is applied before anything named in a request is looked up
(docs/api.rst, Access).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from program_enrollments.data import Permission
from program_enrollments.exceptions import (
    CourseDoesNotExist,
    CourseNotInProgram,
    PermissionDenied,
    ProgramDoesNotExist,
)
from program_enrollments.models import CourseRun, Grant, Program, School
from program_enrollments.normalization import MAX_IDENTITY_LENGTH

ALL_PERMISSIONS = frozenset(Permission.values)


@dataclass(frozen=True, slots=True)
class Access:
    """The grants of one user: all of them for host staff, else by school and by program (primary keys)."""

    user_id: int
    is_staff: bool = False
    schools: Mapping[int, frozenset[str]] = field(default_factory=dict)
    programs: Mapping[int, frozenset[str]] = field(default_factory=dict)

    def visible_programs(self) -> QuerySet[Program]:
        """Return the programs on which the user has any grant."""
        if self.is_staff:
            return Program.objects.all()
        return Program.objects.filter(Q(school_id__in=self.schools.keys()) | Q(pk__in=self.programs.keys()))

    def visible_schools(self) -> QuerySet[School]:
        """Return the schools of which the user may see a program."""
        if self.is_staff:
            return School.objects.all()
        return School.objects.filter(
            Q(pk__in=self.schools.keys()) | Q(programs__pk__in=self.programs.keys())
        ).distinct()

    def permissions_on(self, program: Program) -> frozenset[str]:
        """Return the user's permissions on a program; empty where the program is not visible to them."""
        if self.is_staff:
            return ALL_PERMISSIONS
        return self.schools.get(program.school_id, frozenset()) | self.programs.get(program.pk, frozenset())


def is_caller(*, user: Any) -> bool:
    """Whether a user is somebody who may be granted anything: authenticated, and not switched off."""
    return bool(getattr(user, "is_authenticated", False) and user.is_active)


def access_of(*, user: Any) -> Access:
    """Return what an authenticated user may do; nothing for anybody else. One statement, none for host staff."""
    if not is_caller(user=user):
        return Access(user_id=0)
    if user.is_staff:
        return Access(user_id=user.pk, is_staff=True)
    schools: dict[int, set[str]] = {}
    programs: dict[int, set[str]] = {}
    for school_id, program_id, permission in Grant.objects.filter(user_id=user.pk).values_list(
        "school_id", "program_id", "permission"
    ):
        if school_id:
            schools.setdefault(school_id, set()).add(permission)
        elif program_id:
            programs.setdefault(program_id, set()).add(permission)
    return Access(
        user_id=user.pk,
        schools={pk: frozenset(words) for pk, words in schools.items()},
        programs={pk: frozenset(words) for pk, words in programs.items()},
    )


def get_program(*, access: Access, uuid: UUID, permission: str | None = None) -> Program:
    """Return a program (with its school) that the caller may see, and on which they have `permission` where one is
    named.

    Raises ProgramDoesNotExist for what is not visible, PermissionDenied for what is, but without the grant.
    """
    try:
        program = access.visible_programs().select_related("school").get(uuid=uuid)
    except Program.DoesNotExist:
        raise ProgramDoesNotExist from None
    if permission is not None and permission not in access.permissions_on(program):
        raise PermissionDenied
    return program


def get_course_run(*, access: Access, program: Program, key: str) -> CourseRun:
    """Return the course run of a program by its course key, or by the school's external key.

    Where several runs of the program carry one external key, the one that starts last is meant. Raises
    CourseNotInProgram where the run is in another program visible to the caller, else CourseDoesNotExist.
    """
    if not is_possible_run_key(key):
        raise CourseDoesNotExist
    named = CourseRun.objects.filter(Q(course_id=key) | Q(external_key=key))
    runs = [run for run in named.filter(curricula__program=program).distinct() if is_named(run=run, key=key)]
    if runs:
        return choose_run(runs=runs, key=key)
    elsewhere = named.filter(curricula__program__in=access.visible_programs())
    if any(is_named(run=run, key=key) for run in elsewhere):
        raise CourseNotInProgram
    raise CourseDoesNotExist


def is_named(*, run: CourseRun, key: str) -> bool:
    """Whether `key` is a run's course key or external key to the letter. MariaDB also finds those that blanks behind it
    tell apart.
    """
    return key in (run.course_id, run.external_key)


def choose_run(*, runs: Iterable[CourseRun], key: str) -> CourseRun:
    """Return the run that `key` means among those it fits: as course key first, else the one that starts last."""
    return max(runs, key=lambda run: (run.course_id == key, run.start.timestamp() if run.start else 0.0, run.pk))


def is_possible_run_key(key: str) -> bool:
    """Whether a text can be a course key or an external key at all: databases refuse to look for what they cannot
    store.
    """
    return "\x00" not in key and len(key) <= MAX_IDENTITY_LENGTH
