"""Linking: a learner and the account that is theirs.

What to do about claims is decided here, purely, and applied in bulk (ADR 0006).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from django.utils.translation import gettext_noop as _

from program_enrollments.api.learners.claims import Claim, is_covered, outweighs
from program_enrollments.api.learners.locks import LockedLearner
from program_enrollments.api.learners.merge import are_complementary, join_identities, merge_learners
from program_enrollments.api.outbox import Event, add_events
from program_enrollments.data import Change, ChangeKind, LearnerProblem, LinkHow, WebhookEvent
from program_enrollments.models import Learner, LinkClaim
from program_enrollments.sentences import in_english, known
from program_enrollments.sql.bulk import insert_rows, update_rows

ALREADY_SOMEBODY = _("The account that claims this learner is already another learner of this school.")
OTHER_ACCOUNT = known(
    _("Linked to one account by %(link_how)s, but another account claims this learner by %(claim_how)s.")
)
TWO_ACCOUNTS = known(_("Two accounts claim this learner by %(claim_how)s."))
WEAKER = known(
    _("Was linked by %(link_how)s; now another account claims this learner by %(claim_how)s, which is weaker evidence.")
)
DECIDED_AGAINST = known(_("An account that support staff decided against claims this learner again, by %(claim_how)s."))
SchoolAccount = tuple[int, int]
"""(school ID, user ID)"""
LearnerAccount = tuple[int, int]
"""(learner ID, user ID)"""


class KnownClaim(NamedTuple):
    """A claim that was not followed before (see `models.LinkClaim`)."""

    how: str
    is_open: bool
    is_dismissed: bool


class Conflict(NamedTuple):
    """A claim that a person has to decide on, and why."""

    learner: LockedLearner
    claim: Claim
    detail: str


@dataclass(slots=True)
class Settlement:
    """What claims come to: links, merges, conflicts, and learners named anew.

    A merge is a pair of a learner and the one it goes into. The last are learners linked by address whom a sign-on now
    names.
    """

    links: list[tuple[LockedLearner, Claim]] = field(default_factory=list)
    merges: list[tuple[LockedLearner, LockedLearner]] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    strengthened: list[LockedLearner] = field(default_factory=list)

    def merge(self, learner: LockedLearner, owner: LockedLearner, claim: Claim) -> LockedLearner:
        """Have `learner` merged into `owner`; return the owner with both identities.

        Later claims are checked against it.
        """
        self.merges.append((learner, owner))
        joined = join_identities(source=learner, target=owner)
        if claim.how == LinkHow.SSO and owner.link_how == LinkHow.EMAIL:
            self.strengthened.append(joined)
            return joined._replace(link_how=claim.how)
        return joined


def fetch_known_claims(*, learners: Iterable[LockedLearner]) -> dict[LearnerAccount, KnownClaim]:
    """Return the claims on these learners that were not followed before.

    One statement where there can be any.
    """
    ids = {
        learner.id
        for learner in learners
        if learner.user_id is not None or learner.undone_how or learner.problem_code == LearnerProblem.CONFLICT
    }
    if not ids:
        return {}
    rows = LinkClaim.objects.filter(learner_id__among=ids).values_list("learner_id", "user_id", *KnownClaim._fields)
    return {(learner_id, user_id): KnownClaim(*known) for learner_id, user_id, *known in rows}


def settle_claims(
    *,
    claims: Iterable[tuple[LockedLearner, Claim]],
    owners: Mapping[SchoolAccount, LockedLearner],
    known: Mapping[LearnerAccount, KnownClaim] | None = None,
    reopens: bool = True,
) -> Settlement:
    """Decide what becomes of each claim.

    `owners` are the learners that the claiming accounts already are, by school.

    A linked learner is never moved: a claim by another account becomes a conflict, unless it is weaker evidence than
    the link. A waiting learner whom two accounts claim is a conflict, and so is one whom weaker evidence claims than
    there was before, or an account that staff decided against (`known`). An account that already is another learner of
    the school is a conflict too, unless the two complete each other: then they are one. `reopens`: the claims were made
    just now; else those that staff dismissed are passed over.
    """
    known = known or {}
    claims = [
        (learner, claim)
        for learner, claim in claims
        if reopens or not _is_dismissed(known.get((learner.id, claim.user_id)), claim)
    ]
    claimants = _count_claimants(claims, known)
    settlement = Settlement()
    somebody = dict(owners)
    for learner, claim in claims:
        place = (learner.school_id, claim.user_id)
        owner = somebody.get(place)
        if learner.user_id == claim.user_id:
            if claim.how == LinkHow.SSO and learner.link_how == LinkHow.EMAIL:
                settlement.strengthened.append(learner)
            continue
        detail = _find_objection(learner, claim, known.get((learner.id, claim.user_id)), claimants[learner.id])
        if detail:
            settlement.conflicts.append(Conflict(learner, claim, detail))
        elif learner.user_id is not None:
            continue
        elif owner is None:
            somebody[place] = learner._replace(user_id=claim.user_id, link_how=claim.how)
            settlement.links.append((learner, claim))
        elif are_complementary(learner, owner):
            somebody[place] = settlement.merge(learner, owner, claim)
        else:
            settlement.conflicts.append(Conflict(learner, claim, ALREADY_SOMEBODY))
    return settlement


def _is_dismissed(known: KnownClaim | None, claim: Claim) -> bool:
    return known is not None and known.is_dismissed and is_covered(claim_how=claim.how, dismissed_how=known.how)


def _count_claimants(
    claims: Iterable[tuple[LockedLearner, Claim]], known: Mapping[LearnerAccount, KnownClaim]
) -> dict[int, int]:
    """Return how many accounts claim each learner.

    An open claim counts beside a new one that is not stronger.
    """
    users: dict[int, set[int]] = defaultdict(set)
    for learner, claim in claims:
        users[learner.id].add(claim.user_id)
        users[learner.id].update(
            user_id
            for (learner_id, user_id), other in known.items()
            if learner_id == learner.id and other.is_open and (other.how != LinkHow.EMAIL or claim.how == LinkHow.EMAIL)
        )
    return {learner_id: len(user_ids) for learner_id, user_ids in users.items()}


def _find_objection(learner: LockedLearner, claim: Claim, known: KnownClaim | None, claimants: int) -> str:
    """Return why a person has to decide on a claim, or "" if it may be followed."""
    with in_english():
        labels = {how.value: str(how.label) for how in LinkHow}
    claim_how = labels[claim.how]
    if learner.user_id is not None:
        if not outweighs(claim_how=claim.how, link_how=learner.link_how):
            return ""
        return OTHER_ACCOUNT % {"link_how": labels[learner.link_how], "claim_how": claim_how}
    if _is_dismissed(known, claim):
        return DECIDED_AGAINST % {"claim_how": claim_how}
    if claimants > 1:
        return TWO_ACCOUNTS % {"claim_how": claim_how}
    if claim.how == LinkHow.EMAIL and learner.undone_how not in {"", LinkHow.EMAIL}:
        return WEAKER % {"link_how": labels[learner.undone_how], "claim_how": claim_how}
    return ""


def apply_settlement(*, settlement: Settlement, now: datetime) -> tuple[list[LockedLearner], list[Change]]:
    """Write what was decided.

    Returns the learners now linked, to be realized, and the ledger's entries. The caller holds the locks.
    """
    linked, changes = [], []
    for learner, claim in settlement.links:
        linked.append(learner._replace(user_id=claim.user_id, link_how=claim.how, undone_how=""))
        changes.append(link_change(learner_id=learner.id, student_key=learner.display_key, claim=claim))
    update_rows(
        Learner,
        fields=(
            "user",
            "link_how",
            "linked_at",
            "problem_code",
            "problem_detail",
            "problem_at",
            "undone_how",
            "modified",
        ),
        rows=[
            (learner.id, claim.user_id, claim.how, now, "", "", None, "", now) for learner, claim in settlement.links
        ],
    )
    contested = [
        (learner, claim)
        for learner, claim in settlement.links
        if learner.undone_how or learner.problem_code == LearnerProblem.CONFLICT
    ]
    if contested:
        close_claims(links=[(learner.id, claim.user_id) for learner, claim in contested])
    merged, merge_changes = merge_learners(pairs=settlement.merges, now=now)
    linked += merged
    changes += merge_changes
    changes += note_conflicts(conflicts=settlement.conflicts, now=now)
    if settlement.strengthened:
        ids = {learner.id for learner in settlement.strengthened}
        Learner.objects.filter(pk__among=ids).update(link_how=LinkHow.SSO, modified=now)
        changes += [_strengthening(learner) for learner in settlement.strengthened]
    return linked, changes


def link_change(*, learner_id: int, student_key: str, claim: Claim) -> Change:
    """Return the ledger's entry for a learner linked to an account: how, and to which."""
    return Change(
        program_id=None,
        learner_id=learner_id,
        student_key=student_key,
        kind=ChangeKind.LINK,
        after=f"{claim.how}:{claim.user_id}",
    )


