"""Reading: lists of enrollments.

Real and preemptive ones together, in one order, by keyset (docs/api.rst, Lists).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from heapq import merge
from itertools import islice
from typing import Any

from django.db.models import Model

from program_enrollments.api.reads.course_staff import HeldRoles, fetch_roles
from program_enrollments.api.reads.cursors import Cursor, fetch_page
from program_enrollments.api.reads.pages import Cut, Listed, read_page
from program_enrollments.data import EnrollmentFilters, Page
from program_enrollments.models import (
    CourseRun,
    Learner,
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
    Program,
    ProgramCourseEnrollment,
    ProgramEnrollment,
)
from program_enrollments.normalization import normalize_identity

Tables = Mapping[type[Model], bool | None]
"""The tables that a list reads, in this order, and whether the learners in them must have an account, where a table
holds such and others.
"""


def fetch_program_enrollments(
    *, program: Program, filters: EnrollmentFilters, cursor: str | None, page_size: int
) -> Page:
    """Return a page of a program's enrollments.

    Two statements, two more where `student_keys` are filtered.

    Raises BadCursor.
    """
    tables: dict[type[Model], bool | None] = {}
    # A program enrollment is real if, and only if, its learner has an account: that filter picks a table.
    if filters.account_exists is not True:
        tables[PreemptiveProgramEnrollment] = None
    if filters.account_exists is not False:
        tables[ProgramEnrollment] = None
    return _page(
        tables=tables,
        school_id=program.school_id,
        place={"program_id": program.pk},
        filters=filters,
        render=_show_program_enrollment,
        cursor=cursor,
        page_size=page_size,
    )


def fetch_course_enrollments(
    *, program: Program, course_run: CourseRun, filters: EnrollmentFilters, cursor: str | None, page_size: int
) -> Page:
    """Return a page of the enrollments in a run through a program.

    Statements and exceptions as above, and one call of the host if anybody on the page has an account.
    """
    # A promise that the host refused is preemptive, while its learner has an account.
    tables: dict[type[Model], bool | None] = {PreemptiveCourseEnrollment: filters.account_exists}
    if filters.account_exists is not False:
        tables[ProgramCourseEnrollment] = None
    # The host is asked about all rows at once, so they pass through the page as they are.
    page = _page(
        tables=tables,
        school_id=program.school_id,
        place={"program_id": program.pk, "course_run_id": course_run.pk},
        filters=filters,
        render=lambda row: {"listed": row},
        cursor=cursor,
        page_size=page_size,
    )
    listed: list[Listed] = [row["listed"] for row in page.rows]
    course_id = course_run.course_id
    roles = fetch_roles(
        user_ids=[row.user_id for row in listed if row.user_id is not None],
        course_ids=[course_id],
    )
    rows = [_show_course_enrollment(row, roles, course_id) for row in listed]
    return Page(rows, page.next_cursor, page.previous_cursor)


def _show_program_enrollment(row: Listed) -> dict[str, Any]:
    linked = row.user_id is not None
    return {
        "student_key": row.student_key or row.email,
        "status": row.status,
        "account_exists": linked,
        "curriculum_uuid": str(row.curriculum_uuid),
        "username": row.username or "",
        "email": (row.account_email if linked else "") or row.email,
    }


def _show_course_enrollment(row: Listed, roles: HeldRoles, course_id: str) -> dict[str, Any]:
    return {
        "student_key": row.student_key or row.email,
        "status": row.status,
        "account_exists": row.user_id is not None,
        "curriculum_uuid": str(row.curriculum_uuid),
        "course_staff": roles.show(user_id=row.user_id, course_id=course_id, wish=bool(row.course_staff)),
    }


def _page(
    *,
    tables: Tables,
    school_id: int,
    place: Mapping[str, int],
    filters: EnrollmentFilters,
    render: Callable[[Listed], dict[str, Any]],
    cursor: str | None,
    page_size: int,
) -> Page:
    """Return a page of rows from `tables` at `place`.

    `place` is the leading columns of the index that ends in the learner.

    Tables are read one after the other, promises first: what becomes real meanwhile is then found twice, not nowhere,
    and shown as the later table has it.
    """

    def read(behind: Cursor, limit: int) -> list[tuple[int, Listed]]:
        learner_ids = None
        if filters.student_keys:
            learner_ids = find_displayed(school_id=school_id, student_keys=filters.student_keys)
        pages = [
            read_page(
                table,
                cut=Cut(
                    place=place,
                    behind=behind.key,
                    backward=behind.backward,
                    limit=limit,
                    status=filters.status,
                    modified_since=filters.modified_since,
                    learner_ids=learner_ids,
                    linked=linked,
                ),
            )
            for table, linked in tables.items()
        ]
        latest = {row.learner_id: row for row in merge(*pages, key=lambda row: row.learner_id, reverse=behind.backward)}
        return list(islice(latest.items(), limit))

    return fetch_page(read=read, cursor=cursor, page_size=page_size, render=render)


def find_displayed(*, school_id: int, student_keys: Sequence[str]) -> list[int]:
    """Return the IDs of the school's learners whose `student_key` on the wire is one of these.

    It is the ID, or the address of a learner without an ID.
    """
    wanted = {normalize_identity(student_key) for student_key in student_keys}
    learners = Learner.objects.filter(school_id=school_id).order_by()
    ids = set(learners.filter(student_key_normalized__in=wanted).values_list("pk", flat=True))
    addressed = learners.filter(email_normalized__in=wanted).values_list("pk", "student_key_normalized")
    # Asked for in SQL, "no student ID" is what MariaDB would look up first, and read every such learner.
    return sorted(ids.union(pk for pk, student_key in addressed if not student_key))
