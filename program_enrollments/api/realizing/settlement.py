"""Settlement: one transaction decides and writes claims on learners, and realizes their enrollments."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from program_enrollments.api.learners.account_locks import lock_accounts
from program_enrollments.api.learners.claims import Claim
from program_enrollments.api.learners.email_domains import is_within_domains
from program_enrollments.api.learners.links import (
    apply_settlement,
    by_school_account,
    fetch_known_claims,
    find_owners,
    settle_claims,
)
from program_enrollments.api.learners.locks import LockedLearner, lock_learners
from program_enrollments.api.ledger import record_changes
from program_enrollments.api.realizing.promises import keep_failures_apart, realize_linked
from program_enrollments.data import LinkHow, Origin, RealizingReport
from program_enrollments.models import Learner, School


def claim_by_emails(
    *,
    learner_ids: Collection[int],
    accounts: Mapping[str, int],
    user_ids: Collection[int],
    origin: Origin,
    now: datetime,
) -> RealizingReport:
    """Claim learners for the accounts that confirmed their addresses, and realize them.

    The addresses are normalized and map to user IDs. `user_ids` are all accounts concerned; accounts that are deleted
    meanwhile claim nobody. One transaction.
    """
    if not learner_ids:
        return RealizingReport()
    school_ids = Learner.objects.filter(pk__in=learner_ids).values_list("school_id", flat=True)

    def work(one_by_one: bool) -> RealizingReport:
        there = lock_accounts(user_ids=user_ids)
        claiming = {email: user_id for email, user_id in accounts.items() if user_id in there}
        # Looked up in each run, because another transaction may have linked the account meanwhile.
        owners = find_owners(school_ids=school_ids, user_ids=claiming.values()) if claiming else []
        learners = lock_learners(ids={*learner_ids, *owners})
        return settle_and_realize(
            learners=learners,
            claims=email_claims(learners=learners, accounts=claiming),
            origin=origin,
            now=now,
            one_by_one=one_by_one,
        )

    return keep_failures_apart(work)


def email_claims(
    *, learners: Sequence[LockedLearner], accounts: Mapping[str, int]
) -> list[tuple[LockedLearner, Claim]]:
    """Return claims by address.

    If a school lists domains, only addresses within them count; none counts at a school for practice.
    """
    claims = [
        (learner, Claim(accounts[learner.email_normalized], LinkHow.EMAIL.value))
        for learner in learners
        if learner.email_normalized is not None and learner.email_normalized in accounts
    ]
    domains: dict[int, set[str]] = {}
    if claims:
        schools = School.objects.filter(pk__in={learner.school_id for learner, _ in claims}, is_sandbox=False)
        for school_id, domain in schools.order_by().values_list("pk", "email_domains__domain_normalized"):
            domains.setdefault(school_id, set()).update([domain] if domain else [])
    return [
        (learner, claim)
        for learner, claim in claims
        if learner.school_id in domains
        and is_within_domains(email_normalized=learner.email_normalized or "", domains=domains[learner.school_id])
    ]


def settle_and_realize(
    *,
    learners: Sequence[LockedLearner],
    claims: Iterable[tuple[LockedLearner, Claim]],
    origin: Origin,
    now: datetime,
    one_by_one: bool,
    again: bool = False,
    reopens: bool = True,
) -> RealizingReport:
    """Decide the claims, write them, realize the linked learners, and record all changes.

    The caller holds the locks, the accounts' first. `again` includes course enrollments that wait for a person after
    too many refusals. `reopens` opens claims that staff dismissed, because they have just been made again.
    """
    claims = list(claims)
    settlement = settle_claims(
        claims=claims,
        owners=by_school_account(learners),
        known=fetch_known_claims(learners=[each for each, claim in claims if each.user_id != claim.user_id]),
        reopens=reopens,
    )
    linked, changes = apply_settlement(settlement=settlement, now=now)
    current = {learner.id: learner for learner in learners} | {learner.id: learner for learner in linked}
    for source, _ in settlement.merges:
        current.pop(source.id, None)
    realized = realize_linked(learners=list(current.values()), now=now, one_by_one=one_by_one, again=again)
    record_changes(changes=[*changes, *realized.changes], origin=origin, now=now)
    in_conflict = {conflict.learner.id for conflict in settlement.conflicts}
    return realized.report + RealizingReport(linked=len(linked), conflicts=len(in_conflict))
