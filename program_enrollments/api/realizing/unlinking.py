"""Unlinking: real enrollments wait for an account again, and the host takes back seats and roles."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_noop as _

from program_enrollments.api.learners.links import dismiss_claim
from program_enrollments.api.learners.locks import LockedLearner
from program_enrollments.api.learners.student_keys import take_identities
from program_enrollments.api.realizing.promises import PREEMPTIVE, REAL
from program_enrollments.api.realizing.seats import (
    agree_on_roles,
    agree_on_seats,
    find_heirs,
    find_occupied_elsewhere,
    hand_over_roles,
)
from program_enrollments.api.seat_rules import SeatWish
from program_enrollments.data import Change, ChangeKind, CourseStatus, LinkHow
from program_enrollments.exceptions import LinkRefused
from program_enrollments.models import (
    Learner,
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
    ProgramCourseEnrollment,
    ProgramEnrollment,
)
from program_enrollments.sentences import known
from program_enrollments.sql.bulk import delete_rows, insert_rows

SEAT_KEPT = known(_("The learning platform did not give up a seat: %(reason)s"))
PROGRAM_FIELDS = ("program", "learner", "curriculum", "status", "created")
COURSE_FIELDS = ("program", "course_run", "learner", "status", "course_staff", "created")


def undo_link(*, learner: LockedLearner, now: datetime, tell_host: bool = True) -> tuple[LockedLearner, list[Change]]:
    """Undo the link of a learner. Return the unlinked learner and the ledger entries.

    The caller has locked the learner, and with `tell_host` all learners of the account. With `tell_host`, the seats and
    roles that this app gave are taken back. Raises LinkRefused if the host keeps one; the caller must roll back then.
    """
    if tell_host:
        _leave_host(learner=learner)
    undone_how = learner.undone_how if learner.link_how == LinkHow.EMAIL and learner.undone_how else learner.link_how
    Learner.objects.filter(pk=learner.id).update(
        user=None, link_how="", linked_at=None, undone_how=undone_how, modified=now
    )
    changes = [
        Change(None, learner.id, learner.display_key, ChangeKind.LINK, f"{learner.link_how}:{learner.user_id}", None),
        *turn_into_promises(learners=[learner], now=now),
    ]
    return learner._replace(user_id=None, link_how="", undone_how=undone_how), changes


def decide_against(*, learner: LockedLearner, now: datetime) -> None:
    """Store that a person undid this link, and remove the identity from the account.

    The same evidence does not link the account again. `learner` is the learner before the unlinking.
    """
    if learner.user_id is None:
        return
    dismiss_claim(learner_id=learner.id, user_id=learner.user_id, how=learner.link_how, now=now)
    if learner.student_key_normalized:
        taken = {learner.user_id: {learner.student_key_normalized}}
        take_identities(school_id=learner.school_id, taken=taken)


def turn_into_promises(*, learners: Sequence[LockedLearner], now: datetime) -> list[Change]:
    """Turn the real enrollments of these (locked) learners into preemptive ones.

    Return the ledger entries. A preemptive enrollment in the same program or course run is newer, so it is kept
    instead. The number of statements is constant.
    """
    keys = {learner.id: learner.display_key for learner in learners}
    programs = delete_rows(ProgramEnrollment, field="learner", values=keys, returning=PROGRAM_FIELDS)
    insert_rows(
        PreemptiveProgramEnrollment,
        fields=(*PROGRAM_FIELDS, "modified"),
        rows=[(*row, now) for row in programs],
        unique=("program", "learner"),
    )
    courses = delete_rows(ProgramCourseEnrollment, field="learner", values=keys, returning=COURSE_FIELDS)
    insert_rows(
        PreemptiveCourseEnrollment,
        fields=(*COURSE_FIELDS, "problem_code", "problem_detail", "tries", "refusals", "modified"),
        rows=[(*row, "", "", 0, 0, now) for row in _without_promised(courses, keys)],
    )
    return [
        *(
            Change(program_id, learner_id, keys[learner_id], ChangeKind.PROGRAM_PROMISED, REAL, PREEMPTIVE)
            for program_id, learner_id, *_ in programs
        ),
        *(
            Change(program_id, learner_id, keys[learner_id], ChangeKind.COURSE_PROMISED, REAL, PREEMPTIVE, run_id)
            for program_id, run_id, learner_id, *_ in courses
        ),
    ]


def _without_promised(courses: Sequence[tuple[Any, ...]], learner_ids: Collection[int]) -> list[tuple[Any, ...]]:
    """Leave out rows (see `COURSE_FIELDS`) that have a preemptive enrollment already.

    Rows that are active in a run through another program are left out, too.
    """
    if not courses:
        return []
    promised = set()
    occupied = set()
    for program_id, run_id, learner_id, status in PreemptiveCourseEnrollment.objects.filter(
        learner_id__among=set(learner_ids)
    ).values_list("program_id", "course_run_id", "learner_id", "status"):
        promised.add((program_id, run_id, learner_id))
        if status == CourseStatus.ACTIVE:
            occupied.add((run_id, learner_id))
    return [
        row
        for row in courses
        if row[:3] not in promised and not (row[3] == CourseStatus.ACTIVE and row[1:3] in occupied)
    ]


def _leave_host(*, learner: LockedLearner) -> None:
    """Take back the seats and roles that this app gave the account through this learner."""
    if learner.user_id is None:
        return
    rows = list(
        ProgramCourseEnrollment.objects.filter(learner_id=learner.id).values_list(
            "pk", "course_run_id", "course_run__course_id", "status", "course_staff_given"
        )
    )
    occupied = find_occupied_elsewhere(
        user_ids=[learner.user_id], course_run_ids={row[1] for row in rows}, except_ids=[row[0] for row in rows]
    )
    wishes = [
        SeatWish(learner.user_id, course_id, False)
        for _, run_id, course_id, status, _ in rows
        if status == CourseStatus.ACTIVE and (learner.user_id, run_id) not in occupied
    ]
    failures = agree_on_seats(wishes=wishes)
    roles = {(learner.user_id, course_id) for _, _, course_id, _, given in rows if given}
    heirs = find_heirs(revokes=roles, except_ids=[row[0] for row in rows])
    _, role_failures = agree_on_roles(grants=(), revokes=roles - heirs.keys())
    hand_over_roles(heirs=heirs.values())
    for failure in [*failures.values(), *role_failures.values()]:
        raise LinkRefused(SEAT_KEPT % {"reason": failure.detail})
