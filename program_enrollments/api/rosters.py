"""Rosters: the learners of a program, and those of a course run in it, as the console lists them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import islice
from typing import Any

from django.db.models import Model, Q

from program_enrollments.api.learners.search import find_learners
from program_enrollments.api.reads.course_list import fetch_run_titles
from program_enrollments.api.reads.course_staff import fetch_roles
from program_enrollments.api.reads.cursors import Cursor, fetch_page
from program_enrollments.api.reads.enrollment_pages import Cut, Listed, read_page
from program_enrollments.api.reads.needs import find_in_need
from program_enrollments.conf import get_setting
from program_enrollments.data import PRESENT_STATUSES, CourseStatus, LearnerFilters, LearnerProblem, LearnerState, Page
from program_enrollments.exceptions import TooManyRows
from program_enrollments.models import (
    CourseRun,
    Learner,
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
    Program,
    ProgramCourseEnrollment,
    ProgramEnrollment,
)

EXPECTED = PRESENT_STATUSES | {CourseStatus.ACTIVE.value}
"""Statuses in which somebody without an account is waited for."""

Tables = Sequence[tuple[type[Model], dict[str, Any]]]
"""Tables that a list is read from, each with what its cut is restricted to."""


@dataclass(frozen=True, slots=True)
class ListedLearners:
    """A page of a program's learners, and key and title of each course run by which they can be filtered."""

    page: Page
    courses: list[tuple[str, str]]


def fetch_learner_list(
    *, program: Program, filters: LearnerFilters | None, cursor: str | None, page_size: int
) -> ListedLearners:
    """Return a page of a program's learners, in five statements and a few more for filters.

    Rows have `learner_id, student_key, email, username, status, curriculum_uuid, state, problem`; `problem` is a value
    of `LearnerProblem`, "refused" for one whose seat the platform refused, or "". The page has no rows if filters are
    None, which stands for filters that cannot be read, or name a course run of another program. Raises BadCursor.
    """
    courses = fetch_run_titles(program=program)
    if filters is None:
        return ListedLearners(Page(), courses)
    read = _reader(program=program, course_run=None, filters=filters)
    page = fetch_page(read=read, cursor=cursor, page_size=page_size, render=lambda row: {"listed": row})
    problems = _problems(program=program, learner_ids=[row["listed"].learner_id for row in page.rows])
    rows = [_show(row["listed"], problems) for row in page.rows]
    return ListedLearners(Page(rows, page.next_cursor, page.previous_cursor), courses)


def fetch_roster(
    *, program: Program, course_run: CourseRun, filters: LearnerFilters, cursor: str | None, page_size: int
) -> Page:
    """Return a page of a course run's learners in a program, with at most one call of the host.

    Rows are as above, with the course status, and have `course_staff` and `refusal`, which says why the platform has no
    seat, "" if nothing is wrong. Raises BadCursor.
    """
    read = _reader(program=program, course_run=course_run, filters=filters)
    page = fetch_page(read=read, cursor=cursor, page_size=page_size, render=lambda row: {"listed": row})
    listed: list[Listed] = [row["listed"] for row in page.rows]
    learner_ids = [row.learner_id for row in listed]
    problems = _problems(program=program, learner_ids=learner_ids)
    refusals = _refusals(program=program, course_run=course_run, learner_ids=learner_ids)
    course_id = course_run.course_id
    roles = fetch_roles(
        user_ids=[row.user_id for row in listed if row.user_id is not None],
        course_ids=[course_id],
    )
    rows = [
        {
            **_show(row, problems),
            "course_id": course_id,
            "course_staff": roles.show(user_id=row.user_id, course_id=course_id, wish=bool(row.course_staff)),
            "refusal": refusals.get(row.learner_id, ""),
        }
        for row in listed
    ]
    return Page(rows, page.next_cursor, page.previous_cursor)


def fetch_filtered(
    *, program: Program, filters: LearnerFilters, course_run: CourseRun | None = None, limit: int
) -> list[tuple[int, str]]:
    """Return learner and status of everybody whom a list finds, in its order, in two statements or three.

    The list is that of the course run, or else that of the program. Raises TooManyRows if it is longer than `limit`;
    the number that was received is then only known to be larger.
    """
    read = _reader(program=program, course_run=course_run, filters=filters)
    found = read(Cursor(), limit + 1)
    if len(found) > limit:
        raise TooManyRows(limit=limit, received=len(found))
    return [(learner_id, row.status) for learner_id, row in found]


