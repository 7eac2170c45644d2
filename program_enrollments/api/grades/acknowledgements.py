"""Acknowledgements: a university reports what became of each grade of a frozen version.

The frozen rows and their digest never change. Reports are added, and the last one about a grade counts
(docs/grades.rst).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count
from django.db.models.enums import TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from program_enrollments.api.grades.books import lock_books
from program_enrollments.api.grades.freezes import FrozenVersion, find_freeze, username_of
from program_enrollments.api.pieces import cut
from program_enrollments.api.reads.cursors import Cursor, fetch_page
from program_enrollments.api.transactions import in_transaction
from program_enrollments.data import AcknowledgementState, Origin, Page, RowOutcome
from program_enrollments.models import CourseRun, FrozenGrade, GradeAcknowledgement, Program
from program_enrollments.normalization import normalize_identity
from program_enrollments.sql.bulk import insert_rows

MAX_POSITION = 2**31 - 1
OPEN = "open"
"""The state of a frozen grade that nothing was reported about."""

INSERTED_FIELDS = (
    "grade",
    "state",
    "detail",
    "acknowledged_at",
    "acknowledged_by",
    "acknowledged_by_user_id",
    "request_id",
)


class AcknowledgementRefusal(TextChoices):
    """The words that refuse an acknowledgement. A good row's word is its state."""

    DUPLICATED = "duplicated", _("Two rows name this student; none of them was written. Send one row per student.")
    NOT_IN_VERSION = "not-in-version", _("This version has no grade of this student. Check the ID and the version.")


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """One row of a report: the student ID as sent, the state, and the university's own words."""

    student_key: str
    state: AcknowledgementState
    detail: str = ""


@dataclass(frozen=True, slots=True)
class AcknowledgementPage:
    """A page of reports about a version's grades.

    `version` is that version. `acknowledged` counts its grades by state: `recorded`, `rejected` and `open`.
    """

    page: Page
    version: FrozenVersion
    acknowledged: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Standing:
    """The report that counts for a grade."""

    pk: int
    state: str
    detail: str


def acknowledge_grades(
    *,
    program: Program,
    course_run: CourseRun,
    version: int,
    rows: Sequence[Acknowledgement],
    origin: Origin,
    dry_run: bool = False,
    now: datetime | None = None,
) -> list[RowOutcome]:
    """Store what became of grades of a version, and return one outcome per row, in order.

    A grade is found by the `student_key` of its frozen row, in any spelling (ADR 0005). The rows of retired persons are
    not found. Repeating a report changes nothing. One short transaction holds the grade book; six statements, whatever
    the number of rows up to a chunk. Raises FreezeDoesNotExist.
    """
    freeze_id, _version = find_freeze(program=program, course_run=course_run, version=version)
    moment = now or timezone.now()

    def work() -> list[RowOutcome]:
        lock_books(pairs=[(program.pk, course_run.pk)])
        plan = _plan(rows, _grades_by_key(freeze_id), _read_standing(freeze_id))
        if not dry_run:
            _apply(plan, origin=origin, now=moment)
        return [outcome for outcome, _grade, _old in plan.steps]

    return in_transaction(work)


def count_acknowledgements(*, freeze_id: int, count: int) -> dict[str, int]:
    """Return how many of a version's `count` grades are recorded, rejected and open. One statement."""
    standing = GradeAcknowledgement.objects.filter(grade__freeze=freeze_id, superseded_at__isnull=True)
    counts = dict(standing.order_by().values_list("state").annotate(number=Count("pk")))
    told = {state.value: counts.get(state.value, 0) for state in AcknowledgementState}
    return {**told, OPEN: count - sum(told.values())}


def fetch_acknowledgements(
    *,
    program: Program,
    course_run: CourseRun,
    version: int,
    cursor: str | None,
    page_size: int,
    state: str | None = None,
) -> AcknowledgementPage:
    """Return a page of what was reported about a version's grades, in the order of the frozen rows.

    Rows are `student_key, state, detail, acknowledged_by, acknowledged_at`. `state` limits them to one state; "open"
    returns the grades that nothing was reported about. Three statements. Raises FreezeDoesNotExist and BadCursor.
    """
    freeze_id, frozen = find_freeze(program=program, course_run=course_run, version=version)

    def read(place: Cursor, limit: int) -> list[tuple[int, Mapping[str, Any]]]:
        grades = FrozenGrade.objects.filter(freeze=freeze_id)
        grades = grades.filter(
            **{"position__lt" if place.backward else "position__gt": min(place.key, MAX_POSITION)}
        ).order_by("-position" if place.backward else "position")
        return _read_open(grades, limit) if state == OPEN else _read_reported(grades, state, limit)

    page = fetch_page(read=read, cursor=cursor, page_size=page_size, render=lambda row: row)
    return AcknowledgementPage(page, frozen, count_acknowledgements(freeze_id=freeze_id, count=frozen.count))


