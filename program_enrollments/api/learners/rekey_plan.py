"""Re-keys, decided: what becomes of rows that change student IDs, or release one (ADR 0026).

Rows are judged by their result. An ID that one row takes from its learner can be another row's new one, so that swaps
and chains are done, or refused, as a whole. Nothing here touches a database.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from django.utils.translation import gettext as _

from program_enrollments.api.learners.locks import LockedLearner
from program_enrollments.data import FileWord, RekeyWord

MAX_TOGETHER = 1_000
"""Rows that depend on each other are written in one transaction; more than these are refused."""


class Rekey(NamedTuple):
    """A student ID, and the one that takes its place.

    `old` is normalized: the present ID of the learner whom the row names. `given` is the new one as sent and `new` its
    normalized form; both are empty if the ID is released. `expected` is the learner whom `old` named when the row was
    checked, 0 if it was nobody, None if that is of no importance.
    """

    number: int
    old: str
    given: str
    new: str
    expected: int | None = None


def nameless(learner_id: int) -> str:
    """Return what stands for the ID of a learner who has none: a pseudonym that nobody is given."""
    return f"released-{learner_id:032x}"


class RekeyOutcome(NamedTuple):
    """What became of a row: its word, whether that changed anything, the ID before and after, and why not."""

    word: str
    changed: bool = False
    before: str | None = None
    after: str | None = None
    detail: str = ""

    @property
    def is_good(self) -> bool:
        """Whether the row's wish is fulfilled."""
        return self.word in GOOD_WORDS


GOOD_WORDS = frozenset({RekeyWord.RENAMED.value, RekeyWord.RELEASED.value})


