"""Cascading: a status that ends a program takes the learner's courses and roles there along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet

from program_enrollments.api.learners.locks import LockedLearner
from program_enrollments.api.realizing.seats import (
    agree_on_seats_and_roles,
    find_heirs,
    find_occupied_elsewhere,
    hand_over_roles,
)
from program_enrollments.api.seat_rules import SeatWish
from program_enrollments.api.transactions import atomic, roll_back
from program_enrollments.data import Change, ChangeKind, CourseStatus
from program_enrollments.host.ports import UserCourse
from program_enrollments.models import PreemptiveCourseEnrollment, ProgramCourseEnrollment

# Who is inactive already may still be course staff.
CONCERNED = Q(status=CourseStatus.ACTIVE) | Q(course_staff=True)


class _Leaving(NamedTuple):
    """A course enrollment that is active, or has a staff role, and is to have neither.

    `given`: the role is ours.
    """

    id: int
    learner_id: int
    course_run_id: int
    status: str
    course_staff: bool
    course_id: str = ""
    given: bool = False

    @property
    def is_active(self) -> bool:
        return self.status == CourseStatus.ACTIVE


FIELDS = ("pk", "learner_id", "course_run_id", "status", "course_staff")


def deactivate_courses(
    *, program_id: int, learners: Sequence[LockedLearner], now: datetime
) -> tuple[list[Change], set[int]]:
    """Make these learners' course enrollments of the program inactive.

    The learners are locked. Course staff roles that this app gave or promised there are taken back.

    Returns the ledger's entries and the IDs of learners for whom the host refused: nothing of theirs was changed.
    """
    by_id = {learner.id: learner for learner in learners}
    linked = [learner.id for learner in learners if learner.user_id is not None]
    failed: set[int] = set()
    real: list[_Leaving] = []
    if linked:
        of_program = ProgramCourseEnrollment.objects.filter(CONCERNED, program_id=program_id, learner_id__among=linked)
        rows = of_program.values_list(*FIELDS, "course_run__course_id", "course_staff_given")
        found = [_Leaving(*row) for row in rows]
        failed = _leave(found=found, by_id=by_id)
        real = [row for row in found if row.learner_id not in failed]
        _end(ProgramCourseEnrollment.objects.all(), real, now=now, course_staff_given=False)
    promises = PreemptiveCourseEnrollment.objects.filter(
        CONCERNED, program_id=program_id, learner_id__among=by_id.keys() - failed
    )
    promised = [_Leaving(*row) for row in promises.values_list(*FIELDS)]
    _end(PreemptiveCourseEnrollment.objects.all(), promised, now=now)
    changes: list[Change] = []

    def record(row: _Leaving, kind: str, before: str, after: str) -> None:
        key = by_id[row.learner_id].display_key
        changes.append(Change(program_id, row.learner_id, key, kind, before, after, row.course_run_id))

    for row in [*real, *promised]:
        if row.is_active:
            record(row, ChangeKind.COURSE_ENROLLMENT, CourseStatus.ACTIVE.value, CourseStatus.INACTIVE.value)
        if row.course_staff:
            record(row, ChangeKind.COURSE_STAFF, "true", "false")
    return changes, failed


def _end(enrollments: QuerySet[Any], leaving: Sequence[_Leaving], *, now: datetime, **more: bool) -> None:
    if leaving:
        enrollments.filter(pk__among=[row.id for row in leaving]).update(
            status=CourseStatus.INACTIVE, course_staff=False, modified=now, **more
        )


def _leave(*, found: Sequence[_Leaving], by_id: Mapping[int, LockedLearner]) -> set[int]:
    """Give up the host's seats and roles of these enrollments.

    Return the learners for whom that failed: they keep them all.

    A role that another enrollment asks for too stays, and becomes that one's to take back. The host is told once more
    after each failure, by which some of a learner's seats may be gone already.
    """
    users = {row.learner_id: user_id for row in found if (user_id := by_id[row.learner_id].user_id) is not None}
    if not found:
        return set()
    ids = [row.id for row in found]
    owners: dict[UserCourse, int] = {(users[row.learner_id], row.course_id): row.learner_id for row in found}
    active = [row for row in found if row.is_active]
    occupied = find_occupied_elsewhere(
        user_ids={users[row.learner_id] for row in active},
        course_run_ids={row.course_run_id for row in active},
        except_ids=ids,
    )
    wishes = [
        SeatWish(users[row.learner_id], row.course_id, False)
        for row in active
        if (users[row.learner_id], row.course_run_id) not in occupied
    ]
    revokes = {(users[row.learner_id], row.course_id) for row in found if row.given}
    heirs = find_heirs(revokes=revokes, except_ids=ids)
    revokes -= heirs.keys()
    failed: set[int] = set()
    while wishes or revokes:
        with atomic():
            _, failures = agree_on_seats_and_roles(wishes=wishes, grants=(), revokes=revokes)
            if not failures:
                break
            roll_back()
        failed |= {owners[pair] for pair in failures}
        wishes = [wish for wish in wishes if owners[wish.pair] not in failed]
        revokes = {pair for pair in revokes if owners[pair] not in failed}
    if heirs:
        hand_over_roles(heirs={pk for pair, pk in heirs.items() if owners[pair] not in failed})
    return failed
