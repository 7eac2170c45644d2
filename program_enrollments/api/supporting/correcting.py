"""Correcting: what only a person may decide about a learner's account. Links by hand, unlinks, settles conflicts,
tries again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from django.contrib.auth import get_user_model
from django.utils import timezone

from program_enrollments.api.identifying.claiming import Claim, find_accounts_by_email, find_accounts_by_student_key
from program_enrollments.api.identifying.linking import apply_settlement, by_school_account, find_owners, settle_claims
from program_enrollments.api.identifying.locking_learners import LockedLearner, lock_learners
from program_enrollments.api.realizing.making_real import PREEMPTIVE, REAL, keep_failures_apart, realize_linked
from program_enrollments.api.realizing.seating import (
    SeatWish,
    agree_on_roles,
    agree_on_seats,
    find_heirs,
    find_occupied_elsewhere,
    hand_over_roles,
)
from program_enrollments.api.realizing.signing_in import email_claims, settle_and_realize
from program_enrollments.api.recording import record_changes
from program_enrollments.api.transacting import in_transaction
from program_enrollments.data import (
    Change,
    ChangeKind,
    CourseStatus,
    LearnerProblem,
    LinkHow,
    Origin,
    RealizingReport,
    Source,
)
from program_enrollments.exceptions import LearnerDoesNotExist, LinkRefused
from program_enrollments.models import (
    Learner,
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
    ProgramCourseEnrollment,
    ProgramEnrollment,
)
from program_enrollments.models.bulk import delete_rows, insert_rows

PROGRAM_FIELDS = ("program", "learner", "curriculum", "status", "created")
COURSE_FIELDS = ("program", "course_run", "learner", "status", "course_staff", "created")


def link_learner(
    *, learner_id: int, user_id: int, origin: Origin, how: str = LinkHow.STAFF.value, now: datetime | None = None
) -> RealizingReport:
    """Link a learner to an account because a person says so, settle its conflict, and realize what waits.

    A learner linked to another account is unlinked from it first, with all that entails. Raises LearnerDoesNotExist,
    and LinkRefused where there is no such account, it already is another learner of the school, or the learner was
    retired.
    """
    moment = now or timezone.now()
    if not get_user_model()._default_manager.filter(pk=user_id).exists():
        raise LinkRefused("There is no such account.")
    school_ids = list(Learner.objects.filter(pk=learner_id).values_list("school_id", flat=True))
    if not school_ids:
        raise LearnerDoesNotExist
    owners = find_owners(school_ids=school_ids, user_ids=[user_id])

    def work(one_by_one: bool) -> RealizingReport:
        learners = lock_learners(ids={learner_id, *owners})
        learner = next((each for each in learners if each.id == learner_id), None)
        if learner is None:
            raise LearnerDoesNotExist
        if Learner.objects.filter(pk=learner_id, retired_at__isnull=False).exists():
            raise LinkRefused("This learner was retired. Whoever comes back is enrolled anew, as another learner.")
        changes: list[Change] = []
        if learner.user_id not in (None, user_id):
            learner, changes = undo_link(learner=learner, now=moment)
        settlement = settle_claims(
            claims=[(learner, Claim(user_id, how))],
            owners=by_school_account([each for each in learners if each.id != learner_id]),
        )
        if settlement.conflicts:
            raise LinkRefused("This account already is another learner of the school. Unlink that one first.")
        linked, link_changes = apply_settlement(settlement=settlement, now=moment)
        realized = realize_linked(learners=linked or [learner], now=moment, one_by_one=one_by_one, again=True)
        _settle_problem(ids=[each.id for each in linked or [learner]])
        record_changes(changes=[*changes, *link_changes, *realized.changes], origin=origin, now=moment)
        return realized.report + RealizingReport(linked=len(linked))

    return keep_failures_apart(work)


def unlink_learner(*, learner_id: int, origin: Origin, now: datetime | None = None) -> None:
    """Take a learner's account away: seats and roles this app gave go, enrollments wait again. Raises
    LearnerDoesNotExist.
    """
    moment = now or timezone.now()

    def work() -> None:
        learners = lock_learners(ids=[learner_id])
        if not learners:
            raise LearnerDoesNotExist
        changes: list[Change] = []
        if learners[0].user_id is not None:
            _, changes = undo_link(learner=learners[0], now=moment)
        _settle_problem(ids=[learner_id])
        record_changes(changes=changes, origin=origin, now=moment)

    in_transaction(work)


def unlink_account(*, user_id: int, now: datetime | None = None) -> None:
    """Unlink every learner that an account is, before the host deletes the account: its enrollments wait again.

    The host's own seats go with the account; nothing is asked of the host.
    """
    ids = list(Learner.objects.filter(user_id=user_id).values_list("pk", flat=True))
    if not ids:
        return
    moment = now or timezone.now()

    def work() -> None:
        changes: list[Change] = []
        for learner in lock_learners(ids=ids):
            if learner.user_id == user_id:
                changes += undo_link(learner=learner, now=moment, tell_host=False)[1]
        record_changes(
            changes=changes, origin=Origin(source=Source.COMMAND.value, reason="account deleted"), now=moment
        )

    in_transaction(work)


def settle_conflict(*, learner_ids: Collection[int], origin: Origin, now: datetime | None = None) -> int:
    """Take conflicts off learners whose link, or lack of one, a person found to be right; return how many. A new claim
    brings them back.
    """
    moment = now or timezone.now()

    def work() -> int:
        settled = [
            learner for learner in lock_learners(ids=learner_ids) if learner.problem_code == LearnerProblem.CONFLICT
        ]
        _settle_problem(ids=[learner.id for learner in settled])
        changes = [
            Change(None, learner.id, learner.display_key, ChangeKind.CONFLICT_SETTLED, learner.problem_code, None)
            for learner in settled
        ]
        record_changes(changes=changes, origin=origin, now=moment)
        return len(settled)

    return in_transaction(work)


def try_again(*, learner_ids: Collection[int], origin: Origin, now: datetime | None = None) -> RealizingReport:
    """Look for the accounts of those of these learners who wait, and realize all of them once more, course enrollments
    included that were refused too often.

    A failure noted on a learner whom no account claims is taken off: there is nothing to make real.
    """
    moment = now or timezone.now()
    by_student_key, by_email = _find_accounts(learner_ids=learner_ids)
    claiming = {*(claim.user_id for claim in by_student_key.values()), *by_email.values()}
    school_ids = Learner.objects.filter(pk__in=learner_ids).values_list("school_id", flat=True) if claiming else []
    owners = find_owners(school_ids=school_ids, user_ids=claiming) if claiming else []

    def work(one_by_one: bool) -> RealizingReport:
        learners = lock_learners(ids={*learner_ids, *owners})
        waiting = [learner for learner in learners if learner.id in learner_ids and learner.user_id is None]
        claims = [(learner, by_student_key[learner.id]) for learner in waiting if learner.id in by_student_key]
        unnamed = [learner for learner in waiting if learner.id not in by_student_key]
        claims += email_claims(learners=unnamed, accounts=by_email)
        claimed = {learner.id for learner, _ in claims}
        _settle_problem(
            ids=[
                learner.id
                for learner in waiting
                if learner.problem_code == LearnerProblem.REALIZING_FAILED and learner.id not in claimed
            ]
        )
        return settle_and_realize(
            learners=learners, claims=claims, origin=origin, now=moment, one_by_one=one_by_one, again=True
        )

    return keep_failures_apart(work)


def _find_accounts(*, learner_ids: Collection[int]) -> tuple[dict[int, Claim], dict[str, int]]:
    """Return the claims by student ID on those of these learners who wait (learner ID to claim), and the accounts that
    confirmed their addresses (normalized address to user ID).
    """
    given_by_school: dict[int, dict[str, str]] = defaultdict(dict)
    learner_of: dict[tuple[int, str], int] = {}
    emails = set()
    for pk, school_id, given, student_key, email in Learner.objects.filter(pk__in=learner_ids, user=None).values_list(
        "pk", "school_id", "student_key", "student_key_normalized", "email_normalized"
    ):
        if student_key:
            given_by_school[school_id][student_key] = given
            learner_of[(school_id, student_key)] = pk
        if email:
            emails.add(email)
    claims = {
        learner_of[(school_id, student_key)]: Claim(user_id, LinkHow.SSO.value)
        for school_id, student_keys in given_by_school.items()
        for student_key, user_id in find_accounts_by_student_key(school_id=school_id, student_keys=student_keys).items()
    }
    return claims, dict(find_accounts_by_email(emails=emails))


def _settle_problem(*, ids: Collection[int]) -> int:
    return (
        Learner.objects.filter(pk__in=ids)
        .exclude(problem_code="")
        .update(problem_code="", problem_detail="", problem_at=None)
    )


def undo_link(*, learner: LockedLearner, now: datetime, tell_host: bool = True) -> tuple[LockedLearner, list[Change]]:
    """Undo the link of a learner, the reverse of realizing; return the learner as it is then, and the ledger's entries.

    The caller holds the learner locked. With `tell_host` the seats and roles this app gave are taken back: raises
    LinkRefused where the host keeps one, and then nothing may be committed.
    """
    if tell_host:
        _leave_host(learner=learner)
    programs = delete_rows(ProgramEnrollment, field="learner", values=[learner.id], returning=PROGRAM_FIELDS)
    insert_rows(
        PreemptiveProgramEnrollment, fields=(*PROGRAM_FIELDS, "modified"), rows=[(*row, now) for row in programs]
    )
    courses = delete_rows(ProgramCourseEnrollment, field="learner", values=[learner.id], returning=COURSE_FIELDS)
    insert_rows(
        PreemptiveCourseEnrollment,
        fields=(*COURSE_FIELDS, "problem_code", "problem_detail", "tries", "refusals", "modified"),
        rows=[(*row, "", "", 0, 0, now) for row in courses],
    )
    Learner.objects.filter(pk=learner.id).update(user=None, link_how="", linked_at=None, modified=now)
    changes = [
        Change(None, learner.id, learner.display_key, ChangeKind.LINK, f"{learner.link_how}:{learner.user_id}", None),
        *(
            Change(program_id, learner.id, learner.display_key, ChangeKind.PROGRAM_PROMISED, REAL, PREEMPTIVE)
            for program_id, *_ in programs
        ),
        *(
            Change(program_id, learner.id, learner.display_key, ChangeKind.COURSE_PROMISED, REAL, PREEMPTIVE, run_id)
            for program_id, run_id, *_ in courses
        ),
    ]
    return learner._replace(user_id=None, link_how=""), changes


def _leave_host(*, learner: LockedLearner) -> None:
    """Take back from the host what this app gave the account through this learner."""
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
        raise LinkRefused(f"The learning platform did not give up a seat: {failure.detail}")
