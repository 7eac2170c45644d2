"""Authorizing: from who calls, and what the path names, to the things themselves. Scope first, then permission
(docs/api.rst, Access).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import F, FilteredRelation, Q

from program_enrollments.api.accessing import (
    Access,
    access_of,
    choose_run,
    get_course_run,
    get_program,
    is_caller,
    is_named,
    is_possible_run_key,
)
from program_enrollments.exceptions import PermissionDenied
from program_enrollments.models import CourseRun, CurriculumCourseRun, Program


@dataclass(frozen=True, slots=True)
class Scope:
    """What a caller was let through to: the program and course run that the path names, if it does, and their access.

    Where a program is named, `access` may tell of that program alone.
    """

    access: Access
    program: Program | None = None
    course_run: CourseRun | None = None


def authorize(
    *, user: Any, program: UUID | None = None, course: str | None = None, permission: str | None = None
) -> Scope:
    """Look up what a path names, as far as `user` may see it, and require `permission` on the program where one is
    named.

    `course` is a course key or a school's external key. What is not visible does not exist, so that comes first: raises
    ProgramDoesNotExist, CourseDoesNotExist, CourseNotInProgram; then PermissionDenied. One statement, unless something
    is missing.
    """
    if program is None:
        return Scope(access_of(user=user))
    scope = _find(user=user, uuid=program, key=course) or _find_or_raise(user=user, uuid=program, key=course)
    if scope.program is None or (permission and permission not in scope.access.permissions_on(scope.program)):
        raise PermissionDenied
    return scope


def _find(*, user: Any, uuid: UUID, key: str | None) -> Scope | None:
    """Return the scope with one statement; None where that finds nothing, for whatever reason."""
    if not is_caller(user=user) or not (key is None or is_possible_run_key(key)):
        return None
    rows: list[Any]
    if key is None:
        rows = list(_granted(Program.objects.filter(uuid=uuid).select_related("school"), user=user))
        programs, course_run = rows, None
    else:
        parts = CurriculumCourseRun.objects.filter(
            Q(course_run__course_id=key) | Q(course_run__external_key=key), curriculum__program__uuid=uuid
        ).select_related("course_run", "curriculum__program__school")
        granted = _granted(parts, user=user, path="curriculum__program__")
        rows = [row for row in granted if is_named(run=row.course_run, key=key)]
        programs = [row.curriculum.program for row in rows]
        course_run = choose_run(runs=[row.course_run for row in rows], key=key) if rows else None
    if not rows:
        return None
    program: Program = programs[0]
    if user.is_staff:
        return Scope(Access(user_id=user.pk, is_staff=True), program, course_run)
    words = {row.own_permission for row in rows} | {row.school_permission for row in rows}
    return Scope(Access(user_id=user.pk, programs={program.pk: frozenset(words - {None})}), program, course_run)


def _granted(queryset: Any, *, user: Any, path: str = "") -> Any:
    """Keep what the user has a grant on, a row for each grant; `path` leads to the program. Host staff keep all."""
    if user.is_staff:
        return queryset
    own, schools = f"{path}grants", f"{path}school__grants"
    return (
        queryset.annotate(
            own=FilteredRelation(own, condition=Q(**{f"{own}__user_id": user.pk})),
            schools=FilteredRelation(schools, condition=Q(**{f"{schools}__user_id": user.pk})),
        )
        .filter(Q(own__pk__isnull=False) | Q(schools__pk__isnull=False))
        .annotate(own_permission=F("own__permission"), school_permission=F("schools__permission"))
        .order_by()
    )


def _find_or_raise(*, user: Any, uuid: UUID, key: str | None) -> Scope:
    """Say what is missing."""
    access = access_of(user=user)
    program = get_program(access=access, uuid=uuid)
    return Scope(access, program, None if key is None else get_course_run(access=access, program=program, key=key))
