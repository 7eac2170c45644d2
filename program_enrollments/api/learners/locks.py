"""Locks on learners: from the identities of a chunk of rows to the learners they name, locked.

Learners are the lock (ADR 0002). They are first read by their unique keys, then locked by primary key in ascending
order: one order for all writers, on all databases.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple

from program_enrollments.api.learners.identity import Identity
from program_enrollments.api.transactions import get_connection
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


def find_learner_ids(*, school_id: int, student_keys: Collection[str], emails: Collection[str]) -> list[int]:
    """Return the school's learners with any of these normalized identities, by ascending ID."""
    named = (("student_key_normalized", student_keys), ("email_normalized", emails))
    return sorted(
        {pk for among in named for (pk,) in select_rows(Learner, fields=["id"], among=among, school=school_id)}
    )


_MAKE = partial(tuple.__new__, LockedLearner)
"""Makes a learner of a row: `LockedLearner._make` would count its columns each time."""


def find_siblings(*, user_ids: Collection[int]) -> list[int]:
    """Return the IDs of all learners that these accounts are, at whatever school.

    Who takes a seat away locks them together: of two schools that do so at once, the second has to see the first.
    """
    return [pk for (pk,) in select_rows(Learner, fields=["id"], among=("user", user_ids))]


def lock_learners(*, ids: Iterable[int]) -> list[LockedLearner]:
    """Lock these learners in ascending order and return them as they are now."""
    rows = select_rows(Learner, fields=LockedLearner._fields, among=("id", set(ids)), lock=True)
    return list(map(_MAKE, rows))


def read_learners(*, school_id: int, identities: Sequence[Identity]) -> list[LockedLearner]:
    """Return the learners that a chunk's rows name, as they are at this moment, without locking them."""
    student_keys, emails = _names(identities)
    learners = _select_learners(school_id, ("student_key_normalized", student_keys))
    if emails:
        # The addresses of who is found already are theirs: no other learner of the school has them.
        found = {learner.email_normalized for learner in learners}
        learners += _select_learners(school_id, ("email_normalized", emails - found))
    return learners


def _select_learners(school_id: int, among: tuple[str, Collection[str]]) -> list[LockedLearner]:
    rows = select_rows(Learner, fields=LockedLearner._fields, among=among, school=school_id)
    return list(map(_MAKE, rows))


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
    return bool(get_connection().features.has_select_for_update)


def _names(identities: Sequence[Identity]) -> tuple[set[str], set[str]]:
    student_keys = {identity.student_key_normalized for identity in identities if identity.student_key_normalized}
    return student_keys, {identity.email_normalized for identity in identities if identity.email_normalized}
