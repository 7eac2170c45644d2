"""Cascading: a leaving program status takes the learner's course enrollments of that program along."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from program_enrollments.api.identifying.locking_learners import LockedLearner
from program_enrollments.api.realizing.seating import SeatWish, agree_on_seats, find_occupied_elsewhere
from program_enrollments.data import Change, ChangeKind, CourseStatus
from program_enrollments.models import PreemptiveCourseEnrollment, ProgramCourseEnrollment


def deactivate_courses(
    *, program_id: int, learners: Sequence[LockedLearner], now: datetime
) -> tuple[list[Change], set[int]]:
    """Make these (locked) learners' active course enrollments of the program inactive.

    Returns the ledger's entries and the IDs of learners for whom the host refused: nothing of theirs was changed.
    """
    by_id = {learner.id: learner for learner in learners}
    linked = [learner.id for learner in learners if learner.user_id is not None]
    fields = ("pk", "learner_id", "course_run_id")
    failed: set[int] = set()
    real: list[tuple[int, int, int]] = []
    if linked:
        found = list(
            ProgramCourseEnrollment.objects.filter(
                program_id=program_id, learner_id__among=linked, status=CourseStatus.ACTIVE
            ).values_list(*fields, "course_run__course_id")
        )
        failed = _leave_seats(found=found, by_id=by_id)
        real = [(pk, learner_id, run_id) for pk, learner_id, run_id, _ in found if learner_id not in failed]
        ProgramCourseEnrollment.objects.filter(pk__among=[row[0] for row in real]).update(
            status=CourseStatus.INACTIVE, modified=now
        )
    promised = list(
        PreemptiveCourseEnrollment.objects.filter(
            program_id=program_id, learner_id__among=by_id.keys() - failed, status=CourseStatus.ACTIVE
        ).values_list(*fields)
    )
    if promised:
        PreemptiveCourseEnrollment.objects.filter(pk__among=[row[0] for row in promised]).update(
            status=CourseStatus.INACTIVE, modified=now
        )
    changes = [
        Change(
            program_id=program_id,
            learner_id=learner_id,
            student_key=by_id[learner_id].display_key,
            kind=ChangeKind.COURSE_ENROLLMENT,
            before=CourseStatus.ACTIVE.value,
            after=CourseStatus.INACTIVE.value,
            course_run_id=run_id,
        )
        for _, learner_id, run_id in [*real, *promised]
    ]
    return changes, failed


def _leave_seats(*, found: Sequence[tuple[int, int, int, str]], by_id: dict[int, LockedLearner]) -> set[int]:
    """Give up the host's seats of these enrollments and return the learners for whom that failed: they keep all seats.

    The host is told once more after each failure, by which some of a learner's seats may be gone already.
    """
    users = {learner_id: by_id[learner_id].user_id for _, learner_id, _, _ in found}
    occupied = find_occupied_elsewhere(
        user_ids={user_id for user_id in users.values() if user_id is not None},
        course_run_ids={run_id for _, _, run_id, _ in found},
        except_ids=[pk for pk, _, _, _ in found],
    )
    owners: dict[tuple[int, str], int] = {}
    for _, learner_id, run_id, course_id in found:
        user_id = users[learner_id]
        if user_id is not None and (user_id, run_id) not in occupied:
            owners[(user_id, course_id)] = learner_id
    failed: set[int] = set()
    while owners:
        with transaction.atomic():
            failures = agree_on_seats(wishes=[SeatWish(user_id, course_id, False) for user_id, course_id in owners])
            if not failures:
                break
            transaction.set_rollback(True)
        failed |= {owners[pair] for pair in failures}
        owners = {pair: learner_id for pair, learner_id in owners.items() if learner_id not in failed}
    return failed
