"""Locking learners: from the identities of a chunk of rows to the learners they name, locked.

Learners are the lock (ADR 0002). They are first read by their unique keys, then locked by primary key in ascending
order: one order for every writer, on every database.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connections, router

from program_enrollments.api.learners.identity import Identity
from program_enrollments.data import LinkHow
from program_enrollments.models import Learner
from program_enrollments.sql.bulk import select_rows


class LockedLearner(NamedTuple):
    """What a write needs to know of a learner whose row it holds locked, or is looking at before it does."""

    id: int
    student_key: str
    student_key_normalized: str | None
    email: str
    email_normalized: str | None
    user_id: int | None
    link_how: str
    school_id: int
    problem_code: str
    undone_how: str = ""
    key_since: datetime | None = None
    honored_for_id: int | None = None

    @property
    def display_key(self) -> str:
        """What the wire and the ledger call `student_key`."""
        return self.student_key or self.email

    @property
    def is_unclaimed(self) -> bool:
        """Whether this may be an ID that somebody gave up and nobody has yet: see `student_keys.find_vacant`."""
        return (
            self.key_since is not None
            and self.user_id is None
            and not self.email_normalized
            and self.honored_for_id is None
            and not self.undone_how
        )


@dataclass(slots=True)
class Identified:
    """The learners of a chunk.

    `learners` holds one a row, None where there is none; `invalid` the numbers of rows whose identities contradict each
    other or what is stored, and `details` why where that needs saying; `missing` those of rows whose learner is not
    there yet. `completions` are what rows add to learners, `absorbed` the vacant rows of IDs that they add.
    """

    learners: list[LockedLearner | None]
    invalid: set[int] = field(default_factory=set)
    missing: list[int] = field(default_factory=list)
    completions: dict[int, Identity] = field(default_factory=dict)
    absorbed: dict[int, LockedLearner] = field(default_factory=dict)
    details: dict[int, str] = field(default_factory=dict)
    made: set[int] = field(default_factory=set)

    def learner(self, number: int) -> LockedLearner:
        """Return the learner of a row that has one. Raises LookupError for a row that has none."""
        learner = self.learners[number]
        if learner is None:
            raise LookupError(f"Row {number} has no learner yet.")
        return learner

    def existing(self) -> list[LockedLearner]:
        """Return the learners that may have enrollments already: not those this very chunk made."""
        return [
            learner for number, learner in enumerate(self.learners) if learner is not None and number not in self.made
        ]


def find_learner_ids(*, school_id: int, student_keys: Collection[str], emails: Collection[str]) -> list[int]:
    """Return the school's learners with any of these normalized identities, by ascending ID."""
    named = (("student_key_normalized", student_keys), ("email_normalized", emails))
    return sorted(
        {pk for among in named for (pk,) in select_rows(Learner, fields=["id"], among=among, school=school_id)}
    )


def find_siblings(*, user_ids: Collection[int]) -> list[int]:
    """Return the IDs of all learners that these accounts are, at whatever school.

    Who takes a seat away locks them together: of two schools that do so at once, the second has to see the first.
    """
    return [pk for (pk,) in select_rows(Learner, fields=["id"], among=("user", user_ids))]


def lock_learners(*, ids: Iterable[int]) -> list[LockedLearner]:
    """Lock these learners in ascending order and return them as they are now."""
    rows = select_rows(Learner, fields=LockedLearner._fields, among=("id", set(ids)), lock=True)
    return list(map(LockedLearner._make, rows))


def read_learners(*, school_id: int, identities: Sequence[Identity]) -> list[LockedLearner]:
    """Return the learners that a chunk's rows name, as they are at this moment, without locking them."""
    rows: dict[int, tuple[Any, ...]] = {}
    for among in zip(("student_key_normalized", "email_normalized"), _names(identities), strict=True):
        found = select_rows(Learner, fields=LockedLearner._fields, among=among, school=school_id)
        rows.update((row[0], row) for row in found)
    return list(map(LockedLearner._make, rows.values()))