def _program_tables(*, program: Program, filters: LearnerFilters) -> Tables:
    tables: list[tuple[type[Model], dict[str, Any]]] = []
    if filters.state != LearnerState.IN:
        tables.append((PreemptiveProgramEnrollment, {}))
    if filters.state != LearnerState.WAITING:
        tables.append((ProgramEnrollment, {}))
    return _in_course(tables, program=program, course_id=filters.course_id) if filters.course_id else tables


def _course_tables(*, filters: LearnerFilters) -> Tables:
    account = {LearnerState.IN.value: True, LearnerState.WAITING.value: False}.get(filters.state or "")
    tables: list[tuple[type[Model], dict[str, Any]]] = [(PreemptiveCourseEnrollment, {"linked": account})]
    if account is not False:
        tables.append((ProgramCourseEnrollment, {}))
    return tables


def _in_course(tables: Tables, *, program: Program, course_id: str) -> list[tuple[type[Model], dict[str, Any]]]:
    """Restrict tables of a program to learners who are active in one of its course runs. One statement.

    Each is read once per table of course enrollments: with an account, people have preemptive ones that were refused.
    """
    runs = CourseRun.objects.filter(curricula__program=program, course_id=course_id)
    found = list(runs.order_by().values_list("pk", flat=True)[:1])
    return [
        (table, {**restriction, "active_in": (course_table, pk)})
        for pk in found
        for table, restriction in tables
        for course_table in (PreemptiveCourseEnrollment, ProgramCourseEnrollment)
        if (table, course_table) != (PreemptiveProgramEnrollment, ProgramCourseEnrollment)
    ]


def _reader(
    *, program: Program, course_run: CourseRun | None, filters: LearnerFilters
) -> Callable[[Cursor, int], list[tuple[int, Listed]]]:
    """Return what reads a list of learners: that of the course run, or else that of the program."""
    place = {"program_id": program.pk}
    if course_run is None:
        tables = _program_tables(program=program, filters=filters)
    else:
        tables = _course_tables(filters=filters)
        place["course_run_id"] = course_run.pk
    learner_ids = _filtered(program=program, filters=filters)

    def read(behind: Cursor, limit: int) -> list[tuple[int, Listed]]:
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
                    **restriction,
                ),
            )
            for table, restriction in tables
        ]
        latest = {row.learner_id: row for row in merge(*pages, key=lambda row: row.learner_id, reverse=behind.backward)}
        return list(islice(latest.items(), limit))

    return read


def _filtered(*, program: Program, filters: LearnerFilters) -> Collection[int] | None:
    """Return the IDs of the learners whom the filters allow, None for all."""
    allowed: set[int] | None = None
    if filters.words:
        allowed = set(find_learners(text=filters.words, school_id=program.school_id))
    if filters.state == LearnerState.HELP:
        in_need = {one.learner_id for one in find_in_need(programs=[program])}
        allowed = in_need if allowed is None else allowed & in_need
    return allowed


def _show(row: Listed, problems: Mapping[int, str]) -> dict[str, Any]:
    linked, problem = row.user_id is not None, problems.get(row.learner_id, "")
    if problem:
        state = LearnerState.HELP
    elif linked:
        state = LearnerState.IN
    else:
        state = LearnerState.WAITING if row.status in EXPECTED else LearnerState.NONE
    return {
        "learner_id": row.learner_id,
        "student_key": row.student_key or row.email,
        "email": row.email or (row.account_email if linked else "") or "",
        "username": row.username or "",
        "status": row.status,
        "curriculum_uuid": str(row.curriculum_uuid),
        "state": state.value,
        "problem": problem,
    }


def _problems(*, program: Program, learner_ids: Collection[int]) -> dict[int, str]:
    """Return what is wrong with those of the learners who need help. Two statements."""
    refused = PreemptiveCourseEnrollment.objects.filter(
        Q(refusals__gte=get_setting("MAX_TRIES")),
        program=program,
        learner__in=learner_ids,
        learner__user__isnull=False,
    ).exclude(problem_code="")
    problems = dict.fromkeys(refused.values_list("learner_id", flat=True), "refused")
    troubled = Learner.objects.filter(pk__in=learner_ids).exclude(problem_code="").order_by()
    problems.update(troubled.values_list("pk", "problem_code"))
    return {
        learner_id: str(code) for learner_id, code in problems.items() if code in {"refused", *LearnerProblem.values}
    }


def _refusals(*, program: Program, course_run: CourseRun, learner_ids: Collection[int]) -> dict[int, str]:
    refused = PreemptiveCourseEnrollment.objects.filter(
        program=program, course_run=course_run, learner__in=learner_ids
    ).exclude(problem_code="")
    return dict(refused.values_list("learner_id", "problem_detail"))