class FormerRename(NamedTuple):
    """The last time at which a learner got another ID: both normalized."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Keys:
    """The learners who have the IDs that the rows name, by normalized ID.

    `vacant` has those of them that are nobody (ADR 0012). `fetch_renames` returns the last renaming of learners (IDs).
    `owners` are the learners for whom IDs are honored, by primary key. `changed` are learners whose IDs were changed
    by somebody else since the rows were checked.
    """

    learners: Mapping[str, LockedLearner]
    vacant: Collection[int]
    fetch_renames: Callable[[Collection[int]], Mapping[int, FormerRename]]
    owners: Mapping[int, LockedLearner] = field(default_factory=dict)
    changed: Collection[int] = ()

    def holder(self, key: str) -> LockedLearner | None:
        """Return who has this ID, or the row by which it is honored for somebody; None if it is free."""
        learner = self.learners.get(key)
        return None if learner is None or learner.id in self.vacant else learner


@dataclass(slots=True)
class RekeyPlan:
    """What is to be written, and what became of each row, by its number."""

    outcomes: dict[int, RekeyOutcome] = field(default_factory=dict)
    renames: list[tuple[Rekey, LockedLearner]] = field(default_factory=list)
    releases: list[tuple[Rekey, LockedLearner]] = field(default_factory=list)


def group_rekeys(rekeys: Sequence[Rekey]) -> list[list[Rekey]]:
    """Return the rows in groups: each takes an ID that another one of its group gives up, or stands alone."""
    by_old = {rekey.old: rekey for rekey in rekeys}
    by_new = {rekey.new: rekey for rekey in rekeys if rekey.new}
    grouped: set[int] = set()
    groups = []
    for rekey in rekeys:
        if rekey.number in grouped:
            continue
        group, open_rows = [], [rekey]
        while open_rows:
            row = open_rows.pop()
            if row.number in grouped:
                continue
            grouped.add(row.number)
            group.append(row)
            open_rows += [other for other in (by_old.get(row.new), by_new.get(row.old)) if other is not None]
        groups.append(group)
    return groups


def plan_rekeys(rekeys: Sequence[Rekey], *, keys: Keys, honors: bool) -> RekeyPlan:
    """Decide about rows of which no two have the same old or the same new ID.

    `honors`: the old IDs go on naming their learners for a while.
    """
    done = _find_done(rekeys, keys)
    plan = RekeyPlan()
    wishes: dict[int, tuple[Rekey, LockedLearner]] = {}
    for rekey in rekeys:
        outcome = _decide_alone(rekey, keys, is_done=rekey.number in done)
        learner = keys.holder(rekey.old)
        if outcome is not None or learner is None:
            plan.outcomes[rekey.number] = outcome or RekeyOutcome(RekeyWord.UNKNOWN.value, detail=_unknown())
        else:
            wishes[rekey.number] = (rekey, learner)
    for number, detail in _find_taken(wishes, keys, honors=honors).items():
        rekey, learner = wishes.pop(number)
        before = learner.student_key
        plan.outcomes[number] = RekeyOutcome(RekeyWord.TAKEN.value, before=before, after=before, detail=detail)
    for number, (rekey, learner) in wishes.items():
        if rekey.new:
            plan.renames.append((rekey, learner))
            word, after = RekeyWord.RENAMED.value, rekey.given
        else:
            plan.releases.append((rekey, learner))
            word, after = RekeyWord.RELEASED.value, None
        plan.outcomes[number] = RekeyOutcome(word, changed=True, before=learner.student_key, after=after)
    return plan


def _decide_alone(rekey: Rekey, keys: Keys, *, is_done: bool) -> RekeyOutcome | None:
    """Return the outcome of a row for which the other rows are of no importance; None for any other row."""
    learner = keys.holder(rekey.old)
    is_changed = learner is not None and learner.id in keys.changed
    if is_changed or (rekey.expected is not None and rekey.expected != (learner.id if learner is not None else 0)):
        detail = _("The old ID names somebody else than when the file was checked. Look at both, and send it again.")
        return RekeyOutcome(FileWord.CHANGED_SINCE.value, detail=detail)
    if is_done:
        present = keys.learners[rekey.new].student_key
        return RekeyOutcome(RekeyWord.RENAMED.value, before=present, after=present)
    if not rekey.new:
        # A vacancy: somebody has released it before.
        is_free = learner is None and rekey.old in keys.learners
        return RekeyOutcome(RekeyWord.RELEASED.value) if is_free else None
    if learner is not None and learner.honored_for_id is not None:
        # Whom it is honored for has got another ID since the row was checked.
        return RekeyOutcome(RekeyWord.UNKNOWN.value, detail=_unknown())
    if learner is not None and learner.student_key == rekey.given:
        return RekeyOutcome(RekeyWord.RENAMED.value, before=rekey.given, after=rekey.given)
    return None


def _find_done(rekeys: Sequence[Rekey], keys: Keys) -> set[int]:
    """Return the numbers of rows that were carried out before: a file that is sent again changes nothing.

    A row is done if nobody has its old ID, and who has the new one had the old one before. Of rows that depend on each
    other others have the old IDs, so these are done only if all of them are. Otherwise sending a swap again would
    swap it back.
    """
    holders = {
        rekey.number: holder
        for rekey in rekeys
        if rekey.new != rekey.old and (holder := keys.holder(rekey.new)) is not None
    }
    if not holders:
        return set()
    renames = keys.fetch_renames({holder.id for holder in holders.values()})

    def is_done(rekey: Rekey) -> bool:
        holder = holders.get(rekey.number)
        return holder is not None and renames.get(holder.id) == (rekey.old, rekey.new)

    done: set[int] = set()
    for group in group_rekeys(rekeys):
        if len(group) > 1 and all(map(is_done, group)):
            done.update(rekey.number for rekey in group)
        else:
            done.update(rekey.number for rekey in group if is_done(rekey) and keys.holder(rekey.old) is None)
    return done


def _find_taken(wishes: Mapping[int, tuple[Rekey, LockedLearner]], keys: Keys, *, honors: bool) -> dict[int, str]:
    """Return why rows cannot be done, by number: somebody has the new ID, and does not give it up.

    Refusing one may keep the next from being done, up the chain.
    """
    takers = {rekey.new: number for number, (rekey, _learner) in wishes.items() if rekey.new}
    givers = {rekey.old for rekey, _learner in wishes.values() if rekey.old != rekey.new}
    taken: dict[int, str] = {}
    refused: list[tuple[int, str]] = []
    for number, (rekey, learner) in wishes.items():
        if honors and rekey.new and rekey.old != rekey.new and rekey.old in takers:
            detail = _("The old ID cannot be honored: another line gives it to somebody else. Send them in two files.")
            refused.append((number, detail))
        elif rekey.new and rekey.new not in givers and not _is_free(keys.holder(rekey.new), learner):
            detail = _("Somebody else at the school has the new ID, or it is honored for somebody else.")
            refused.append((number, detail))
    while refused:
        number, detail = refused.pop()
        if number in taken:
            continue
        taken[number] = detail
        rekey, _learner = wishes[number]
        taker = takers.get(rekey.old) if rekey.old != rekey.new else None
        if taker is not None:
            refused.append((taker, _("Who has the new ID keeps it: the line that gives them another one is refused.")))
    return taken


def _is_free(holder: LockedLearner | None, learner: LockedLearner) -> bool:
    """Whether an ID is nobody's, the learner's own, or a former one of theirs."""
    return holder is None or learner.id in {holder.id, holder.honored_for_id}


def _unknown() -> str:
    return _("Nobody at the school has the old ID. Was it changed before, or is it another school's?")