def close_claims(*, links: Iterable[LearnerAccount]) -> None:
    """Forget the followed one of the claims on each learner, and dismiss the others."""
    for learner_id, user_id in links:
        LinkClaim.objects.filter(learner_id=learner_id, user_id=user_id).delete()
    LinkClaim.objects.filter(learner_id__in={learner_id for learner_id, _ in links}).update(
        is_open=False, is_dismissed=True
    )


def dismiss_claim(*, learner_id: int, user_id: int, how: str, now: datetime) -> None:
    """Remember that a person decided against this account.

    The same or weaker evidence does not link it again.
    """
    LinkClaim.objects.update_or_create(
        learner_id=learner_id, user_id=user_id, defaults={"how": how, "at": now, "is_open": False, "is_dismissed": True}
    )


def note_conflicts(*, conflicts: Iterable[Conflict], now: datetime) -> list[Change]:
    """Show conflicts on their learners, with the claims.

    Return the ledger's entries for those that are new.
    """
    noted = {(conflict.learner.id, conflict.claim.user_id): conflict for conflict in conflicts}
    if not noted:
        return []
    rows = LinkClaim.objects.filter(learner_id__in={learner_id for learner_id, _ in noted}).values_list(
        "learner_id", "user_id", *KnownClaim._fields
    )
    there = {(learner_id, user_id): KnownClaim(*known) for learner_id, user_id, *known in rows}
    new = {
        pair: conflict
        for pair, conflict in noted.items()
        if (known := there.get(pair)) is None or not known.is_open or known.how != conflict.claim.how
    }
    insert_rows(
        LinkClaim,
        fields=("learner", "user", "how", "at", "is_open", "is_dismissed"),
        rows=[
            (*pair, _stronger(conflict.claim.how, there.get(pair)), now, True, False) for pair, conflict in new.items()
        ],
        unique=("learner", "user"),
        update=("how", "at", "is_open"),
    )
    changes = [
        Change(
            None,
            learner.id,
            learner.display_key,
            ChangeKind.CONFLICT,
            f"{learner.link_how}:{learner.user_id}" if learner.user_id is not None else None,
            f"{claim.how}:{claim.user_id}",
        )
        for learner, claim, _ in new.values()
    ]
    _announce_conflicts({conflict.learner.id: conflict.learner for conflict in new.values()}.values(), now)
    details = {conflict.learner.id: conflict.detail for conflict in noted.values()}
    update_rows(
        Learner,
        fields=("problem_code", "problem_detail", "problem_at"),
        rows=[(learner_id, LearnerProblem.CONFLICT.value, detail, now) for learner_id, detail in details.items()],
    )
    return changes


def _announce_conflicts(learners: Iterable[LockedLearner], now: datetime) -> None:
    events: dict[int, list[Event]] = {}
    for learner in learners:
        # An address is no ID that may leave the platform in a message.
        student_key = learner.student_key if learner.student_key and "@" not in learner.student_key else None
        event = Event(WebhookEvent.LEARNER_CONFLICT, {"student_key": student_key}, learner_id=learner.id)
        events.setdefault(learner.school_id, []).append(event)
    for school_id in sorted(events):
        add_events(school_id=school_id, events=events[school_id], now=now)


def _stronger(how: str, known: KnownClaim | None) -> str:
    return how if known is None or how != LinkHow.EMAIL else known.how


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
