"""Reading: lists of enrollments. Real and preemptive ones together, in one order, by keyset (docs/api.rst, Lists).

A page first reads enrollments, in the order of an index and no further than the page, and then the learners on it. Left
to one statement with joins, databases start from a joined table now and then, and read half the program for a page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from heapq import merge
from itertools import islice
from typing import Any, NamedTuple

from django.db import connections, router
from django.db.models import Model, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from program_enrollments.api.reading.paging import Cursor, fetch_page
from program_enrollments.data import EnrollmentFilters, Page
from program_enrollments.models import (
    CourseRun,
    Curriculum,
    Learner,
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
    Program,
    ProgramCourseEnrollment,
    ProgramEnrollment,
)
from program_enrollments.normalization import normalize_identity


class ListedLearner(NamedTuple):
    """What a list shows of a learner, and of the account if there is one."""

    id: int
    student_key: str
    email: str
    user_id: int | None
    username: str | None
    account_email: str | None


LEARNER_FIELDS = ("pk", "student_key", "email", "user_id", "user__username", "user__email")


def fetch_program_enrollments(
    *, program: Program, filters: EnrollmentFilters, cursor: str | None, page_size: int
) -> Page:
    """Return a page of a program's enrollments. Three statements, two more where `student_keys` are filtered.

    Raises BadCursor.
    """
    curriculum = Subquery(Curriculum.objects.filter(pk=OuterRef("curriculum_id")).values("uuid"))
    tables: list[QuerySet[Any]] = []
    # A program enrollment is real if, and only if, its learner has an account: that filter picks a table.
    if filters.account_exists is not True:
        tables.append(PreemptiveProgramEnrollment.objects.annotate(curriculum_uuid=curriculum))
    if filters.account_exists is not False:
        tables.append(ProgramEnrollment.objects.annotate(curriculum_uuid=curriculum))

    def render(learner: ListedLearner, row: Sequence[Any]) -> dict[str, Any]:
        _, status, curriculum_uuid = row
        linked = learner.user_id is not None
        return {
            "student_key": learner.student_key or learner.email,
            "status": status,
            "account_exists": linked,
            "curriculum_uuid": str(curriculum_uuid),
            "username": learner.username or "",
            "email": (learner.account_email if linked else "") or learner.email,
        }

    return _page(
        tables=tables,
        place={"program_id": program.pk},
        conditions=_conditions(school_id=program.school_id, filters=filters),
        fields=("learner_id", "status", "curriculum_uuid"),
        render=render,
        cursor=cursor,
        page_size=page_size,
    )


def fetch_course_enrollments(
    *, program: Program, course_run: CourseRun, filters: EnrollmentFilters, cursor: str | None, page_size: int
) -> Page:
    """Return a page of the enrollments in a run through a program. Statements and exceptions as above."""

    def curriculum(model: type[Model]) -> Subquery:
        enrollment = model._default_manager.filter(program=program, learner=OuterRef("learner_id"))
        return Subquery(enrollment.order_by().values("curriculum__uuid")[:1])

    # A promise that the host refused is preemptive, while its learner's program enrollment is real.
    real: QuerySet[Any] = ProgramCourseEnrollment.objects.annotate(curriculum_uuid=curriculum(ProgramEnrollment))
    waiting: QuerySet[Any] = PreemptiveCourseEnrollment.objects.annotate(
        curriculum_uuid=Coalesce(curriculum(PreemptiveProgramEnrollment), curriculum(ProgramEnrollment))
    )
    if filters.account_exists is not None:
        waiting = waiting.filter(learner__user__isnull=not filters.account_exists)

    def render(learner: ListedLearner, row: Sequence[Any]) -> dict[str, Any]:
        _, status, curriculum_uuid, course_staff = row
        return {
            "student_key": learner.student_key or learner.email,
            "status": status,
            "account_exists": learner.user_id is not None,
            "curriculum_uuid": str(curriculum_uuid),
            "course_staff": course_staff,
        }

    return _page(
        tables=[waiting] if filters.account_exists is False else [waiting, real],
        place={"program_id": program.pk, "course_run_id": course_run.pk},
        conditions=_conditions(school_id=program.school_id, filters=filters),
        fields=("learner_id", "status", "curriculum_uuid", "course_staff"),
        render=render,
        cursor=cursor,
        page_size=page_size,
    )


def _page(
    *,
    tables: Sequence[QuerySet[Any]],
    place: Mapping[str, int],
    conditions: Q,
    fields: Sequence[str],
    render: Callable[[ListedLearner, Sequence[Any]], dict[str, Any]],
    cursor: str | None,
    page_size: int,
) -> Page:
    """Return a page of rows from `tables` at `place` (the leading columns of the index that ends in the learner).

    Tables are read one after the other, promises first: what becomes real meanwhile is then found twice, not nowhere,
    and shown as the later table has it.
    """

    def read(behind: Cursor, limit: int) -> list[tuple[int, Any]]:
        keyed = Q(**{"learner_id__lt" if behind.backward else "learner_id__gt": behind.key})
        pages = [
            _in_order_of_index(table.filter(conditions & keyed), place=place, backward=behind.backward).values_list(
                *fields
            )[:limit]
            for table in tables
        ]
        latest = {row[0]: row for row in merge(*pages, key=lambda row: row[0], reverse=behind.backward)}
        rows = list(islice(latest.values(), limit))
        found = Learner.objects.filter(pk__in=[row[0] for row in rows]).order_by().values_list(*LEARNER_FIELDS)
        learners = {row[0]: ListedLearner._make(row) for row in found}
        return [(row[0], (learners[row[0]], row)) for row in rows]

    return fetch_page(read=read, cursor=cursor, page_size=page_size, render=lambda pair: render(*pair))


def _in_order_of_index(table: QuerySet[Any], *, place: Mapping[str, int], backward: bool) -> QuerySet[Any]:
    """Limit `table` to a place and order it by learner.

    Given a plain equality, MariaDB reads the place's part of the index from its beginning; given a range of one value
    it starts at the learner.
    """
    sign = "-" if backward else ""
    if connections[router.db_for_read(table.model)].vendor == "mysql":
        narrow = Q(*((f"{column}__{end}", value) for column, value in place.items() for end in ("gte", "lte")))
        return table.filter(narrow).order_by(*(f"{sign}{column}" for column in place), f"{sign}learner_id")
    return table.filter(**place).order_by(f"{sign}learner_id")


def _conditions(*, school_id: int, filters: EnrollmentFilters) -> Q:
    conditions = Q()
    if filters.status is not None:
        conditions &= Q(status=filters.status)
    if filters.modified_since is not None:
        conditions &= Q(modified__gte=filters.modified_since)
    if filters.student_keys:
        conditions &= Q(learner_id__in=find_displayed(school_id=school_id, student_keys=filters.student_keys))
    return conditions


def find_displayed(*, school_id: int, student_keys: Sequence[str]) -> list[int]:
    """Return the IDs of the school's learners whose `student_key` on the wire is one of these: the ID, or lacking one
    the address.
    """
    wanted = {normalize_identity(student_key) for student_key in student_keys}
    learners = Learner.objects.filter(school_id=school_id).order_by()
    ids = set(learners.filter(student_key_normalized__in=wanted).values_list("pk", flat=True))
    addressed = learners.filter(email_normalized__in=wanted).values_list("pk", "student_key_normalized")
    # Asked for in SQL, "no student ID" is what MariaDB would look up first, and read every such learner.
    return sorted(ids.union(pk for pk, student_key in addressed if not student_key))
