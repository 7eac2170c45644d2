"""Reading: lists of enrollments.

Real and preemptive ones together, in one order, by keyset (docs/api.rst, Lists).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from heapq import merge
from itertools import islice
from typing import Any

from django.db.models import Model

from program_enrollments.api.reads.course_staff import HeldRoles, fetch_roles
from program_enrollments.api.reads.cursors import Cursor, fetch_page, walk
from program_enrollments.api.reads.enrollment_pages import Cut, Listed, read_page
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

Render = Callable[[Listed], dict[str, Any]]
Tables = Mapping[type[Model], bool | None]
"""The tables that a list reads, in this order. If a table has learners with and without an account, the second value
tells which ones the list includes.
"""


def fetch_program_enrollments(
    *, program: Program, filters: EnrollmentFilters, cursor: str | None, page_size: int
) -> Page:
    """Return a page of a program's enrollments.

    Two statements, two more where `student_keys` are filtered.

    Raises BadCursor.
    """
    return _program_page(
        program=program, filters=filters, render=_show_program_enrollment, cursor=cursor, page_size=page_size
    )


def fetch_course_enrollments(
    *, program: Program, course_run: CourseRun | None, filters: EnrollmentFilters, cursor: str | None, page_size: int
) -> Page:
    """Return a page of the enrollments in a run through a program, or in all of its runs.

    All runs come one after the other, and their rows say which run they are of. Statements and exceptions are as above,
    twice as many for all runs, and one call of the host if anybody on the page has an account.
    """
    # The host is asked about all rows at once, so they pass through the page as they are.
    page = _course_page(
        program=program,
        course_run=course_run,
        filters=filters,
        render=lambda row: {"listed": row},
        cursor=cursor,
        page_size=page_size,
    )
    listed: list[Listed] = [row["listed"] for row in page.rows]
    linked = [row for row in listed if row.user_id is not None]
    roles = fetch_roles(
        user_ids=list({row.user_id for row in linked if row.user_id is not None}),
        course_ids=list({row.course_id for row in linked}),
    )
    rows = [_show_course_enrollment(row, roles, with_run=course_run is None) for row in listed]
    return Page(rows, page.next_cursor, page.previous_cursor)


def walk_program_enrollments(
    *, program: Program, filters: EnrollmentFilters, page_size: int
) -> Iterator[dict[str, Any]]:
    """Yield a program's enrollments as a file has them, a page of statements at a time.

    `email` is the address that the school gave, not the account's: a file that is sent back must say what the school
    said. Raises nothing of its own.
    """
    source = partial(
        _program_page, program=program, filters=filters, render=_export_program_enrollment, page_size=page_size
    )
    return walk(source)


def walk_course_enrollments(
    *, program: Program, course_run: CourseRun | None, filters: EnrollmentFilters, page_size: int
) -> Iterator[dict[str, Any]]:
    """Yield the enrollments in a run through a program, or in all of its runs, as a file has them.

    `email` and `course_staff` are what the school said, for the reason given above; the host is not asked.
    """
    source = partial(
        _course_page,
        program=program,
        course_run=course_run,
        filters=filters,
        render=_export_course_enrollment,
        page_size=page_size,
    )
    return walk(source)


def _program_page(
    *, program: Program, filters: EnrollmentFilters, render: Render, cursor: str | None, page_size: int
) -> Page:
    tables: dict[type[Model], bool | None] = {}
    # A program enrollment is real if, and only if, its learner has an account: that filter picks a table.
    if filters.account_exists is not True:
        tables[PreemptiveProgramEnrollment] = None
    if filters.account_exists is not False:
        tables[ProgramEnrollment] = None
    source = _Source(tables, program.school_id, {"program_id": program.pk}, filters)
    return fetch_page(read=source.read, cursor=cursor, page_size=page_size, render=render)


def _course_page(
    *,
    program: Program,
    course_run: CourseRun | None,
    filters: EnrollmentFilters,
    render: Render,
    cursor: str | None,
    page_size: int,
) -> Page:
    # A promise that the host refused is preemptive, while its learner has an account.
    tables: dict[type[Model], bool | None] = {PreemptiveCourseEnrollment: filters.account_exists}
    if filters.account_exists is not False:
        tables[ProgramCourseEnrollment] = None
    place = {"program_id": program.pk}
    if course_run is not None:
        source = _Source(tables, program.school_id, {**place, "course_run_id": course_run.pk}, filters)
        return fetch_page(read=source.read, cursor=cursor, page_size=page_size, render=render)
    source = _Source(tables, program.school_id, place, filters)
    return fetch_page(read=source.read_runs, cursor=cursor, page_size=page_size, render=render, has_two_keys=True)


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


def _export_program_enrollment(row: Listed) -> dict[str, Any]:
    return {**_show_program_enrollment(row), "email": row.email}


def _show_course_enrollment(row: Listed, roles: HeldRoles, *, with_run: bool) -> dict[str, Any]:
    return {
        **({"course_id": row.course_id} if with_run else {}),
        "student_key": row.student_key or row.email,
        "status": row.status,
        "account_exists": row.user_id is not None,
        "curriculum_uuid": str(row.curriculum_uuid),
        "course_staff": roles.show(user_id=row.user_id, course_id=row.course_id, wish=bool(row.course_staff)),
    }


def _export_course_enrollment(row: Listed) -> dict[str, Any]:
    return {
        "course_id": row.course_id,
        "student_key": row.student_key or row.email,
        "email": row.email,
        "status": row.status,
        "course_staff": bool(row.course_staff),
        "account_exists": row.user_id is not None,
        "curriculum_uuid": str(row.curriculum_uuid),
    }


@dataclass(frozen=True, slots=True)
class _Source:
    """Reads rows from `tables` at `place`, the leading columns of the index that ends in the learner.

    Tables are read one after the other, promises first: what becomes real meanwhile is then found twice, not nowhere,
    and shown as the later table has it.
    """

    tables: Tables
    school_id: int
    place: Mapping[str, int]
    filters: EnrollmentFilters

    def read(self, behind: Cursor, limit: int) -> list[tuple[int, Listed]]:
        """Return rows in the order of learners."""
        cut = self._cut(behind, limit)
        return [(row.learner_id, row) for row in self._read(cut)]

    def read_runs(self, behind: Cursor, limit: int) -> list[tuple[tuple[int, int], Listed]]:
        """Return rows in the order of course runs, and of learners in each.

        First comes the rest of the run that the cursor stands in, then the runs behind it: two ranges of the index,
        where a comparison of pairs would be none on MariaDB.
        """
        cut = self._cut(behind, limit)
        found: list[Listed] = []
        if behind.within:
            run = {**cut.place, "course_run_id": behind.key}
            found = self._read(replace(cut, place=run, behind=behind.within))
        if len(found) < limit:
            runs = replace(cut, keys=("course_run_id", "learner_id"), limit=limit - len(found))
            found += self._read(runs)
        return [((row.course_run_id, row.learner_id), row) for row in found]

    def _cut(self, behind: Cursor, limit: int) -> Cut:
        learner_ids = None
        if self.filters.student_keys:
            learner_ids = find_displayed(school_id=self.school_id, student_keys=self.filters.student_keys)
        return Cut(
            place=self.place,
            behind=behind.key,
            backward=behind.backward,
            limit=limit,
            status=self.filters.status,
            modified_since=self.filters.modified_since,
            learner_ids=learner_ids,
        )

    def _read(self, cut: Cut) -> list[Listed]:
        pages = [read_page(table, cut=replace(cut, linked=linked)) for table, linked in self.tables.items()]
        latest = {_key(row): row for row in merge(*pages, key=_key, reverse=cut.backward)}
        return list(islice(latest.values(), cut.limit))


def _key(row: Listed) -> tuple[int, int]:
    return row.course_run_id, row.learner_id


def find_displayed(*, school_id: int, student_keys: Sequence[str]) -> list[int]:
    """Return the IDs of the school's learners whose `student_key` on the wire is one of these.

    It is the ID, or the address of a learner without an ID.
    """
    wanted = {normalize_identity(student_key) for student_key in student_keys}
    learners = Learner.objects.filter(school_id=school_id).order_by()
    ids = set(learners.filter(student_key_normalized__in=wanted).values_list("pk", flat=True))
    addressed = learners.filter(email_normalized__in=wanted).values_list("pk", "student_key_normalized")
    # With the condition "no student ID" in SQL, MariaDB would start with it and read every such learner.
    return sorted(ids.union(pk for pk, student_key in addressed if not student_key))
