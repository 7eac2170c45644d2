"""Re-keys, written: learners are locked and get their new student IDs in one transaction (ADR 0026)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import IntegrityError
from django.utils import timezone

from program_enrollments.api.learners.account_locks import hold_accounts
from program_enrollments.api.learners.evidence import SignOn, fetch_sign_ons, fetch_slugs, remove_sign_ons
from program_enrollments.api.learners.locks import LockedLearner, lock_learners
from program_enrollments.api.learners.rekey_plan import (
    FormerRename,
    Keys,
    Rekey,
    RekeyOutcome,
    RekeyPlan,
    nameless,
    plan_rekeys,
)
from program_enrollments.api.learners.student_keys import (
    FormerKey,
    end_honoring,
    find_vacant,
    give_identities,
    make_pseudonym,
    vacate_keys,
)
from program_enrollments.api.ledger import record_changes
from program_enrollments.api.transactions import CrossedByAnother
from program_enrollments.data import Change, ChangeKind, LearnerProblem, LinkHow, Origin
from program_enrollments.models import IdentityProvider, Learner, LedgerEntry
from program_enrollments.normalization import is_pseudonym, normalize_identity
from program_enrollments.sql.bulk import select_rows, update_rows

TRUSTED_LINKS = frozenset({LinkHow.SSO.value, LinkHow.STAFF.value})
"""Kinds of links whose accounts get the identity with the new ID automatically."""


def _is_released(rekey: Rekey) -> bool:
    """Return whether the row is about a learner whose ID was released."""
    return is_pseudonym(rekey.old) or (rekey.expected is not None and rekey.old == nameless(rekey.expected))


def _find_nobody(learner_ids: Collection[int]) -> Collection[int]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RekeyWrite:
    """What holds for all rows of a re-key.

    `slug` names the identity provider that asserts the new IDs. If it is empty, an account goes on signing on through
    the providers through which it did with the old ID. `find_changed` returns those of some locked learners whose IDs
    somebody else changed meanwhile. With `recognizes_repeats`, rows that were carried out before change nothing. With
    `returns_identities`, learners who get a released ID back, and whom a sign-on linked, sign on with it as before.
    """

    school_id: int
    slug: str
    honor_old_until: datetime | None
    origin: Origin
    now: datetime
    find_changed: Callable[[Collection[int]], Collection[int]] = _find_nobody
    recognizes_repeats: bool = True
    returns_identities: bool = False

    def write(self, rekeys: Sequence[Rekey]) -> dict[int, RekeyOutcome]:
        """Write rows in the current transaction, and return what became of each, by its number.

        Rows that depend on each other must come together. Takes a constant number of statements. Raises
        CrossedByAnother: try again.
        """
        keys = self._lock(rekeys)
        plan = plan_rekeys(rekeys, keys=keys, honors=self.honor_old_until is not None)
        if plan.renames or plan.releases:
            try:
                _PlannedWrite(self, plan, keys).write()
            except IntegrityError as error:
                # Another writer has just used one of the new IDs. The next look-up finds it.
                raise CrossedByAnother from error
        return plan.outcomes

    def _lock(self, rekeys: Sequence[Rekey]) -> Keys:
        """Lock the learners that the rows name, and return them as they are now."""
        named = {key for rekey in rekeys for key in (rekey.old, rekey.new) if key}
        fields = ("id", "user", "honored_for", "honored_until")
        rows = select_rows(Learner, fields=fields, among=("student_key_normalized", named), school=self.school_id)
        without = {rekey.expected for rekey in rekeys if rekey.expected and rekey.old == nameless(rekey.expected)}
        if without:
            rows += select_rows(Learner, fields=fields, among=("id", without), school=self.school_id)
        owner_ids = {owner_id for _, _, owner_id, _ in rows if owner_id is not None}
        user_ids = {user_id for _, user_id, _, _ in rows if user_id is not None}
        if owner_ids:
            linked = Learner.objects.filter(pk__among=owner_ids, user__isnull=False)
            user_ids |= set(linked.order_by().values_list("user_id", flat=True))
        held = hold_accounts(user_ids=user_ids)
        locked = lock_learners(ids={*(row[0] for row in rows), *owner_ids})
        held.require(learner.user_id for learner in locked)
        ends = {pk: until for pk, _, _, until in rows if until is not None and until <= self.now}
        if ends:
            end_honoring(learner_ids=ends.keys(), now=self.now)
            locked = [
                learner._replace(honored_for_id=None, key_since=ends[learner.id]) if learner.id in ends else learner
                for learner in locked
            ]
        learners = {learner.student_key_normalized or nameless(learner.id): learner for learner in locked}
        changed = self.find_changed({learner.id for learner in locked})
        fetch_renames = _fetch_renames if self.recognizes_repeats else _fetch_no_renames
        owners = {learner.id: learner for learner in locked if learner.id in owner_ids}
        return Keys(learners, find_vacant(learners=locked), fetch_renames, owners, changed)


def _fetch_no_renames(learner_ids: Collection[int]) -> dict[int, FormerRename]:
    return {}


def _fetch_renames(learner_ids: Collection[int]) -> dict[int, FormerRename]:
    """Return the last change of each learner's ID that was more than one of its spelling. One statement."""
    entries = LedgerEntry.objects.filter(
        learner_id__among=set(learner_ids), kind=ChangeKind.STUDENT_KEY, before__isnull=False, after__isnull=False
    )
    renames: dict[int, FormerRename] = {}
    for learner_id, before, after in entries.order_by("pk").values_list("learner_id", "before", "after"):
        rename = FormerRename(normalize_identity(before or ""), normalize_identity(after or ""))
        if rename.old != rename.new:
            renames[learner_id] = rename
    return renames


