"""Freezing: final grades as a university may cite them. Versions are made and reopened; none is ever changed
(docs/grades.rst).
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.contrib.auth import get_user_model
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from program_enrollments.api.grading.telling_grades import GradeRow, grade_all
from program_enrollments.api.transacting import in_transaction
from program_enrollments.conf import get_setting
from program_enrollments.data import Origin
from program_enrollments.exceptions import AlreadyFrozen, NotFrozen
from program_enrollments.models import (
    CourseRun,
    FrozenGrade,
    GradeBook,
    GradeFreeze,
    PreemptiveCourseEnrollment,
    Program,
    ProgramCourseEnrollment,
)
from program_enrollments.models.bulk import insert_rows, update_rows

T = TypeVar("T")

Place = tuple[int, int]
"""(program ID, course run ID): what a grade book is for."""

FROZEN_FIELDS = (
    "freeze",
    "position",
    "learner",
    "student_key",
    "letter_grade",
    "percent",
    "passed",
    "error",
    "is_retired",
)
FREEZE_COLUMNS = (
    "book__course_run__course_id",
    "version",
    "frozen_by",
    "frozen_at",
    "reason",
    "count",
    "digest",
    "retired",
    "reopened_by",
    "reopened_at",
    "reopen_reason",
)


@dataclass(frozen=True, slots=True)
class FrozenVersion:
    """A version of a course run's grades in a program. `frozen_by` and `reopened_by` are the usernames at those times.

    `digest` is that of the `count` rows as they were frozen; it no longer fits where `retired` of them belong to
    persons retired since. While the version is in force `reopened_at` is None.
    """

    course_id: str
    version: int
    frozen_by: str
    frozen_at: datetime
    reason: str
    count: int
    digest: str
    retired: int = 0
    reopened_by: str = ""
    reopened_at: datetime | None = None
    reopen_reason: str = ""

    def receipt(self) -> dict[str, Any]:
        """Return what a university keeps as the proof of its freeze: the number, who, when, why, how many, the
        digest.
        """
        return {
            "version": self.version,
            "frozen_by": self.frozen_by,
            "frozen_at": self.frozen_at,
            "reason": self.reason,
            "count": self.count,
            "digest": self.digest,
        }

    def describe(self) -> dict[str, Any]:
        """Return everything known of the version; the members about reopening are None while it is in force."""
        reopened = self.reopened_at is not None
        return {
            **self.receipt(),
            "retired": self.retired,
            "reopened_by": self.reopened_by if reopened else None,
            "reopened_at": self.reopened_at,
            "reopen_reason": self.reopen_reason if reopened else None,
        }


def freeze_grades(
    *, program: Program, course_run: CourseRun, origin: Origin, now: datetime | None = None
) -> FrozenVersion:
    """Freeze everybody's final grade in a course run of a program as it stands, for the reason in `origin`; return the
    new version.

    One transaction, in which the host is read chunk by chunk and the rows are written chunk by chunk. Raises
    AlreadyFrozen, and HostError where the host cannot tell its grades: nothing is frozen then.
    """
    return _freeze(program=program, course_runs=[course_run], origin=origin, now=now)[0]


def freeze_program_grades(*, program: Program, origin: Origin, now: datetime | None = None) -> list[FrozenVersion]:
    """Freeze all course runs of a program whose grades are not frozen yet; return their new versions, in the order of
    course keys.

    All of them or, where one fails, none. Raises AlreadyFrozen where no course run is left to freeze, HostError as
    above.
    """
    course_runs = CourseRun.objects.filter(curricula__program=program).distinct().order_by("course_id")
    return _freeze(program=program, course_runs=list(course_runs), origin=origin, now=now)


def reopen_grades(
    *, program: Program, course_run: CourseRun, origin: Origin, now: datetime | None = None
) -> FrozenVersion:
    """End the version in force, for the reason in `origin`, and return it: grades are the host's again until the next
    freeze.

    Raises NotFrozen.
    """
    moment = now or timezone.now()

    def work() -> FrozenVersion:
        books = _lock_books(pairs=[(program.pk, course_run.pk)])
        standing = GradeFreeze.objects.filter(standing_book__in=[book.pk for book in books])
        freeze_id = standing.values_list("pk", flat=True).first()
        if freeze_id is None:
            raise NotFrozen
        GradeFreeze.objects.filter(pk=freeze_id).update(
            reopened_at=moment,
            reopened_by=_username(origin.actor_id),
            reopened_by_user_id=origin.actor_id,
            reopen_reason=origin.reason,
            reopen_request_id=origin.request_id,
        )
        return FrozenVersion(*GradeFreeze.objects.values_list(*FREEZE_COLUMNS).get(pk=freeze_id))

    return in_transaction(work)


def retire_from_freezes(*, pseudonyms: Mapping[int, str]) -> int:
    """Overwrite `student_key` in every frozen row of these learners (learner ID to pseudonym); return how many rows
    that were.

    This is the one change a frozen row can go through. Each version counts its retired rows, because its digest no
    longer fits them. Safe to repeat. To be called in the transaction that holds the learners locked and takes their
    identifiers away. IDs of records that were joined into a learner's are to be given with its own.
    """
    # A freeze that runs just now has read the identifiers already: wait for it. One that starts later waits for us.
    pairs = _places_of(learner_ids=pseudonyms)
    _make_books(pairs=pairs)
    _lock_books(pairs=pairs)
    rows = list(
        FrozenGrade.objects.filter(learner_id__in=pseudonyms)
        .order_by("pk")
        .select_for_update()
        .values_list("pk", "learner_id", "freeze_id", "is_retired")
    )
    for chunk in _chunks(rows, size=get_setting("CHUNK_SIZE")):
        update_rows(
            FrozenGrade,
            fields=("student_key", "is_retired"),
            rows=[(pk, pseudonyms[learner_id], True) for pk, learner_id, _freeze, _retired in chunk],
        )
    newly = Counter(freeze_id for _pk, _learner, freeze_id, retired in rows if not retired)
    freezes_by_count: dict[int, list[int]] = {}
    for freeze_id, count in sorted(newly.items()):
        freezes_by_count.setdefault(count, []).append(freeze_id)
    for count, freeze_ids in freezes_by_count.items():
        GradeFreeze.objects.filter(pk__in=freeze_ids).update(retired=F("retired") + count)
    return len(rows)


def digest_rows(*, rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the SHA-256 (hex) of rows as GET gives them: a JSON array in UTF-8, members sorted, without white space.

    The rows must stand in their frozen order, by `student_key`. See docs/grades.rst, Checking a copy.
    """
    digest = hashlib.sha256(b"[")
    for number, row in enumerate(rows):
        text = json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
        digest.update(f"{',' if number else ''}{text}".encode())
    digest.update(b"]")
    return digest.hexdigest()


