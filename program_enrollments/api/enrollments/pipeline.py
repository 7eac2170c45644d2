"""The write pipeline: look, lock, plan, join, apply (ADR 0018).

Program and course writes, JSON calls and files, all go this way, a chunk of rows at a time. What differs between the
two kinds of enrollment is an `EnrollmentWrite`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from program_enrollments.api.access import Reach
from program_enrollments.api.enrollments.join import join_learners, recheck_emails_after_commit
from program_enrollments.api.enrollments.rows import Row, Touched
from program_enrollments.api.learners.account_locks import NOTHING_HELD, HeldAccounts
from program_enrollments.api.learners.creation import foresee_claims
from program_enrollments.api.learners.identity_changes import note_in_question, review_identity_changes
from program_enrollments.api.learners.locks import LockedLearner, lock_named, locks_rows, read_learners
from program_enrollments.api.learners.people import Person, identify, settle_hand_overs
from program_enrollments.api.ledger import record_changes
from program_enrollments.data import Change, Origin, Verb
from program_enrollments.models import Program

RowT = TypeVar("RowT", bound=Row[Any, Any])

Sink = Callable[[Sequence[RowT]], object]
"""Takes the finished rows of a chunk, in the chunk's transaction: what it writes is committed with them."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a chunk holds besides its own learners: accounts, and their learners at other schools."""

    accounts: HeldAccounts = NOTHING_HELD
    siblings: Collection[int] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrollmentWrite(ABC, Generic[RowT]):
    """What one call or file writes, and what is peculiar to its kind of enrollment.

    The stages below are called by `write_chunk`, in this order, each with rows of one chunk.
    """

    program: Program
    verb: Verb
    origin: Origin
    now: datetime
    identity_reach: Callable[[], Reach] | None = field(default=None, repr=False)

    @property
    @abstractmethod
    def creates_learners(self) -> bool:
        """Whether a row may name somebody who is no learner yet."""

    @abstractmethod
    def read_stored(self, rows: Sequence[RowT]) -> None:
        """Set `stored` of rows whose learners are known. A constant number of statements."""

    @abstractmethod
    def find_unchanged(self, rows: Sequence[RowT]) -> Collection[RowT]:
        """Return the rows that ask for what is so already, at the host too.

        They lock nobody and write nothing.
        """

    @abstractmethod
    def hold(self, rows: Sequence[RowT]) -> Held:
        """Hold what has to be held before learners are locked."""

    def refuse_early(self, row: RowT) -> str:
        """Return the word that refuses a row whatever is stored, or nothing. Such rows pass through no stage."""
        return ""

    def read_more(self, rows: Sequence[RowT]) -> None:
        """Read what planning needs besides `stored`."""

    @abstractmethod
    def decide(self, row: RowT) -> str:
        """Return the word that refuses a row, or nothing. Pure; may note on the row what is to be stored."""

    @abstractmethod
    def apply(self, rows: Sequence[RowT], held: Held) -> list[Change]:
        """Write the good rows, tell the host, and return the ledger's entries. May still refuse rows."""


def write_chunk(write: EnrollmentWrite[RowT], rows: Sequence[RowT], sink: Sink[RowT] | None = None) -> None:
    """Write the rows of a chunk in the current transaction, and note on each what became of it.

    A first look answers the rows that ask for what is so already (ADR 0007). `sink` is given all rows at the end. The
    number of statements does not depend on that of rows, on a host that can enroll in bulk. May be called again with
    the same rows after the transaction failed.
    """
    people = _people_of(rows)
    learners = read_learners(school_id=write.program.school_id, identities=[person.identity for person in people])
    identify(people=people, learners=learners)
    write.read_stored(rows)
    unchanged = write.find_unchanged(rows)
    for row in unchanged:
        row.before = row.request.status
        if row.word or row.changed or row.detail:
            # Of an earlier try.
            row.word, row.changed, row.detail = "", False, ""
    others = _all_but(unchanged, rows)
    changes = _change(write, others, learners) if others else []
    if sink is not None:
        sink(rows)
    # Last: what it locks is in the way of everybody who writes to the program (ADR 0003).
    record_changes(changes=changes, origin=write.origin, now=write.now)


def _all_but(unchanged: Collection[RowT], rows: Sequence[RowT]) -> Sequence[RowT]:
    if not unchanged or len(unchanged) == len(rows):
        return () if unchanged else rows
    known = set(unchanged)
    return [row for row in rows if row not in known]


def _change(write: EnrollmentWrite[RowT], rows: Sequence[RowT], learners: Sequence[LockedLearner]) -> list[Change]:
    school_id, people = write.program.school_id, _people_of(rows)
    held, locked = _lock(write, rows, people, learners)
    in_question = review_identity_changes(people=people, reach=write.identity_reach)
    _plan(write, rows, people)
    changes, moved = join_learners(school_id=school_id, people=_people_of(_good(rows)), now=write.now)
    if moved:
        write.read_stored(rows)
        _plan(write, rows, people)
    for row in rows:
        stored = row.stored
        row.before = None if stored is None else stored.status
        if row.changed or row.detail or row.person.detail:
            row.changed, row.detail = False, row.person.detail
    changes += write.apply(_good(rows), held)
    if in_question:
        note_in_question(in_question=in_question, learners=locked, now=write.now)
    recheck_emails_after_commit(school_id=school_id, people=people)
    _note_changed(rows, changes)
    return changes


def _lock(
    write: EnrollmentWrite[RowT], rows: Sequence[RowT], people: Sequence[Person], learners: Sequence[LockedLearner]
) -> tuple[Held, Sequence[LockedLearner]]:
    """Lock accounts, then learners, in the one order (ADR 0002), and identify people by what is locked.

    Without locks of rows nobody else can have written since the look, so what it found stands.
    """
    owners = foresee_claims(school_id=write.program.school_id, people=people, creates=write.creates_learners)
    held = write.hold(rows)
    if not locks_rows():
        return held, learners
    locked = lock_named(
        learners=learners, identities=[person.identity for person in people], also={*owners, *held.siblings}
    )
    held.accounts.require(learner.user_id for learner in locked)
    identify(people=people, learners=locked)
    seen = set(learners)
    for person in people:
        if person.learner is not None and person.learner not in seen:
            # Somebody else wrote since the look: the claim was found for another state.
            person.claim = None
    write.read_stored(rows)
    return held, locked


def _plan(write: EnrollmentWrite[RowT], rows: Sequence[RowT], people: Sequence[Person]) -> None:
    """Decide about each row; rows whose address is not given up after all are decided about again."""
    write.read_more(rows)
    receiving = [person for person in people if person.giver is not None]
    while True:
        for row in rows:
            row.word = write.decide(row)
        if not receiving or not settle_hand_overs(people=receiving, written={row.person for row in _good(rows)}):
            return


def _good(rows: Sequence[RowT]) -> list[RowT]:
    return [row for row in rows if not row.word]


def _people_of(rows: Sequence[RowT]) -> list[Person]:
    """Return whom these rows name, each once, in their order."""
    return list(dict.fromkeys([row.person for row in rows]))


def _note_changed(rows: Sequence[RowT], changes: Sequence[Change]) -> None:
    if not changes:
        return
    touched = Touched(changes)
    for row in rows:
        if not row.word and (learner := row.person.learner) is not None:
            row.changed = row.is_touched_by(touched, learner.id)
