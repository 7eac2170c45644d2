"""Drift: seats that the host changed although a school wants them otherwise.

Drift is recorded in the ledger. The next write of the enrollment repairs it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from django.utils import timezone

from program_enrollments.api.learners.locks import LockedLearner, lock_learners
from program_enrollments.api.ledger import record_changes
from program_enrollments.api.seat_rules import differs
from program_enrollments.api.transactions import in_transaction
from program_enrollments.data import Change, ChangeKind, CourseStatus, Origin, Seat, Source
from program_enrollments.host import get_host
from program_enrollments.models import LedgerEntry, ProgramCourseEnrollment


class _Place(NamedTuple):
    """A real course enrollment."""

    learner_id: int
    program_id: int
    course_run_id: int
    status: str


def note_seat_change(*, user_id: int, course_id: str) -> int:
    """Record that the host changed a seat, if a school wants it otherwise; return the number of entries.

    Called after the commit of that change. The seat is read anew, and the same drift is recorded once. Nothing is
    repaired: whether the course team or the school is right, people decide.
    """
    learner_ids = {place.learner_id for place in _places(user_id=user_id, course_id=course_id)}
    if not learner_ids:
        return 0

    def work() -> int:
        learners = {learner.id: learner for learner in lock_learners(ids=learner_ids)}
        places = _places(user_id=user_id, course_id=course_id)
        seats = get_host().course_enrollments.fetch_seats(user_ids=[user_id], course_ids=[course_id])
        if (user_id, course_id) in seats.unusable:
            return 0
        seat = next(iter(seats), None)
        changes = [
            _describe(learners, place, seat)
            for place in places
            if place.learner_id in learners
            and differs(user_id=user_id, course_id=course_id, status=place.status, seat=seat)
        ]
        new = [change for change in changes if not _is_known(change)]
        record_changes(changes=new, origin=Origin(source=Source.HOST.value), now=timezone.now())
        return len(new)

    return in_transaction(work)


def _places(*, user_id: int, course_id: str) -> list[_Place]:
    """Return the account's enrollments in the course run; if any is active, only active ones."""
    rows = ProgramCourseEnrollment.objects.filter(learner__user_id=user_id, course_run__course_id=course_id)
    places = [_Place._make(row) for row in rows.values_list("learner_id", "program_id", "course_run_id", "status")]
    active = [place for place in places if place.status == CourseStatus.ACTIVE]
    return active or places


def _describe(learners: Mapping[int, LockedLearner], place: _Place, seat: Seat | None) -> Change:
    if seat is None or not seat.is_active:
        after = CourseStatus.INACTIVE.value
    else:
        after = seat.mode if place.status == CourseStatus.ACTIVE else CourseStatus.ACTIVE.value
    return Change(
        program_id=place.program_id,
        learner_id=place.learner_id,
        student_key=learners[place.learner_id].display_key,
        kind=ChangeKind.SEAT_DRIFT.value,
        before=place.status,
        after=after,
        course_run_id=place.course_run_id,
    )


def _is_known(change: Change) -> bool:
    """Return whether the last entry about this course enrollment is the same drift."""
    entries = LedgerEntry.objects.filter(learner_id=change.learner_id, course_run_id=change.course_run_id)
    last = entries.order_by("-pk").values_list("kind", "before", "after", "program_id").first()
    return last == (change.kind, change.before, change.after, change.program_id)
