"""Corrections: decisions of staff about a learner's account.

They link, unlink, settle conflicts, and try again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial

from django.utils import timezone
from django.utils.translation import gettext_noop as _

from program_enrollments.api.learners.account_locks import lock_accounts
from program_enrollments.api.learners.claims import Claim, find_accounts_by_email
from program_enrollments.api.learners.evidence import fetch_sign_ons, fetch_slugs
from program_enrollments.api.learners.links import (
    apply_settlement,
    by_school_account,
    close_claims,
    find_owners,
    settle_claims,
)
from program_enrollments.api.learners.locks import LockedLearner, find_siblings, lock_learners
from program_enrollments.api.ledger import record_changes
from program_enrollments.api.realizing.promises import keep_failures_apart, realize_linked
from program_enrollments.api.realizing.settlement import email_claims, settle_and_realize
from program_enrollments.api.realizing.unlinking import decide_against, undo_link
from program_enrollments.api.transactions import in_transaction
from program_enrollments.data import (
    Change,
    ChangeKind,
    LearnerProblem,
    LinkHow,
    Origin,
    RealizingReport,
    Source,
)
from program_enrollments.exceptions import LearnerDoesNotExist, LinkRefused
from program_enrollments.models import Learner, LinkClaim, School
from program_enrollments.normalization import normalize_identity


def link_learner(
    *, learner_id: int, user_id: int, origin: Origin, how: str = LinkHow.STAFF.value, now: datetime | None = None
) -> RealizingReport:
    """Link a learner to an account that staff chose, settle its conflict, and realize its enrollments.

    A learner who is linked to another account is unlinked from it first, as by `unlink_learner`. Raises
    LearnerDoesNotExist, and LinkRefused if there is no such account, if it is another learner of the school, if the
    learner was retired or is only a former student ID, or if somebody else has just linked it.
    """
    moment = now or timezone.now()
    seen = Learner.objects.filter(pk=learner_id).values_list("school_id", "user_id").first()
    if seen is None:
        raise LearnerDoesNotExist
    school_id, seen_user_id = seen

    def work(one_by_one: bool) -> RealizingReport:
        accounts = {user_id, seen_user_id} - {None}
        if user_id not in lock_accounts(user_ids=accounts, exclusive=True):
            raise LinkRefused(_("There is no such account."))
        owners = find_owners(school_ids=[school_id], user_ids=[user_id])
        learners = lock_learners(ids={learner_id, *owners, *find_siblings(user_ids=accounts - {user_id})})
        learner = _linkable(learners, learner_id)
        if learner.user_id not in (seen_user_id, user_id):
            raise LinkRefused(_("Somebody else has linked this learner meanwhile. Look again before you change it."))
        changes: list[Change] = []
        if learner.user_id not in (None, user_id):
            decide_against(learner=learner, now=moment)
            learner, changes = undo_link(learner=learner, now=moment)
        settlement = settle_claims(
            claims=[(learner._replace(undone_how=""), Claim(user_id, how))],
            owners=by_school_account([each for each in learners if each.id != learner_id]),
        )
        if settlement.conflicts:
            raise LinkRefused(_("This account already is another learner of the school. Unlink that one first."))
        linked, link_changes = apply_settlement(settlement=settlement, now=moment)
        realized = realize_linked(learners=linked or [learner], now=moment, one_by_one=one_by_one, again=True)
        _settle_problem(ids=[each.id for each in linked or [learner]])
        close_claims(links=[(each.id, user_id) for each in linked or [learner]])
        record_changes(changes=[*changes, *link_changes, *realized.changes], origin=origin, now=moment)
        return realized.report + RealizingReport(linked=len(linked))

    return keep_failures_apart(work)


def _linkable(learners: Sequence[LockedLearner], learner_id: int) -> LockedLearner:
    learner = next((each for each in learners if each.id == learner_id), None)
    if learner is None:
        raise LearnerDoesNotExist
    if Learner.objects.filter(pk=learner_id, retired_at__isnull=False).exists():
        raise LinkRefused(_("This learner was retired. A person who comes back is enrolled anew, as another learner."))
    if School.objects.filter(pk=learner.school_id, is_sandbox=True).exists():
        raise LinkRefused(_("This school is for practice. Its learners are never linked to accounts."))
    if learner.honored_for_id is not None:
        raise LinkRefused(_("This is a former student ID of another learner. Link that one."))
    return learner


def unlink_learner(*, learner_id: int, origin: Origin, now: datetime | None = None) -> None:
    """Unlink a learner: seats and roles of this app are taken back, and enrollments wait for an account.

    The same evidence does not link the account again, and the account can no longer sign on as this student. Raises
    LearnerDoesNotExist.
    """
    moment = now or timezone.now()

    def work() -> None:
        user_ids = Learner.objects.filter(pk=learner_id, user__isnull=False).values_list("user_id", flat=True)
        locked = lock_learners(ids={learner_id, *find_siblings(user_ids=list(user_ids))})
        learner = next((each for each in locked if each.id == learner_id), None)
        if learner is None:
            raise LearnerDoesNotExist
        changes: list[Change] = []
        if learner.user_id is not None:
            decide_against(learner=learner, now=moment)
            _, changes = undo_link(learner=learner, now=moment)
        _settle_problem(ids=[learner_id])
        record_changes(changes=changes, origin=origin, now=moment)

    in_transaction(work)


def unlink_account(*, user_id: int, now: datetime | None = None) -> Sequence[Change]:
    """Unlink every learner of an account that is being deleted, and return the changes.

    `record_deletion` must be given them in the same transaction, once the host has deleted what belongs to the account.
    Their enrollments wait for an account again. The account's row is locked first, until the deletion commits, so that
    nothing links it meanwhile. The host deletes its own seats with the account, so the host is not called.
    """
    moment = now or timezone.now()

    def work() -> list[Change]:
        lock_accounts(user_ids=[user_id], exclusive=True)
        ids = find_siblings(user_ids=[user_id])
        changes: list[Change] = []
        for learner in lock_learners(ids=ids) if ids else ():
            if learner.user_id == user_id:
                changes += undo_link(learner=learner, now=moment, tell_host=False)[1]
        return changes

    return in_transaction(work)


def record_deletion(*, changes: Sequence[Change], now: datetime | None = None) -> None:
    """Record in the ledger what `unlink_account` changed.

    Ledger positions are locked after seats (ADR 0002). The host deletes the seats between the two: on MariaDB it waits
    there for the writer of a neighboring seat, and that writer must not be waiting for a position.
    """
    origin = Origin(source=Source.COMMAND.value, reason="account deleted")
    in_transaction(partial(record_changes, changes=changes, origin=origin, now=now or timezone.now()))


def settle_conflict(*, learner_ids: Collection[int], origin: Origin, now: datetime | None = None) -> int:
    """Settle the conflicts of learners whose present link, or lack of one, is right. Return how many.

    The open claims are dismissed. The sweep does not open them again, but another sign-on of the same account does. A
    learner whose student ID could have been another person's keeps it, and gets the address that the school sent.
    """
    moment = now or timezone.now()

    def work() -> int:
        settled = [
            learner
            for learner in lock_learners(ids=learner_ids)
            if learner.problem_code in {LearnerProblem.CONFLICT, LearnerProblem.POSSIBLY_NEW_PERSON}
        ]
        ids = [learner.id for learner in settled]
        changes = [
            Change(None, learner.id, learner.display_key, ChangeKind.CONFLICT_SETTLED, learner.problem_code, None)
            for learner in settled
        ]
        changes += _take_proposed_emails(settled, now=moment)
        _dismiss_open(settled)
        _settle_problem(ids=ids)
        record_changes(changes=changes, origin=origin, now=moment)
        return len(settled)

    return in_transaction(work)


def _dismiss_open(learners: Sequence[LockedLearner]) -> None:
    open_claims = LinkClaim.objects.filter(learner_id__in=[learner.id for learner in learners], is_open=True)
    strongest: dict[int, str] = {}
    for learner_id, how in open_claims.values_list("learner_id", "how"):
        if how != LinkHow.EMAIL or learner_id not in strongest:
            strongest[learner_id] = how
    for learner in learners:
        # No account was chosen, so weaker evidence than the dismissed claims' must not link one either.
        if learner.user_id is None and not learner.undone_how and learner.id in strongest:
            Learner.objects.filter(pk=learner.id).update(undone_how=strongest[learner.id])
    open_claims.update(is_open=False, is_dismissed=True)


def _take_proposed_emails(learners: Sequence[LockedLearner], *, now: datetime) -> list[Change]:
    changes = []
    proposed = dict(
        Learner.objects.filter(pk__in=[learner.id for learner in learners])
        .exclude(proposed_email="")
        .values_list("pk", "proposed_email")
    )
    for learner in learners:
        email = proposed.get(learner.id)
        if not email:
            continue
        normalized = normalize_identity(email)
        of_school = Learner.objects.filter(school_id=learner.school_id, email_normalized=normalized)
        if of_school.exclude(pk=learner.id).exists():
            raise LinkRefused(_("The address that the school sent is another learner's by now."))
        Learner.objects.filter(pk=learner.id).update(
            email=email, email_normalized=normalized, proposed_email="", modified=now
        )
        changes.append(Change(None, learner.id, learner.display_key, ChangeKind.EMAIL, learner.email or None, email))
    return changes


def try_again(*, learner_ids: Collection[int], origin: Origin, now: datetime | None = None) -> RealizingReport:
    """Look for accounts of the waiting learners among these, and realize all of them again.

    Course enrollments that were refused too often are included. A stored failure is removed from learners whom no
    account claims, because nothing of them can become real.
    """
    moment = now or timezone.now()
    by_student_key, by_email = _find_accounts(learner_ids=learner_ids)
    claiming = {*(claim.user_id for claim in by_student_key.values()), *by_email.values()}
    concerned = Learner.objects.filter(pk__in=learner_ids)
    linked = concerned.filter(user__isnull=False).values_list("user_id", flat=True)

    def work(one_by_one: bool) -> RealizingReport:
        there = lock_accounts(user_ids=claiming.union(linked))
        school_ids = concerned.values_list("school_id", flat=True) if claiming else []
        owners = find_owners(school_ids=school_ids, user_ids=claiming & there) if claiming & there else []
        learners = lock_learners(ids={*learner_ids, *owners})
        waiting = [learner for learner in learners if learner.id in learner_ids and learner.user_id is None]
        claims = [
            (learner, by_student_key[learner.id])
            for learner in waiting
            if learner.id in by_student_key and by_student_key[learner.id].user_id in there
        ]
        unnamed = [learner for learner in waiting if learner.id not in by_student_key]
        present = {email: user_id for email, user_id in by_email.items() if user_id in there}
        claims += email_claims(learners=unnamed, accounts=present)
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
    """Return the claims on the waiting learners among these, by student ID and by address.

    The former map learner IDs to claims, the latter normalized confirmed addresses to user IDs.
    """
    waiting: dict[int, list[tuple[int, str, str, datetime | None]]] = defaultdict(list)
    emails = set()
    rows = Learner.objects.filter(pk__in=learner_ids, user=None, honored_for=None).values_list(
        "pk", "school_id", "student_key", "student_key_normalized", "email_normalized", "key_since"
    )
    for pk, school_id, given, student_key, email, key_since in rows:
        if student_key:
            waiting[school_id].append((pk, given, student_key, key_since))
        if email:
            emails.add(email)
    claims = {}
    for school_id, learners in waiting.items():
        sign_ons = fetch_sign_ons(
            slugs=fetch_slugs(school_id=school_id, linking_only=True),
            spellings={spelling for _, given, student_key, _ in learners for spelling in (given, student_key)},
        )
        for pk, _given, student_key, key_since in learners:
            named = [each for each in sign_ons if each.student_key == student_key and each.counts_since(key_since)]
            user_ids = {each.user_id for each in named}
            if len(user_ids) == 1:
                claims[pk] = Claim(user_ids.pop(), LinkHow.SSO.value)
    return claims, dict(find_accounts_by_email(emails=emails))


def _settle_problem(*, ids: Collection[int]) -> int:
    return (
        Learner.objects.filter(pk__in=ids)
        .exclude(problem_code="")
        .update(problem_code="", problem_detail="", problem_at=None, proposed_email="")
    )