def _freeze(
    *, program: Program, course_runs: Sequence[CourseRun], origin: Origin, now: datetime | None
) -> list[FrozenVersion]:
    moment = now or timezone.now()
    runs = {course_run.pk: course_run for course_run in course_runs}
    pairs = [(program.pk, course_run_id) for course_run_id in runs]
    _make_books(pairs=pairs)

    def work() -> list[FrozenVersion]:
        books = _lock_books(pairs=pairs)
        last_versions: dict[int, int] = {}
        standing: set[int] = set()
        versions = GradeFreeze.objects.filter(book__in=books).order_by("version")
        for book_id, version, standing_book in versions.values_list("book_id", "version", "standing_book"):
            last_versions[book_id] = version
            if standing_book is not None:
                standing.add(book_id)
        left = [book for book in books if book.pk not in standing]
        if not left:
            raise AlreadyFrozen
        frozen_by = _username(origin.actor_id)
        made = [
            _freeze_book(
                book=book,
                program=program,
                course_run=runs[book.course_run_id],
                version=last_versions.get(book.pk, 0) + 1,
                frozen_by=frozen_by,
                origin=origin,
                now=moment,
            )
            for book in left
        ]
        return sorted(made, key=lambda version: version.course_id)

    return in_transaction(work)


def _freeze_book(
    *,
    book: GradeBook,
    program: Program,
    course_run: CourseRun,
    version: int,
    frozen_by: str,
    origin: Origin,
    now: datetime,
) -> FrozenVersion:
    size = get_setting("CHUNK_SIZE")
    rows = [row for chunk in grade_all(program=program, course_run=course_run, chunk_size=size) for row in chunk]
    # By code points, as Python compares: a database would sort by its collation. Equal keys (one learner's ID is
    # another's e-mail address) by learner.
    rows.sort(key=lambda row: (row.student_key, row.learner_id))
    freeze = GradeFreeze(
        book=book,
        version=version,
        frozen_at=now,
        frozen_by=frozen_by,
        frozen_by_user_id=origin.actor_id,
        reason=origin.reason,
        request_id=origin.request_id,
        count=len(rows),
        digest=digest_rows(rows=(row.render() for row in rows)),
    )
    freeze.save(force_insert=True)
    for chunk in _chunks(list(enumerate(rows, start=1)), size=size):
        insert_rows(FrozenGrade, fields=FROZEN_FIELDS, rows=[_columns(freeze.pk, place, row) for place, row in chunk])
    return FrozenVersion(
        course_id=course_run.course_id,
        version=version,
        frozen_by=frozen_by,
        frozen_at=now,
        reason=origin.reason,
        count=freeze.count,
        digest=freeze.digest,
    )


