"""Repairs of rows that deletions without signals, or older versions, left behind.

The sweep looks for real enrollments of learners without an account, preemptive enrollments beside real ones, active
enrollments without a seat, and former student IDs that are no longer honored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from program_enrollments.api.learners.account_locks import hold_accounts
from program_enrollments.api.learners.locks import lock_learners
from program_enrollments.api.learners.student_keys import end_honoring, find_due
from program_enrollments.api.ledger import record_changes
from program_enrollments.api.realizing.seats import agree_on_seats
from program_enrollments.api.realizing.unlinking import turn_into_promises
from program_enrollments.api.seat_rules import SeatWish
from program_enrollments.api.transactions import in_transaction
from program_enrollments.data import Change, ChangeKind, CourseStatus, HostFailure, Origin, Source
from program_enrollments.host import get_host
from program_enrollments.host.ports import UserCourse
from program_enrollments.models import (
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
    ProgramCourseEnrollment,
    ProgramEnrollment,
)

ORIGIN = Origin(source=Source.SWEEP.value, reason="mended")


@dataclass(slots=True)
class Mended:
    """How much was repaired, in numbers of learners; `seats` counts enrollments.

    `failures` are seats that the host did not give.
    """

    without_account: int = 0
    doubled: int = 0
    seats: int = 0
    honoring_ended: int = 0
    failures: int = 0


def mend(*, size: int, dry_run: bool, now: datetime) -> Mended:
    """Find and repair all of the above, at most `size` learners or enrollments per transaction."""
    mended = Mended()
    for ids in _batches(lambda: find_due(now=now, limit=size), repeat=not dry_run):
        mended.honoring_ended += len(ids)
        if not dry_run:
            in_transaction(lambda ids=ids: end_honoring(learner_ids=ids, now=now))  # type: ignore[misc]
    for ids in _batches(lambda: _find_without_account(size), repeat=not dry_run):
        mended.without_account += len(ids)
        if not dry_run:
            in_transaction(lambda ids=ids: _make_wait(ids, now))  # type: ignore[misc]
    for ids in _batches(lambda: _find_doubled(size), repeat=not dry_run):
        mended.doubled += len(ids)
        if not dry_run:
            in_transaction(lambda ids=ids: _drop_doubled(ids, now))  # type: ignore[misc]
    for rows in _walk_active(size):
        seatless = _find_seatless(rows)
        mended.seats += len(seatless)
        if seatless and not dry_run:
            mended.failures += len(in_transaction(lambda rows=seatless: _give_seats(rows)))  # type: ignore[misc]
    return mended


def _batches(find: Callable[[], list[int]], *, repeat: bool) -> Iterator[list[int]]:
    """Yield what `find` finds, again and again until it finds nothing, or only once unless `repeat`."""
    last: list[int] = []
    while ids := find():
        if ids == last:
            # These could not be repaired. The sweep continues with the rest of its work.
            return
        yield ids
        if not repeat:
            return
        last = ids


def _find_without_account(size: int) -> list[int]:
    """Return the IDs of learners who have no account, but real enrollments."""
    found = {
        learner_id
        for model in (ProgramEnrollment, ProgramCourseEnrollment)
        for learner_id in model._default_manager.filter(learner__user=None)
        .order_by()
        .values_list("learner_id", flat=True)
        .distinct()[:size]
    }
    return sorted(found)[:size]


def _make_wait(ids: Sequence[int], now: datetime) -> None:
    learners = [learner for learner in lock_learners(ids=ids) if learner.user_id is None]
    record_changes(changes=turn_into_promises(learners=learners, now=now), origin=ORIGIN, now=now)


def _find_doubled(size: int) -> list[int]:
    """Return linked learners with a preemptive enrollment that is superseded by a real one.

    The real one is the same enrollment, or prevents that the preemptive one becomes real.
    """
    found = {
        learner_id
        for model in (PreemptiveProgramEnrollment, PreemptiveCourseEnrollment)
        for learner_id in _doubled(model).order_by().values_list("learner_id", flat=True).distinct()[:size]
    }
    return sorted(found)[:size]


def _doubled(model: type[Model]) -> QuerySet[Any, Any]:
    promises = model._default_manager.filter(learner__user__isnull=False)
    if model is PreemptiveProgramEnrollment:
        real = ProgramEnrollment.objects.filter(learner=OuterRef("learner"), program=OuterRef("program"))
        return promises.filter(Exists(real))
    same = ProgramCourseEnrollment.objects.filter(learner=OuterRef("learner"), course_run=OuterRef("course_run"))
    stands = same.filter(Q(program=OuterRef("program")) | Q(occupied_run=OuterRef("occupied_run")))
    return promises.filter(Exists(stands))


def _drop_doubled(ids: Sequence[int], now: datetime) -> None:
    """Delete the preemptive enrollments and keep the real ones, as when two learners are merged."""
    learners = {learner.id: learner for learner in lock_learners(ids=ids) if learner.user_id is not None}
    changes = []
    kinds = (
        (PreemptiveProgramEnrollment, ChangeKind.PROGRAM_ENROLLMENT, ()),
        (PreemptiveCourseEnrollment, ChangeKind.COURSE_ENROLLMENT, ("course_run_id",)),
    )
    for model, kind, run_fields in kinds:
        rows = list(
            _doubled(model)
            .filter(learner_id__in=learners)
            .order_by("pk")
            .values_list("pk", "learner_id", "program_id", "status", *run_fields)
        )
        model._default_manager.filter(pk__in=[row[0] for row in rows]).delete()
        changes += [
            Change(program_id, learner_id, learners[learner_id].display_key, kind, status, None, *run_id)
            for _, learner_id, program_id, status, *run_id in rows
        ]
    record_changes(changes=changes, origin=ORIGIN, now=now)


def _walk_active(size: int) -> Iterator[list[tuple[int, int, str]]]:
    """Yield learner, user and course key of all active course enrollments of linked learners, in batches."""
    active = ProgramCourseEnrollment.objects.filter(status=CourseStatus.ACTIVE, learner__user__isnull=False)
    last = 0
    while True:
        rows = list(
            active.filter(pk__gt=last)
            .order_by("pk")
            .values_list("pk", "learner_id", "learner__user_id", "course_run__course_id")[:size]
        )
        if not rows:
            return
        last = rows[-1][0]
        yield [(learner_id, user_id, course_id) for _, learner_id, user_id, course_id in rows]


def _find_seatless(rows: Sequence[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Return those of `rows` that have no seat at all, without locking them.

    Inactive seats are left out: they can be inactive on purpose, and the school's next write decides.
    """
    seats = get_host().course_enrollments.fetch_seats(
        user_ids={user_id for _, user_id, _ in rows}, course_ids={course_id for _, _, course_id in rows}
    )
    there = {(seat.user_id, seat.course_id) for seat in seats}
    return [row for row in rows if row[1:] not in there]


def _give_seats(rows: Sequence[tuple[int, int, str]]) -> dict[UserCourse, HostFailure]:
    held = hold_accounts(user_ids={user_id for _, user_id, _ in rows})
    locked = lock_learners(ids={row[0] for row in rows})
    held.require(learner.user_id for learner in locked)
    learners = {learner.id: learner.user_id for learner in locked}
    active = {
        (learner_id, course_id)
        for learner_id, course_id in ProgramCourseEnrollment.objects.filter(
            learner_id__among=learners.keys(), status=CourseStatus.ACTIVE
        ).values_list("learner_id", "course_run__course_id")
    }
    wishes = [
        SeatWish(user_id, course_id, True)
        for learner_id, user_id, course_id in rows
        if learners.get(learner_id) == user_id and (learner_id, course_id) in active
    ]
    return agree_on_seats(wishes=wishes, one_by_one=True)
