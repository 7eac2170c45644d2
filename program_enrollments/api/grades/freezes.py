"""Freezes: versions of final grades that a university can cite.

Versions are created and reopened; none is ever changed (docs/grades.rst).
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.contrib.auth import get_user_model
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from program_enrollments.api.grades.books import books_of, find_places, lock_books, make_books
from program_enrollments.api.grades.final_grades import GradeRow, Told, fetch_told, grade_row
from program_enrollments.api.grades.members import gather_all
from program_enrollments.api.outbox import Event, add_events
from program_enrollments.api.pieces import cut
from program_enrollments.api.transactions import in_transaction, is_lost
from program_enrollments.conf import get_setting
from program_enrollments.data import Origin, WebhookEvent
from program_enrollments.exceptions import AlreadyFrozen, FreezeDoesNotExist, HostError, NotFrozen
from program_enrollments.failures import describe_failure
from program_enrollments.host.deadline import limited
from program_enrollments.models import (
    CourseRun,
    FrozenGrade,
    GradeAcknowledgement,
    GradeBook,
    GradeFreeze,
    Program,
)
from program_enrollments.sql.bulk import insert_rows, update_rows

logger = logging.getLogger(__name__)
T = TypeVar("T")

MAX_VERSION = 2**31 - 1
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
    """A version of a course run's grades in a program.

    `frozen_by` and `reopened_by` are the usernames at those times. `digest` is that of the `count` rows as they were
    frozen. It no longer fits the rows if `retired` is above 0: so many of them belong to persons retired since. While
    the version is in force, `reopened_at` is None.
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
        """Return the receipt that a university keeps as proof of its freeze.

        It has the number, the actor, the time, the reason, the number of rows and the digest.
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
        """Return all values of the version; those about reopening are None while it is in force."""
        reopened = self.reopened_at is not None
        return {
            **self.receipt(),
            "retired": self.retired,
            "reopened_by": self.reopened_by if reopened else None,
            "reopened_at": self.reopened_at,
            "reopen_reason": self.reopen_reason if reopened else None,
        }


@dataclass(frozen=True, slots=True)
class FreezeFailure:
    """A course run that could not be frozen with the program's others, with a reason for people."""

    course_id: str
    error: str


def freeze_grades(
    *, program: Program, course_run: CourseRun, origin: Origin, now: datetime | None = None
) -> FrozenVersion:
    """Freeze all final grades in a course run of a program, and return the new version.

    `origin` has the reason. The host is read first, chunk by chunk and without locks. The rows are written in one short
    transaction. Raises AlreadyFrozen, and HostError if the host cannot report its grades: nothing is frozen then.
    """
    with limited("CALL_HOST_SECONDS"):
        return _freeze(program=program, course_run=course_run, origin=origin, now=now)


def freeze_program_grades(
    *, program: Program, origin: Origin, now: datetime | None = None
) -> list[FrozenVersion | FreezeFailure]:
    """Freeze all course runs of a program whose grades are not frozen yet.

    Return one entry per run, in the order of course keys. Each is frozen separately, as by `freeze_grades`, and stays
    frozen if a later one fails. A second call freezes those that failed. Raises AlreadyFrozen if no course run is left
    to freeze, and the first failure if none could be frozen.
    """
    standing = GradeFreeze.objects.filter(book__program=program, standing_book__isnull=False)
    frozen_ids = set(standing.values_list("book__course_run_id", flat=True))
    course_runs = CourseRun.objects.filter(curricula__program=program).distinct().order_by("course_id")
    entries: list[FrozenVersion | FreezeFailure] = []
    errors: list[Exception] = []
    with limited("CALL_HOST_SECONDS"):
        for course_run in course_runs:
            if course_run.pk in frozen_ids:
                continue
            try:
                entries.append(_freeze(program=program, course_run=course_run, origin=origin, now=now))
            except AlreadyFrozen:
                # Another call has just frozen it.
                continue
            except HostError as error:
                errors.append(error)
                entries.append(FreezeFailure(course_run.course_id, error.detail))
            # Runs that were frozen before are committed, and the caller must get their receipts.
            except Exception as error:
                if is_lost():
                    raise
                logger.error("Freezing a course run failed: %s.", describe_failure(error))
                errors.append(error)
                entries.append(
                    FreezeFailure(course_run.course_id, _("This course run failed unexpectedly. Try again."))
                )
    if len(errors) == len(entries):
        raise errors[0] if errors else AlreadyFrozen
    return entries