def _columns(freeze_id: int, position: int, row: GradeRow) -> tuple[Any, ...]:
    return (
        freeze_id,
        position,
        row.learner_id,
        row.student_key,
        row.letter_grade,
        row.percent,
        row.passed,
        row.error,
        False,
    )


def _places_of(*, learner_ids: Collection[int]) -> set[Place]:
    """Return where these learners could be in a freeze that runs just now."""
    return {
        place
        for model in (ProgramCourseEnrollment, PreemptiveCourseEnrollment)
        for place in model._default_manager.filter(learner_id__in=learner_ids).values_list(
            "program_id", "course_run_id"
        )
    }


def _books(pairs: Collection[Place]) -> QuerySet[GradeBook]:
    """Return the grade books of these places, as far as they were made."""
    runs_by_program: dict[int, list[int]] = {}
    for program_id, course_run_id in pairs:
        runs_by_program.setdefault(program_id, []).append(course_run_id)
    wanted = Q(pk__in=[])
    for program_id, run_ids in runs_by_program.items():
        wanted |= Q(program_id=program_id, course_run_id__in=run_ids)
    return GradeBook.objects.filter(wanted)


def _make_books(*, pairs: Collection[Place]) -> None:
    """Make the grade books that are missing. A freeze does it in a transaction of its own: one that waits for another's
    insert must not hold locks already, or the two could end in a deadlock.
    """
    missing = set(pairs).difference(_books(pairs).values_list("program_id", "course_run_id"))
    if missing:
        in_transaction(
            lambda: insert_rows(
                GradeBook, fields=("program", "course_run"), rows=sorted(missing), ignore_conflicts=True
            )
        )


def _lock_books(*, pairs: Collection[Place]) -> list[GradeBook]:
    """Return the grade books, locked until the commit, in the one order in which everybody locks them."""
    return list(_books(pairs).order_by("pk").select_for_update())


def _username(user_id: int | None) -> str:
    if user_id is None:
        return ""
    user = get_user_model()._default_manager.filter(pk=user_id).first()
    return user.get_username() if user else ""


def _chunks(items: Sequence[T], *, size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