@dataclass(frozen=True, slots=True)
class _Plan:
    """Per row of a report: its outcome, the grade to write or None, and the report that it supersedes."""

    rows: Sequence[Acknowledgement]
    steps: list[tuple[RowOutcome, int | None, int | None]]


def _plan(rows: Sequence[Acknowledgement], grades: Mapping[str, list[int]], standing: Mapping[int, _Standing]) -> _Plan:
    named = Counter(normalize_identity(row.student_key) for row in rows)
    steps: list[tuple[RowOutcome, int | None, int | None]] = []
    for row in rows:
        key = normalize_identity(row.student_key)
        found = grades.get(key, [])
        if named[key] > 1:
            steps.append((_refused(row, AcknowledgementRefusal.DUPLICATED), None, None))
        elif len(found) != 1:
            word = AcknowledgementRefusal.NOT_IN_VERSION
            steps.append((_refused(row, word, ambiguous=bool(found)), None, None))
        else:
            old = standing.get(found[0])
            changed = old is None or (old.state, old.detail) != (row.state, row.detail)
            outcome = RowOutcome(
                row.student_key, row.state.value, True, before=old.state if old else None, changed=changed
            )
            steps.append((outcome, found[0] if changed else None, old.pk if old else None))
    return _Plan(rows, steps)


def _refused(row: Acknowledgement, word: AcknowledgementRefusal, *, ambiguous: bool = False) -> RowOutcome:
    detail = (
        _("Two grades of this version carry this ID, so it names neither. Ask the platform's support.")
        if ambiguous
        else word.label
    )
    return RowOutcome(row.student_key, word.value, False, detail=str(detail))


def _apply(plan: _Plan, *, origin: Origin, now: datetime) -> None:
    written = [
        (row, grade_id, old)
        for row, (_outcome, grade_id, old) in zip(plan.rows, plan.steps, strict=True)
        if grade_id is not None
    ]
    for superseded in cut([old for _row, _grade, old in written if old is not None]):
        GradeAcknowledgement.objects.filter(pk__in=superseded).update(superseded_at=now)
    username = username_of(origin.actor_id)
    for chunk in cut(written):
        insert_rows(
            GradeAcknowledgement,
            fields=INSERTED_FIELDS,
            rows=[
                (grade_id, row.state.value, row.detail, now, username, origin.actor_id, origin.request_id)
                for row, grade_id, _old in chunk
            ],
        )


def _grades_by_key(freeze_id: int) -> dict[str, list[int]]:
    """Return a version's grades by normalized `student_key`, without those of retired persons.

    The whole version is read: frozen rows have no normalized column, because nothing else compares them.
    """
    grades: dict[str, list[int]] = {}
    rows = FrozenGrade.objects.filter(freeze=freeze_id, is_retired=False).values_list("student_key", "pk")
    for student_key, pk in rows:
        grades.setdefault(normalize_identity(student_key), []).append(pk)
    return grades


def _read_standing(freeze_id: int) -> dict[int, _Standing]:
    standing = GradeAcknowledgement.objects.filter(grade__freeze=freeze_id, superseded_at__isnull=True)
    return {
        grade_id: _Standing(pk, state, detail)
        for grade_id, pk, state, detail in standing.order_by().values_list("grade_id", "pk", "state", "detail")
    }


def _read_open(grades: Any, limit: int) -> list[tuple[int, Mapping[str, Any]]]:
    # Superseded reports always have a successor, so a grade without any report is an open one.
    rows = grades.filter(acknowledgements__isnull=True).values_list("position", "student_key")[:limit]
    return [(position, _render(student_key, OPEN)) for position, student_key in rows]


def _read_reported(grades: Any, state: str | None, limit: int) -> list[tuple[int, Mapping[str, Any]]]:
    conditions: dict[str, Any] = {"acknowledgements__superseded_at__isnull": True, "acknowledgements__isnull": False}
    if state is not None:
        conditions["acknowledgements__state"] = state
    rows = grades.filter(**conditions).values_list(
        "position",
        "student_key",
        "acknowledgements__state",
        "acknowledgements__detail",
        "acknowledgements__acknowledged_by",
        "acknowledgements__acknowledged_at",
    )[:limit]
    return [(position, _render(*values)) for position, *values in rows]


def _render(
    student_key: str, state: str, detail: str = "", by: str | None = None, at: datetime | None = None
) -> dict[str, Any]:
    return {
        "student_key": student_key,
        "state": state,
        "detail": detail,
        "acknowledged_by": by,
        "acknowledged_at": at,
    }
