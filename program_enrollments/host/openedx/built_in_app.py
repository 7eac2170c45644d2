"""The enrollments of the platform's own app, `lms.djangoapps.program_enrollments`, read page by page.

Only read: its tables are never written, so that the way back stays open.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.apps import apps
from django.db import connection
from django.db.models.functions import Lower

from program_enrollments.host.openedx.platform import get_model
from program_enrollments.normalization import normalize_identity

APP = "lms.djangoapps.program_enrollments"
RETIRED = "retired_external_key_"
"""What the platform puts before the hash of a student ID when a person is retired."""
STAFF = "staff"
FIELDS = ("pk", "user_id", "external_user_key", "program_uuid", "curriculum_uuid", "status", "modified")
STATUSES = ("enrolled", "pending", "suspended")
"""Statuses by which of two rows of a person counts, the first one most; all others are equal."""

NOBODY = "nobody"
RETIRED_PERSON = "retired"
SECOND_CURRICULUM = "second-curriculum"
LEFT_OUT = {
    NOBODY: "the row names neither a student ID nor an account",
    RETIRED_PERSON: "the person was retired",
    SECOND_CURRICULUM: "another row of this person in this program counts; here a learner is in a program once",
}


class BuiltInCourse(NamedTuple):
    """A course enrollment of the built-in app.

    `course_staff` is True for a promised role, else None: not known.
    """

    id: int
    course_id: str
    status: str
    course_staff: bool | None


@dataclass(frozen=True, slots=True)
class BuiltInEnrollment:
    """A program enrollment of the built-in app, with all course enrollments of that person in the program."""

    id: int
    user_id: int | None
    student_key: str
    program_uuid: UUID
    curriculum_uuid: UUID
    status: str
    courses: tuple[BuiltInCourse, ...]


@dataclass(frozen=True, slots=True)
class BuiltInPage:
    """Rows that follow each other: those that count, and by ID why others are left out.

    `last` is the highest ID.
    """

    enrollments: list[BuiltInEnrollment]
    left_out: dict[int, str]
    last: int


class _Row(NamedTuple):
    id: int
    user_id: int | None
    key: str | None
    program_uuid: UUID
    curriculum_uuid: UUID
    status: str
    modified: datetime

    @property
    def rank(self) -> tuple[int, datetime, int]:
        """What decides between two rows of one person: the status, then which was changed last."""
        weight = len(STATUSES) - STATUSES.index(self.status) if self.status in STATUSES else 0
        return weight, self.modified, self.id


class _Person(NamedTuple):
    """A person in a program: by student ID if the row has one, else by account."""

    program_uuid: UUID
    name: str | int


def is_built_in_app_there() -> bool:
    """Whether the platform's own app is installed."""
    return apps.is_installed(APP)


def read_pages(*, after: int = 0, size: int = 500) -> Iterator[BuiltInPage]:
    """Yield all rows after the ID `after`, at most `size` per page.

    A page takes a constant number of statements.
    """
    while True:
        rows = list(_rows(pk__gt=after).order_by("pk")[:size])
        if not rows:
            return
        page = _read_page([_Row._make(row) for row in rows])
        yield page
        after = page.last


class Looked(NamedTuple):
    """An enrollment to look for.

    `student_key` is normalized; `course_id` is empty for a program enrollment.
    """

    program_uuid: UUID
    student_key: str
    user_id: int | None
    course_id: str


def find_absent(*, looked: Sequence[Looked]) -> list[int]:
    """Return the places in `looked` of enrollments that the built-in app does not have.

    Takes three statements. A person is there by student ID or by account, in whatever curriculum and status.
    """
    programs = {one.program_uuid for one in looked}
    keys, users = {one.student_key for one in looked if one.student_key}, {one.user_id for one in looked}
    of_programs = _rows(program_uuid__in=programs)
    rows = {
        row.id: row
        for found in (_having_keys(of_programs, keys), of_programs.filter(user_id__in=users - {None}))
        for row in map(_Row._make, found)
    }
    courses = _read_courses(list(rows)) if any(one.course_id for one in looked) else {}
    there: set[tuple[UUID, str | int, str]] = set()
    for row in rows.values():
        names: list[str | int] = [name for name in (normalize_identity(row.key or ""), row.user_id) if name]
        for course_id in ("", *(course.course_id for course in courses.get(row.id, ()))):
            there.update((row.program_uuid, name, course_id) for name in names)
    return [
        place
        for place, one in enumerate(looked)
        if not any(name and (one.program_uuid, name, one.course_id) in there for name in (one.student_key, one.user_id))
    ]


def _rows(**conditions: Any) -> Any:
    return get_model("program_enrollments.ProgramEnrollment").objects.filter(**conditions).values_list(*FIELDS)


