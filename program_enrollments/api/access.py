"""Access: what a caller may see and do.

The scope is applied before anything that a request names is looked up (docs/api.rst, Access).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from program_enrollments.data import Permission
from program_enrollments.exceptions import (
    AmbiguousCourse,
    CourseDoesNotExist,
    CourseNotInProgram,
    PermissionDenied,
    ProgramDoesNotExist,
)
from program_enrollments.models import CourseRun, Grant, Program, School
from program_enrollments.normalization import MAX_IDENTITY_LENGTH

ALL_PERMISSIONS = frozenset(Permission.values)
ACT_FOR_ALL_SCHOOLS = "university_enrollments.act_for_all_schools"


@dataclass(frozen=True, slots=True)
class Reach:
    """The part of one school on which a permission is held: all of it, or these programs (primary keys)."""

    is_school_wide: bool = False
    program_ids: frozenset[int] = frozenset()

    def covers(self, *, program_ids: Iterable[int]) -> bool:
        """Return whether the permission is held on each of these programs of the school."""
        return self.is_school_wide or self.program_ids.issuperset(program_ids)


@dataclass(frozen=True, slots=True)
class Access:
    """What one user may do: their grants, by school and by program (primary keys).

    Django's permission for all schools is looked up only if the grants do not suffice. If `is_complete` is False, only
    the grants on one program and on its school are known. The methods that need more look it up.
    """

    user: Any = field(repr=False)
    schools: Mapping[int, frozenset[str]] = field(default_factory=dict)
    programs: Mapping[int, frozenset[str]] = field(default_factory=dict)
    is_complete: bool = True

    @property
    def user_id(self) -> int:
        """The user's primary key; 0 without a user."""
        return self.user.pk if is_caller(user=self.user) else 0

    @property
    def is_for_all_schools(self) -> bool:
        """Return whether the user may do everything on every school.

        Two statements at most, and once per user object.
        """
        return acts_for_all_schools(user=self.user)

    def visible_programs(self) -> QuerySet[Program]:
        """Return the programs on which the user has any grant."""
        if self.is_for_all_schools:
            return Program.objects.all()
        whole = self._completed()
        return Program.objects.filter(Q(school_id__in=whole.schools.keys()) | Q(pk__in=whole.programs.keys()))

    def visible_schools(self) -> QuerySet[School]:
        """Return the schools of which the user may see a program."""
        if self.is_for_all_schools:
            return School.objects.all()
        whole = self._completed()
        return School.objects.filter(
            Q(pk__in=whole.schools.keys()) | Q(programs__pk__in=whole.programs.keys())
        ).distinct()

    def permissions_on(self, program: Program) -> frozenset[str]:
        """Return the user's permissions on a program; empty if the program is not visible to them."""
        words = self._granted_on(program)
        return ALL_PERMISSIONS if words == ALL_PERMISSIONS or self.is_for_all_schools else words

    def allows(self, *, permission: str, program: Program) -> bool:
        """Return whether the user holds a permission on a program. No statement if a grant says so."""
        return permission in self._granted_on(program) or self.is_for_all_schools

    def reach(self, *, permission: str, school_id: int) -> Reach:
        """Return on which part of a school the user holds a permission.

        No statement if a grant on the school is known; otherwise three at most.
        """
        if permission in self.schools.get(school_id, ()) or self.is_for_all_schools:
            return Reach(is_school_wide=True)
        whole = self._completed()
        return Reach(
            is_school_wide=permission in whole.schools.get(school_id, ()),
            program_ids=frozenset(pk for pk, words in whole.programs.items() if permission in words),
        )

    def _granted_on(self, program: Program) -> frozenset[str]:
        return self.schools.get(program.school_id, frozenset()) | self.programs.get(program.pk, frozenset())

    def _completed(self) -> Access:
        return self if self.is_complete else access_of(user=self.user)


def is_caller(*, user: Any) -> bool:
    """Return whether a user is authenticated and active. Nobody else has any access."""
    return bool(getattr(user, "is_authenticated", False) and user.is_active)


def acts_for_all_schools(*, user: Any) -> bool:
    """Return whether a user holds Django's permission to act for all schools; superusers do.

    The host's authentication backends decide, so permissions of groups count, too.
    """
    # A host's user model can lack permissions.
    return is_caller(user=user) and hasattr(user, "has_perm") and bool(user.has_perm(ACT_FOR_ALL_SCHOOLS))


def access_of(*, user: Any) -> Access:
    """Return the access of a user, which is empty if they are not authenticated. One statement."""
    if not is_caller(user=user):
        return Access(user)
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
        user,
        schools={pk: frozenset(words) for pk, words in schools.items()},
        programs={pk: frozenset(words) for pk, words in programs.items()},
    )


def get_program(*, access: Access, uuid: UUID, permission: str | None = None) -> Program:
    """Return a program that the caller may see, with its school.

    Raises ProgramDoesNotExist if it is not visible, and PermissionDenied if `permission` is named and not granted.
    """
    try:
        program = access.visible_programs().select_related("school").get(uuid=uuid)
    except Program.DoesNotExist:
        raise ProgramDoesNotExist from None
    if permission is not None and not access.allows(permission=permission, program=program):
        raise PermissionDenied
    return program


def get_course_run(*, access: Access, program: Program, key: str) -> CourseRun:
    """Return the course run of a program by its course key, or by the school's external key.

    Raises AmbiguousCourse if several runs of the program carry the external key, CourseNotInProgram if the run is in
    another program visible to the caller, and otherwise CourseDoesNotExist.
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
    """Return whether `key` is exactly a run's course key or external key.

    Look-ups on MariaDB ignore trailing spaces, so their results have to be compared again.
    """
    return key in (run.course_id, run.external_key)


def choose_run(*, runs: Iterable[CourseRun], key: str) -> CourseRun:
    """Return the run that `key` names, of the `runs` that match it.

    There is at least one, and a run can occur repeatedly. A course key is never ambiguous. Raises AmbiguousCourse if
    several runs have the external key: choosing one could write a term's enrollments to another term's run.
    """
    distinct = {run.course_id: run for run in runs}
    if key in distinct:
        return distinct[key]
    if len(distinct) > 1:
        first_to_last = sorted(distinct.values(), key=lambda run: (run.start.timestamp() if run.start else 0.0, run.pk))
        raise AmbiguousCourse(candidates=[run.course_id for run in first_to_last])
    return next(iter(distinct.values()))


def is_possible_run_key(key: str) -> bool:
    """Return whether a text can be a course key or an external key.

    Some databases raise an error if they look up a value that they cannot store.
    """
    return "\x00" not in key and len(key) <= MAX_IDENTITY_LENGTH