def reopen_grades(
    *, program: Program, course_run: CourseRun, origin: Origin, now: datetime | None = None
) -> FrozenVersion:
    """End the version in force, for the reason in `origin`, and return it. Raises NotFrozen.

    Grades are read from the host again until the next freeze.
    """
    moment = now or timezone.now()

    def work() -> FrozenVersion:
        books = lock_books(pairs=[(program.pk, course_run.pk)])
        standing = GradeFreeze.objects.filter(standing_book__in=[book.pk for book in books])
        freeze_id = standing.values_list("pk", flat=True).first()
        if freeze_id is None:
            raise NotFrozen
        GradeFreeze.objects.filter(pk=freeze_id).update(
            reopened_at=moment,
            reopened_by=username_of(origin.actor_id),
            reopened_by_user_id=origin.actor_id,
            reopen_reason=origin.reason,
            reopen_request_id=origin.request_id,
        )
        version = FrozenVersion(*GradeFreeze.objects.values_list(*FREEZE_COLUMNS).get(pk=freeze_id))
        _announce(program, course_run, WebhookEvent.GRADES_REOPENED, version.version, moment)
        return version

    return in_transaction(work)


def find_freeze(*, program: Program, course_run: CourseRun, version: int) -> tuple[int, FrozenVersion]:
    """Return the primary key of a version, in force or reopened, and the version. One statement.

    Raises FreezeDoesNotExist.
    """
    # A number too large for its column is an error on some databases.
    if not 0 < version <= MAX_VERSION:
        raise FreezeDoesNotExist
    freezes = GradeFreeze.objects.filter(book__program=program, book__course_run=course_run, version=version)
    row = freezes.values_list("pk", *FREEZE_COLUMNS).first()
    if row is None:
        raise FreezeDoesNotExist
    return row[0], FrozenVersion(*row[1:])


def retire_from_freezes(*, pseudonyms: Mapping[int, str]) -> int:
    """Overwrite `student_key` in every frozen row of these learners, and return the number of rows.

    The details of their acknowledgements are emptied.

    `pseudonyms` maps learner IDs to pseudonyms, and has to include the IDs of records that were joined into a
    learner's. Call this in the transaction that has locked the learners and removes their identifiers.

    No other change of a frozen row exists. Each version counts its retired rows, because its digest no longer fits
    them. Safe to repeat.
    """
    # A freeze that is writing has read the identifiers already, so wait for it. A later one waits for us.
    pairs = find_places(learner_ids=pseudonyms)
    make_books(pairs=pairs)
    lock_books(pairs=pairs)
    rows = list(
        FrozenGrade.objects.filter(learner_id__in=pseudonyms)
        .order_by("pk")
        .select_for_update()
        .values_list("pk", "learner_id", "freeze_id", "is_retired")
    )
    for chunk in cut(rows):
        update_rows(
            FrozenGrade,
            fields=("student_key", "is_retired"),
            rows=[(pk, pseudonyms[learner_id], True) for pk, learner_id, _freeze, _retired in chunk],
        )
        # The university's own words can name the person.
        told = GradeAcknowledgement.objects.filter(grade__in=[pk for pk, *_others in chunk])
        told.exclude(detail="").update(detail="")
    newly = Counter(freeze_id for _pk, _learner, freeze_id, retired in rows if not retired)
    freezes_by_count: dict[int, list[int]] = {}
    for freeze_id, count in sorted(newly.items()):
        freezes_by_count.setdefault(count, []).append(freeze_id)
    for count, freeze_ids in freezes_by_count.items():
        GradeFreeze.objects.filter(pk__in=freeze_ids).update(retired=F("retired") + count)
    return len(rows)