@dataclass(frozen=True, slots=True)
class _PlannedWrite:
    """A plan's writes, with what they need to know of each other."""

    context: RekeyWrite
    plan: RekeyPlan
    keys: Keys
    since: datetime = field(default_factory=timezone.now)
    """Evidence for a new ID from before this moment was for somebody else, if it was for anybody."""

    def write(self) -> None:
        """Write it all. The order spares every unique ID a second holder at any moment."""
        persons = [learner for _, learner in self.plan.releases if learner.honored_for_id is None]
        sign_ons = self._fetch_sign_ons()
        self._free_keys()
        names = {learner.id: "" if learner.email else make_pseudonym(kind="released") for learner in persons}
        update_rows(
            Learner,
            fields=("student_key", "student_key_normalized", "key_since", "modified"),
            rows=[
                *(
                    (learner.id, rekey.given, rekey.new, self._held_since(rekey, learner), self.context.now)
                    for rekey, learner in self.plan.renames
                ),
                *(
                    (learner.id, names[learner.id], names[learner.id] or None, None, self.context.now)
                    for learner in persons
                ),
            ],
        )
        if persons:
            asked = Learner.objects.filter(pk__in=names, problem_code=LearnerProblem.POSSIBLY_NEW_PERSON)
            asked.update(problem_code="", problem_detail="", problem_at=None, proposed_email="")
        self._vacate(persons)
        self._take_identities(sign_ons)
        self._give_identities(sign_ons)
        record_changes(changes=self._changes(names), origin=self.context.origin, now=self.context.now)

    @property
    def _moved(self) -> list[tuple[Rekey, LockedLearner]]:
        """The learners whose IDs change in more than their spelling."""
        return [(rekey, learner) for rekey, learner in self.plan.renames if rekey.old != rekey.new]

    @property
    def _wanted(self) -> set[str]:
        """The IDs that learners get."""
        return {rekey.new for rekey, _learner in self._moved}

    def _free_keys(self) -> None:
        """Remove the rows that keep IDs for nobody, and let go of those that learners hand to each other."""
        wanted = self._wanted
        giving = [
            learner
            for rekey, learner in [*self._moved, *self.plan.releases]
            if rekey.old in wanted and learner.honored_for_id is None
        ]
        giving_ids = {learner.id for learner in giving}
        there = (self.keys.learners.get(key) for key in wanted)
        kept = [learner.id for learner in there if learner is not None and learner.id not in giving_ids]
        if kept:
            Learner.objects.filter(pk__in=kept).delete()
        names = [(learner.id, make_pseudonym(kind="released")) for learner in giving]
        update_rows(
            Learner, fields=("student_key", "student_key_normalized"), rows=[(pk, name, name) for pk, name in names]
        )

    def _held_since(self, rekey: Rekey, learner: LockedLearner) -> datetime | None:
        """Return the time since which sign-ons with the new ID are the learner's, or None if all are."""
        if rekey.old == rekey.new:
            return learner.key_since
        former = self.keys.learners.get(rekey.new)
        is_own = former is None or former.id in self.keys.vacant or former.honored_for_id == learner.id
        if learner.user_id is not None or not is_own:
            # The account exists, but nobody has signed on to it with the new ID before.
            return self.since
        return former.key_since if former is not None else None

    def _vacate(self, released: Sequence[LockedLearner]) -> None:
        """Free the former IDs that nobody gets, or honor them for a while."""
        wanted = self._wanted
        former = [
            FormerKey(learner.id, learner.student_key, rekey.old, self.context.honor_old_until)
            for rekey, learner in self._moved
            if rekey.old not in wanted and not is_pseudonym(rekey.old)
        ]
        former += [
            FormerKey(learner.id, learner.student_key, learner.student_key_normalized)
            for learner in released
            if learner.student_key_normalized and learner.student_key_normalized not in wanted
        ]
        vacate_keys(school_id=self.context.school_id, former=former, now=self.since)
        # The row of an ID that was honored stays, and marks it as free.
        ended = [learner.id for _, learner in self.plan.releases if learner.honored_for_id is not None]
        if ended:
            Learner.objects.filter(pk__in=ended).update(
                honored_for=None, honored_until=None, key_since=self.since, modified=self.context.now
            )

    def _owner(self, learner: LockedLearner) -> LockedLearner | None:
        """Return the person who is behind a row: the learner, or for whom the ID is honored."""
        return learner if learner.honored_for_id is None else self.keys.owners.get(learner.honored_for_id)

    def _fetch_sign_ons(self) -> list[SignOn]:
        owners = [self._owner(learner) for _, learner in [*self.plan.renames, *self.plan.releases]]
        user_ids = {owner.user_id for owner in owners if owner is not None and owner.user_id is not None}
        if not user_ids:
            return []
        return fetch_sign_ons(slugs=fetch_slugs(school_id=self.context.school_id), user_ids=user_ids)

    def _take_identities(self, sign_ons: Iterable[SignOn]) -> None:
        """Take from accounts the sign-ons with IDs that don't name their owners any more."""
        given_up = list(self.plan.releases)
        if self.context.honor_old_until is None:
            given_up += self._moved
        taken = {
            (owner.user_id, learner.student_key_normalized)
            for _, learner in given_up
            if (owner := self._owner(learner)) is not None
        }
        remove_sign_ons(sign_ons=[each for each in sign_ons if (each.user_id, each.student_key) in taken])

    def _give_identities(self, sign_ons: Iterable[SignOn]) -> None:
        """Give accounts the identity with the new ID, so that their owners sign on as before."""
        used: Mapping[tuple[int, str], list[SignOn]] = defaultdict(list)
        for sign_on in sign_ons:
            used[sign_on.user_id, sign_on.student_key].append(sign_on)
        given: dict[str, dict[int, tuple[str, datetime | None]]] = defaultdict(dict)
        any_slug: set[str] | None = None
        for rekey, learner in self.plan.renames:
            if learner.user_id is None or learner.link_how not in TRUSTED_LINKS:
                continue
            before = used[learner.user_id, rekey.old]
            own = {sign_on.slug for sign_on in before if sign_on.counts_since(learner.key_since)}
            if self.context.returns_identities and learner.link_how == LinkHow.SSO and _is_released(rekey):
                any_slug = self._any_slug() if any_slug is None else any_slug
                own |= any_slug
            for slug in {self.context.slug} if self.context.slug else own:
                given[slug][learner.user_id] = (rekey.given, None if rekey.old == rekey.new else self.since)
        for slug in sorted(given):
            give_identities(slug=slug, given=given[slug])

    def _any_slug(self) -> set[str]:
        """Return one of the school's identity providers, for an ID counts whichever of them asserts it."""
        providers = IdentityProvider.objects.filter(school_id=self.context.school_id)
        return set(providers.order_by("-is_enabled", "pk").values_list("slug", flat=True)[:1])

    def _changes(self, names: Mapping[int, str]) -> list[Change]:
        """Return the ledger's entries. A released learner goes on under the address, or a pseudonym."""
        changes = [(learner, rekey.given, rekey.given) for rekey, learner in self.plan.renames]
        changes += [
            (learner, names[learner.id] or learner.email, names[learner.id])
            for _, learner in self.plan.releases
            if learner.honored_for_id is None
        ]
        return [
            Change(
                None, learner.id, shown, ChangeKind.STUDENT_KEY.value, before=learner.student_key, after=after or None
            )
            for learner, shown, after in changes
        ]
