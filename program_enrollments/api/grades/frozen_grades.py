"""Reading grades: a course run's grades, live or frozen, and the versions that were frozen.

See docs/grades.rst.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from program_enrollments.api.grades.acknowledgements import count_acknowledgements
from program_enrollments.api.grades.final_grades import grade_learners, read_frozen, render_frozen
from program_enrollments.api.grades.freezes import FREEZE_COLUMNS, MAX_VERSION, FrozenVersion, find_freeze
from program_enrollments.api.grades.members import gather_page
from program_enrollments.api.reads.cursors import Cursor, fetch_page, walk
from program_enrollments.conf import get_setting
from program_enrollments.data import Page
from program_enrollments.exceptions import BadCursor
from program_enrollments.host.deadline import limited
from program_enrollments.models import CourseRun, GradeFreeze, Program

LIVE = 0


@dataclass(frozen=True, slots=True)
class GradePage:
    """A page of grades.

    If they are frozen, `version` is the one in force and `frozen_at` its time. Otherwise both are None.
    """

    page: Page
    version: int | None = None
    frozen_at: datetime | None = None

    @property
    def frozen(self) -> bool:
        """Return whether the rows are those of a version, the same forever."""
        return self.version is not None


@dataclass(frozen=True, slots=True)
class FrozenGrades:
    """A version with its rows, in their order forever. `rows()` reads them a chunk at a time.

    `acknowledged` counts the grades that the university recorded, rejected, or has not reported about (`open`).
    """

    version: FrozenVersion
    acknowledged: Mapping[str, int]
    _freeze_id: int = field(repr=False)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield every row as the wire has it, in order."""
        return walk_frozen(freeze_id=self._freeze_id)


def walk_frozen(*, freeze_id: int) -> Iterator[dict[str, Any]]:
    """Yield the rows of a version as the wire has them, in order.

    Takes one statement per chunk, so that no list is too long for the memory.
    """
    size, position = get_setting("CHUNK_SIZE"), 0
    while True:
        chunk = list(read_frozen(freeze_id=freeze_id, position__gt=position)[:size])
        yield from map(render_frozen, chunk)
        if len(chunk) < size:
            return
        position = chunk[-1][0]


def fetch_grades(*, program: Program, course_run: CourseRun, cursor: str | None, page_size: int) -> GradePage:
    """Return a page of the grades of a course run in a program.

    They are those of the version in force, or live from the host if there is none.

    Live rows come in the order of learners, with one call of the host a page; frozen ones in the version's order. Two
    statements and the host's. A cursor belongs to the version it was given with, or to live grades: where that has
    changed between two pages it raises BadCursor, so that nobody puts two halves of different lists together. Raises
    HostError if the host cannot answer.
    """
    standing = (
        GradeFreeze.objects.filter(book__program=program, book__course_run=course_run, standing_book__isnull=False)
        .values_list("pk", "version", "frozen_at")
        .first()
    )
    freeze_id, version, frozen_at = standing or (None, None, None)
    inner = _unbind(cursor, version or LIVE) if cursor else None
    if freeze_id is None:
        page = _live_page(program, course_run, inner, page_size)
    else:
        page = _frozen_page(freeze_id, inner, page_size)
    bound = Page(page.rows, _bind(page.next_cursor, version or LIVE), _bind(page.previous_cursor, version or LIVE))
    return GradePage(bound, version, frozen_at)


def walk_grades(*, program: Program, course_run: CourseRun, page_size: int) -> Iterator[dict[str, Any]]:
    """Yield the grades of a course run as `fetch_grades` has them, a page at a time.

    Raises HostError, and BadCursor if the grades are frozen or reopened meanwhile.
    """

    def fetch(*, cursor: str | None) -> Page:
        return fetch_grades(program=program, course_run=course_run, cursor=cursor, page_size=page_size).page

    return walk(fetch)


def fetch_freezes(*, program: Program, course_run: CourseRun, cursor: str | None, page_size: int) -> Page:
    """Return a page of the versions of a course run's grades, oldest first.

    Each is described by `FrozenVersion.describe`.

    One statement. Raises BadCursor.
    """

    def read(place: Cursor, limit: int) -> list[tuple[int, FrozenVersion]]:
        beyond = {"version__lt" if place.backward else "version__gt": min(place.key, MAX_VERSION)}
        versions = _versions(program, course_run).filter(**beyond)
        rows = versions.order_by("-version" if place.backward else "version").values_list(*FREEZE_COLUMNS)[:limit]
        return [(found.version, found) for found in (FrozenVersion(*row) for row in rows)]

    return fetch_page(read=read, cursor=cursor, page_size=page_size, render=FrozenVersion.describe)


def get_freeze(*, program: Program, course_run: CourseRun, version: int) -> FrozenGrades:
    """Return a version of a course run's grades, in force or reopened.

    Two statements, and one per chunk of rows read. Raises FreezeDoesNotExist.
    """
    freeze_id, frozen = find_freeze(program=program, course_run=course_run, version=version)
    return FrozenGrades(frozen, count_acknowledgements(freeze_id=freeze_id, count=frozen.count), freeze_id)


def _versions(program: Program, course_run: CourseRun) -> Any:
    return GradeFreeze.objects.filter(book__program=program, book__course_run=course_run)


def _live_page(program: Program, course_run: CourseRun, cursor: str | None, page_size: int) -> Page:
    page = gather_page(program=program, course_run=course_run, cursor=cursor, page_size=page_size)
    with limited("CALL_HOST_SECONDS"):
        graded = grade_learners(course_run=course_run, learners=page.learners)
    return Page([row.render() for row in graded], page.next_cursor, page.previous_cursor)


def _frozen_page(freeze_id: int, cursor: str | None, page_size: int) -> Page:
    def read(place: Cursor, limit: int) -> list[tuple[int, Any]]:
        # No position is that far; a number too large for its column is an error on some databases.
        beyond = {"position__lt" if place.backward else "position__gt": min(place.key, MAX_VERSION)}
        rows = read_frozen(freeze_id=freeze_id, **beyond)
        return [(row[0], row) for row in (rows.reverse() if place.backward else rows)[:limit]]

    return fetch_page(read=read, cursor=cursor, page_size=page_size, render=render_frozen)


def _bind(cursor: str | None, version: int) -> str | None:
    return None if cursor is None else f"{version}.{cursor}"


def _unbind(cursor: str, version: int) -> str:
    of_version, dot, inner = cursor.partition(".")
    if not dot or not inner or of_version != str(version):
        raise BadCursor
    return inner