def digest_rows(*, rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the SHA-256 (hex) of rows as GET returns them.

    The digest is over a JSON array in UTF-8, with sorted members and without white space. The rows must be in their
    frozen order, by `student_key`. See docs/grades.rst, Checking a copy.
    """
    digest = hashlib.sha256(b"[")
    for number, row in enumerate(rows):
        text = json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
        digest.update(f"{',' if number else ''}{text}".encode())
    digest.update(b"]")
    return digest.hexdigest()


def _freeze(*, program: Program, course_run: CourseRun, origin: Origin, now: datetime | None) -> FrozenVersion:
    """Read the host without locks, then write.

    If learners came meanwhile, read theirs, too. If a version was frozen and reopened meanwhile, read everything again.
    """
    pairs = [(program.pk, course_run.pk)]
    make_books(pairs=pairs)
    grades: dict[int, Told | None] = {}
    read_at_version: int | None = None
    for _time in range(get_setting("TRANSACTION_TRIES")):
        last_version = _last_version(books_of(pairs))
        if read_at_version != last_version:
            # Grades may have changed between the freeze and its reopening.
            grades, read_at_version = {}, last_version
        moment = now or timezone.now()
        learners = gather_all(program=program, course_run=course_run)
        missing = [learner.user_id for learner in learners if learner.user_id not in grades]
        for user_ids in cut(missing):
            told = fetch_told(course_run=course_run, user_ids=user_ids)
            grades.update({user_id: told.get(user_id) for user_id in user_ids})
        write = _FreezeWrite(program, course_run, origin, moment, grades, last_version)
        version = in_transaction(write.write)
        if version is not None:
            return version
    raise HostError(_("The learners of this course run kept changing while it was read. Freeze it again."))


def _last_version(books: Iterable[GradeBook]) -> int:
    """Return the number of the last version of a grade book, 0 before the first. Raises AlreadyFrozen."""
    versions = GradeFreeze.objects.filter(book__in=[book.pk for book in books]).order_by("-version")
    version, standing_book = versions.values_list("version", "standing_book").first() or (0, None)
    if standing_book is not None:
        raise AlreadyFrozen
    return version


@dataclass(frozen=True, slots=True)
class _FreezeWrite:
    """Grades that were read, by user ID, to be written as the version after `last_version`."""

    program: Program
    course_run: CourseRun
    origin: Origin
    now: datetime
    grades: Mapping[int, Told | None]
    last_version: int

    def write(self) -> FrozenVersion | None:
        """Write the version in the current transaction, or return None if the learners or the version changed."""
        (book,) = lock_books(pairs=[(self.program.pk, self.course_run.pk)])
        if _last_version([book]) != self.last_version:
            return None
        # The present learners: renamed or retired ones are frozen under the new key, and those who left are not frozen.
        learners = gather_all(program=self.program, course_run=self.course_run)
        if any(learner.user_id not in self.grades for learner in learners):
            return None
        rows = [grade_row(learner=learner, told=self.grades[learner.user_id]) for learner in learners]
        # By code points, as Python compares: a database would sort by its collation. Equal keys (one learner's ID is
        # another's e-mail address) by learner.
        rows.sort(key=lambda row: (row.student_key, row.learner_id))
        freeze = GradeFreeze(
            book=book,
            version=self.last_version + 1,
            frozen_at=self.now,
            frozen_by=username_of(self.origin.actor_id),
            frozen_by_user_id=self.origin.actor_id,
            reason=self.origin.reason,
            request_id=self.origin.request_id,
            count=len(rows),
            digest=digest_rows(rows=(row.render() for row in rows)),
        )
        freeze.save(force_insert=True)
        for chunk in cut(list(enumerate(rows, start=1))):
            columns = [_columns(freeze.pk, place, row) for place, row in chunk]
            insert_rows(FrozenGrade, fields=FROZEN_FIELDS, rows=columns)
        _announce(self.program, self.course_run, WebhookEvent.GRADES_FROZEN, freeze.version, self.now)
        return FrozenVersion(
            course_id=self.course_run.course_id,
            version=freeze.version,
            frozen_by=freeze.frozen_by,
            frozen_at=freeze.frozen_at,
            reason=freeze.reason,
            count=freeze.count,
            digest=freeze.digest,
        )


def _announce(program: Program, course_run: CourseRun, event: WebhookEvent, version: int, now: datetime) -> None:
    data = {"course_id": course_run.course_id, "version": version}
    add_events(school_id=program.school_id, events=[Event(event, data, program_id=program.pk)], now=now)


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


def username_of(user_id: int | None) -> str:
    """Return an account's present username, as evidence; blank without an account."""
    if user_id is None:
        return ""
    user = get_user_model()._default_manager.filter(pk=user_id).first()
    return user.get_username() if user else ""
