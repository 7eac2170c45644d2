"""Scope: the objects that a path names, if the caller may see them and has the permission.

The scope is checked first, then the permission (docs/api.rst, Access).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import F, FilteredRelation, Q

from program_enrollments.api.access import (
    Access,
    access_of,
    acts_for_all_schools,
    choose_run,
    get_course_run,
    get_program,
    is_caller,
    is_named,
    is_possible_run_key,
)
from program_enrollments.exceptions import PermissionDenied, SchoolDoesNotExist
from program_enrollments.models import CourseRun, CurriculumCourseRun, Program, School


@dataclass(frozen=True, slots=True)
class Scope:
    """The program and course run of a path, and the caller's access.

    If the path names a program, `access` may be incomplete (see `Access`).
    """

    access: Access
    program: Program | None = None
    course_run: CourseRun | None = None
    school: School | None = None

    @property
    def school_id(self) -> int | None:
        """The primary key of the school that the path names, by itself or by one of its programs."""
        if self.school is not None:
            return self.school.pk
        return self.program.school_id if self.program is not None else None


def get_school(*, key: str) -> School:
    """Return the school with this key, for callers who act for every school. Raises SchoolDoesNotExist."""
    # Compared exactly, whatever the collation; and PostgreSQL refuses to look for NUL.
    named = School.objects.filter(key=key) if "\x00" not in key else ()
    school = next((each for each in named if each.key == key), None)
    if school is None:
        raise SchoolDoesNotExist
    return school


def authorize_school(*, user: Any, key: str, permission: str | None = None) -> Scope:
    """Return the school with this key, if `user` may see it and has `permission` on all of it.

    Raises SchoolDoesNotExist for a school of which the user sees nothing; then PermissionDenied.
    """
    access = access_of(user=user)
    # Compared exactly, whatever the collation; and PostgreSQL refuses to look for NUL.
    named = access.visible_schools().filter(key=key) if "\x00" not in key else ()
    school = next((each for each in named if each.key == key), None)
    if school is None:
        raise SchoolDoesNotExist
    if permission is not None and not access.reach(permission=permission, school_id=school.pk).is_school_wide:
        raise PermissionDenied
    return Scope(access, school=school)


def authorize(
    *, user: Any, program: UUID | None = None, course: str | None = None, permission: str | None = None
) -> Scope:
    """Return the objects that a path names, if `user` may see them and has `permission` there.

    `course` is a course key or a school's external key. Invisible objects are treated as missing, so visibility is
    checked first: raises ProgramDoesNotExist, CourseDoesNotExist or CourseNotInProgram, then PermissionDenied, then
    AmbiguousCourse. One statement for callers with grants, unless something is missing.
    """
    if program is None:
        return Scope(access_of(user=user))
    found = _find(user=user, uuid=program, key=course)
    if found is None:
        return _find_or_raise(user=user, uuid=program, key=course, permission=permission)
    _require(found.access, permission, found.program)
    return Scope(found.access, found.program, choose_run(runs=found.runs, key=course) if course is not None else None)


class _Found(NamedTuple):
    """The objects that a path names, with all course runs that match the key; not checked for permission."""

    access: Access
    program: Program
    runs: Sequence[CourseRun]


def _require(access: Access, permission: str | None, program: Program) -> None:
    if permission is not None and not access.allows(permission=permission, program=program):
        raise PermissionDenied


def _find(*, user: Any, uuid: UUID, key: str | None) -> _Found | None:
    """Return the objects that the path names, or None if any cannot be found.

    One statement for a superuser, and for a user with a grant there; four for others who act for all schools.
    """
    if not is_caller(user=user) or not (key is None or is_possible_run_key(key)):
        return None
    if getattr(user, "is_superuser", False) and acts_for_all_schools(user=user):
        return _find_in(user=user, uuid=uuid, key=key, everywhere=True)
    granted = _find_in(user=user, uuid=uuid, key=key, everywhere=False)
    if granted is None and acts_for_all_schools(user=user):
        return _find_in(user=user, uuid=uuid, key=key, everywhere=True)
    return granted


def _find_in(*, user: Any, uuid: UUID, key: str | None, everywhere: bool) -> _Found | None:
    """Find the objects of the path within the user's grants, or everywhere, with one statement."""
    rows: list[Any]
    runs: list[CourseRun] = []
    if key is None:
        found: Any = Program.objects.filter(uuid=uuid).select_related("school")
        rows = list(found if everywhere else _granted(found, user=user))
        programs = rows
    else:
        parts: Any = CurriculumCourseRun.objects.filter(
            Q(course_run__course_id=key) | Q(course_run__external_key=key), curriculum__program__uuid=uuid
        ).select_related("course_run", "curriculum__program__school")
        found = parts if everywhere else _granted(parts, user=user, path="curriculum__program__")
        rows = [row for row in found if is_named(run=row.course_run, key=key)]
        programs = [row.curriculum.program for row in rows]
        runs = [row.course_run for row in rows]
    if not rows:
        return None
    program: Program = programs[0]
    if everywhere:
        return _Found(Access(user, is_complete=False), program, runs)
    access = Access(
        user,
        schools={program.school_id: frozenset({row.school_permission for row in rows} - {None})},
        programs={program.pk: frozenset({row.own_permission for row in rows} - {None})},
        is_complete=False,
    )
    return _Found(access, program, runs)


def _granted(queryset: Any, *, user: Any, path: str = "") -> Any:
    """Filter by the user's grants, one row per grant. `path` is the lookup path to the program."""
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


def _find_or_raise(*, user: Any, uuid: UUID, key: str | None, permission: str | None) -> Scope:
    """Raise the exception for the missing object. Return the scope if it was created since `_find`."""
    access = access_of(user=user)
    program = get_program(access=access, uuid=uuid)
    course_run = None if key is None else get_course_run(access=access, program=program, key=key)
    _require(access, permission, program)
    return Scope(access, program, course_run)