def lock_named(
    *, learners: Sequence[LockedLearner], identities: Sequence[Identity], also: Collection[int] = ()
) -> Sequence[LockedLearner]:
    """Lock those of `learners` that these rows of the chunk name, and return them as they are now.

    The learners `also` (IDs) are locked with them, in the one order, and not returned. Without `locks_rows` all of
    `learners` are returned as they were read: nobody else can have written since.
    """
    if not locks_rows():
        return learners
    student_keys, emails = _names(identities)
    named = {
        learner.id
        for learner in learners
        if learner.student_key_normalized in student_keys or learner.email_normalized in emails
    }
    locked = lock_learners(ids=named.union(also))
    return [learner for learner in locked if learner.id in named] if also else locked


def locks_rows() -> bool:
    """Whether the database locks rows.

    SQLite doesn't: a transaction that writes what it has read before is refused if anybody else wrote meanwhile, so
    what a first look found still holds.
    """
    return bool(connections[router.db_for_write(Learner)].features.has_select_for_update)


def _names(identities: Sequence[Identity]) -> tuple[set[str], set[str]]:
    student_keys = {identity.student_key_normalized for identity in identities if identity.student_key_normalized}
    return student_keys, {identity.email_normalized for identity in identities if identity.email_normalized}


def identify(*, learners: Sequence[LockedLearner], identities: Sequence[Identity]) -> Identified:
    """Return which of `learners` each row names, and which rows name none.

    Rows that contradict what is stored count as the latter.
    """
    by_student_key = {learner.student_key_normalized: learner for learner in learners if learner.student_key_normalized}
    by_email = {learner.email_normalized: learner for learner in learners if learner.email_normalized}
    identified = Identified(learners=[])
    for number, identity in enumerate(identities):
        named = by_student_key.get(identity.student_key_normalized)
        addressed = by_email.get(identity.email_normalized)
        if named is not None and _gives_way(named=named, addressed=addressed):
            # An ID that somebody gave up, for a learner who is known by address so far.
            identified.absorbed[number], named = named, None
        learner = named or addressed
        identified.learners.append(learner)
        if learner is None:
            identified.missing.append(number)
        elif learner.honored_for_id is not None or _contradicts(identity=identity, named=named, addressed=addressed):
            identified.invalid.add(number)
        elif (identity.email_normalized and addressed is None) or (identity.student_key_normalized and named is None):
            identified.completions[number] = identity
    return identified


def _gives_way(*, named: LockedLearner, addressed: LockedLearner | None) -> bool:
    return (
        named.is_unclaimed
        and addressed is not None
        and addressed.id != named.id
        and not addressed.student_key_normalized
    )


def recognize(*, learners: Sequence[LockedLearner], identities: Sequence[Identity]) -> list[LockedLearner | None]:
    """Return, per row, the learner it names, or None if the row would change that identity.

    The quick half of `identify`, for rows that may turn out to change nothing.
    """
    by_student_key = {learner.student_key_normalized: learner for learner in learners}
    by_email = {learner.email_normalized: learner for learner in learners if learner.email_normalized}
    named: list[LockedLearner | None] = []
    for identity in identities:
        _, student_key, _, email, valid = identity
        learner = by_student_key.get(student_key) if student_key else by_email.get(email)
        if learner is not None and (not valid or (email and learner.email_normalized != email)):
            learner = None
        named.append(learner)
    return named


def as_seen(*, identified: Identified, learners: Iterable[LockedLearner]) -> set[int]:
    """Return the numbers of the rows whose learner is as in `learners`, or still missing."""
    seen = set(learners)
    return {number for number, learner in enumerate(identified.learners) if learner is None or learner in seen}


def _contradicts(*, identity: Identity, named: LockedLearner | None, addressed: LockedLearner | None) -> bool:
    if named is not None and addressed is not None:
        return named.id != addressed.id
    if named is None:
        # Known by e-mail alone, so far: a first student ID completes the learner, another one names somebody else.
        return bool(identity.student_key_normalized and addressed and addressed.student_key_normalized)
    replaces = bool(identity.email_normalized and named.email_normalized)
    return replaces and named.user_id is not None and named.link_how == LinkHow.EMAIL