def _read_page(rows: Sequence[_Row]) -> BuiltInPage:
    left_out: dict[int, str] = {}
    groups = _group(_with_others_of_the_same_people(rows))
    counting: list[tuple[_Row, str, list[_Row]]] = []
    for row in rows:
        if not row.key and row.user_id is None:
            left_out[row.id] = NOBODY
        elif (row.key or "").startswith(RETIRED):
            left_out[row.id] = RETIRED_PERSON
        else:
            group = sorted(groups[row.id], key=lambda each: each.rank, reverse=True)
            if group[0].id == row.id:
                key = row.key or next((each.key for each in group if each.key), "")
                counting.append((row, key or "", group))
            else:
                left_out[row.id] = SECOND_CURRICULUM
    courses = _read_courses([each.id for _, _, group in counting for each in group])
    enrollments = [
        BuiltInEnrollment(
            id=row.id,
            user_id=row.user_id or next((each.user_id for each in group if each.user_id), None),
            student_key=key,
            program_uuid=row.program_uuid,
            curriculum_uuid=row.curriculum_uuid,
            status=row.status,
            courses=_choose_courses(row, group, courses),
        )
        for row, key, group in counting
    ]
    return BuiltInPage(enrollments, left_out, rows[-1].id)


def _with_others_of_the_same_people(rows: Sequence[_Row]) -> list[_Row]:
    """Return `rows` and those of the same people in the same programs that stand on other pages.

    Twice: a student ID leads to an account, and that to a row without student ID, or the other way round.
    """
    programs = {row.program_uuid for row in rows}
    found = {row.id: row for row in rows}
    for _round in range(2):
        keys = {row.key for row in found.values() if row.key}
        users = {row.user_id for row in found.values() if row.user_id is not None}
        others = _rows(program_uuid__in=programs)
        for wanted, having in ((keys, _having_keys(others, keys)), (users, others.filter(user_id__in=users))):
            if wanted:
                found.update((each[0], _Row._make(each)) for each in having)
    return list(found.values())


def _having_keys(rows: Any, keys: Collection[str]) -> Any:
    """Return `rows` with one of these student IDs in any letter case.

    MySQL ignores case by itself, and uses the index.
    """
    if connection.vendor == "mysql":
        return rows.filter(external_user_key__in=keys)
    return rows.alias(lowered=Lower("external_user_key")).filter(lowered__in={key.lower() for key in keys})


def _group(rows: Iterable[_Row]) -> dict[int, list[_Row]]:
    """Return for each row all rows of the same person in the same program.

    Rows without student ID go to the one that the same account has in another row.
    """
    known = list(rows)
    key_of: dict[tuple[UUID, int | None], str] = {
        (row.program_uuid, row.user_id): normalize_identity(row.key)
        for row in sorted(known, key=lambda row: row.rank)
        if row.key and row.user_id is not None
    }
    groups: defaultdict[_Person, list[_Row]] = defaultdict(list)
    persons = {}
    for row in known:
        name = normalize_identity(row.key) if row.key else key_of.get((row.program_uuid, row.user_id))
        person = persons[row.id] = _Person(row.program_uuid, name or row.user_id or 0)
        groups[person].append(row)
    return {row_id: groups[person] for row_id, person in persons.items()}


def _read_courses(ids: Collection[int]) -> Mapping[int, list[BuiltInCourse]]:
    """Return the course enrollments of program enrollments, in two statements."""
    rows = list(
        get_model("program_enrollments.ProgramCourseEnrollment")
        .objects.filter(program_enrollment_id__in=ids)
        .order_by("pk")
        .values_list("pk", "program_enrollment_id", "course_key", "status")
    )
    assignments = get_model("program_enrollments.CourseAccessRoleAssignment").objects
    promised = set(
        assignments.filter(enrollment_id__in=[row[0] for row in rows], role=STAFF).values_list(
            "enrollment_id", flat=True
        )
    )
    found: defaultdict[int, list[BuiltInCourse]] = defaultdict(list)
    for pk, parent, course_key, status in rows:
        found[parent].append(BuiltInCourse(pk, str(course_key), status, True if pk in promised else None))
    return found


def _choose_courses(
    row: _Row, group: Iterable[_Row], courses: Mapping[int, list[BuiltInCourse]]
) -> tuple[BuiltInCourse, ...]:
    """Return one course enrollment per run: the counting row's own, else an active one, else the newest."""
    chosen: dict[str, tuple[tuple[bool, bool, int], BuiltInCourse]] = {}
    for each in group:
        for course in courses.get(each.id, ()):
            rank = (each.id == row.id, course.status == "active", course.id)
            if course.course_id not in chosen or rank > chosen[course.course_id][0]:
                chosen[course.course_id] = (rank, course)
    return tuple(course for _, course in sorted(chosen.values(), key=lambda pair: pair[1].id))
