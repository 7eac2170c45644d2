"""Linking: a learner and the account that is theirs. What to do about claims is decided here, purely, and applied in
bulk (ADR 0006).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from program_enrollments.api.identifying.claiming import Claim, outweighs
from program_enrollments.api.identifying.locking_learners import LockedLearner
from program_enrollments.api.identifying.making_learners import ALREADY_SOMEBODY, link_change
from program_enrollments.api.identifying.merging import are_complementary, join_identities, merge_learners
from program_enrollments.data import Change, ChangeKind, LearnerProblem, LinkHow
from program_enrollments.models import Learner
from program_enrollments.models.bulk import update_rows

OTHER_ACCOUNT = "Linked to one account by {link_how}, but another account claims this learner by {claim_how}."
TWO_ACCOUNTS = "Two accounts claim this learner by {claim_how}."
SchoolAccount = tuple[int, int]
"""(school ID, user ID)"""


@dataclass(slots=True)
class Settlement:
    """What claims come to: learners to link, pairs to merge (a learner into another one), learners in conflict and
    why, and learners linked by address whom a sign-on now names.
    """

    links: list[tuple[LockedLearner, Claim]] = field(default_factory=list)
    merges: list[tuple[LockedLearner, LockedLearner]] = field(default_factory=list)
    conflicts: dict[int, str] = field(default_factory=dict)
    strengthened: list[LockedLearner] = field(default_factory=list)

    def merge(self, learner: LockedLearner, owner: LockedLearner, claim: Claim) -> LockedLearner:
        """Have `learner` merged into `owner`; return what the owner is then, and whoever else claims it has to fit."""
        self.merges.append((learner, owner))
        joined = join_identities(source=learner, target=owner)
        if claim.how == LinkHow.SSO and owner.link_how == LinkHow.EMAIL:
            self.strengthened.append(joined)
            return joined._replace(link_how=claim.how)
        return joined


def settle_claims(
    *, claims: Iterable[tuple[LockedLearner, Claim]], owners: Mapping[SchoolAccount, LockedLearner]
) -> Settlement:
    """Decide what becomes of each claim. `owners` are the learners that the claiming accounts already are, by school.

    A linked learner is never moved: a claim by another account becomes a conflict, unless it is weaker evidence than
    the link. A waiting learner whom two accounts claim is a conflict. An account that already is another learner of the
    school is a conflict too, unless the two complete each other: then they are one.
    """
    claims = list(claims)
    claimants: dict[int, set[int]] = defaultdict(set)
    for learner, claim in claims:
        claimants[learner.id].add(claim.user_id)
    settlement = Settlement()
    known = dict(owners)
    for learner, claim in claims:
        place = (learner.school_id, claim.user_id)
        owner = known.get(place)
        if learner.user_id is None and len(claimants[learner.id]) > 1:
            settlement.conflicts[learner.id] = TWO_ACCOUNTS.format(claim_how=LinkHow(claim.how).label)
        elif learner.user_id == claim.user_id:
            if claim.how == LinkHow.SSO and learner.link_how == LinkHow.EMAIL:
                settlement.strengthened.append(learner)
        elif learner.user_id is not None:
            if outweighs(claim_how=claim.how, link_how=learner.link_how):
                settlement.conflicts[learner.id] = OTHER_ACCOUNT.format(
                    link_how=LinkHow(learner.link_how).label, claim_how=LinkHow(claim.how).label
                )
        elif owner is None:
            known[place] = learner._replace(user_id=claim.user_id, link_how=claim.how)
            settlement.links.append((learner, claim))
        elif are_complementary(learner, owner):
            known[place] = settlement.merge(learner, owner, claim)
        else:
            settlement.conflicts[learner.id] = ALREADY_SOMEBODY
    return settlement


def apply_settlement(*, settlement: Settlement, now: datetime) -> tuple[list[LockedLearner], list[Change]]:
    """Write what was decided. Returns the learners now linked, to be realized, and the ledger's entries. The caller
    holds the locks.
    """
    linked, changes = [], []
    for learner, claim in settlement.links:
        linked.append(learner._replace(user_id=claim.user_id, link_how=claim.how))
        changes.append(link_change(learner_id=learner.id, student_key=learner.display_key, claim=claim))
    update_rows(
        Learner,
        fields=("user", "link_how", "linked_at", "problem_code", "problem_detail", "problem_at", "modified"),
        rows=[(learner.id, claim.user_id, claim.how, now, "", "", None, now) for learner, claim in settlement.links],
    )
    for learner, owner in settlement.merges:
        merged, merge_changes = merge_learners(source=learner, target=owner, now=now)
        linked.append(merged)
        changes += merge_changes
    if settlement.conflicts:
        update_rows(
            Learner,
            fields=("problem_code", "problem_detail", "problem_at"),
            rows=[
                (learner_id, LearnerProblem.CONFLICT.value, detail, now)
                for learner_id, detail in settlement.conflicts.items()
            ],
        )
    if settlement.strengthened:
        ids = {learner.id for learner in settlement.strengthened}
        Learner.objects.filter(pk__among=ids).update(link_how=LinkHow.SSO, modified=now)
        changes += [_strengthening(learner) for learner in settlement.strengthened]
    return linked, changes


def _strengthening(learner: LockedLearner) -> Change:
    before, after = (f"{how}:{learner.user_id}" for how in (learner.link_how, LinkHow.SSO.value))
    return Change(None, learner.id, learner.display_key, ChangeKind.LINK, before, after)


def find_owners(*, school_ids: Iterable[int], user_ids: Iterable[int]) -> list[int]:
    """Return the IDs of the learners that these accounts are at these schools."""
    return list(
        Learner.objects.filter(school_id__in=set(school_ids), user_id__among=set(user_ids)).values_list("pk", flat=True)
    )


def by_school_account(learners: Sequence[LockedLearner]) -> dict[SchoolAccount, LockedLearner]:
    """Return the linked ones of `learners` by school and account."""
    return {(learner.school_id, learner.user_id): learner for learner in learners if learner.user_id is not None}
