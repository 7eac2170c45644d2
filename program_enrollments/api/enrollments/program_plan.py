"""Planning program enrollments: pure.

It turns what a chunk requests and what is stored into what is to be written.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from program_enrollments.api.learners.identity import Identity
from program_enrollments.data import ProgramEnrollmentRequest, ProgramStatus, RowOutcome, Verb, Word

STATUSES = frozenset(ProgramStatus.values)


class StoredProgramEnrollment(NamedTuple):
    """A program enrollment as stored; `real` tells in which of the two tables."""

    id: int
    learner_id: int
    status: str
    curriculum_id: int
    real: bool


@dataclass(frozen=True, slots=True)
class Curricula:
    """A program's curricula by UUID, and the one for new enrollments that name none.

    The latter is None unless exactly one is active.
    """

    by_uuid: Mapping[UUID, int]
    default_id: int | None


@dataclass(slots=True)
class ProgramPlan:
    """What a chunk comes to.

    `words` refuses rows by number; `creates` maps row number to curriculum; `updates` row number to what is stored and
    the curriculum it moves to; `unchanged` row number to what is stored.
    """

    words: dict[int, str] = field(default_factory=dict)
    creates: dict[int, int] = field(default_factory=dict)
    updates: dict[int, tuple[StoredProgramEnrollment, int]] = field(default_factory=dict)
    unchanged: dict[int, StoredProgramEnrollment] = field(default_factory=dict)

    def good(self) -> list[int]:
        """Return the numbers of the rows that are not refused."""
        return [*self.creates, *self.updates, *self.unchanged]

    def refuse(self, number: int, word: str) -> None:
        """Take a row out of what is to be written."""
        self.words[number] = word
        for rows in (self.creates, self.updates, self.unchanged):
            rows.pop(number, None)


def refuse_early(
    *, rows: Sequence[ProgramEnrollmentRequest], identities: Sequence[Identity], duplicates: set[int]
) -> dict[int, str]:
    """Return the words of rows that are refused whatever is stored, first reason first.

    See docs/api.rst, Program enrollments.
    """
    words = {}
    for number, (row, identity) in enumerate(zip(rows, identities, strict=True)):
        if number in duplicates:
            words[number] = Word.DUPLICATED.value
        elif row.status not in STATUSES:
            words[number] = Word.INVALID_STATUS.value
        elif not identity.valid:
            words[number] = Word.INVALID_IDENTITY.value
    return words


def plan_program_enrollments(
    *,
    rows: Sequence[ProgramEnrollmentRequest],
    learner_ids: Sequence[int | None],
    invalid: set[int],
    stored: Mapping[int, StoredProgramEnrollment],
    curricula: Curricula,
    verb: Verb,
    move_curriculum: bool,
) -> ProgramPlan:
    """Decide about each row of a chunk.

    `learner_ids` has None for a learner who is yet to be made. `stored` is by learner.

    A learner is at most once in a program: an enrollment that exists keeps its curriculum unless `move_curriculum`,
    and a row that names no curriculum never moves one. Only a new enrollment must know its curriculum.
    """
    plan = ProgramPlan()
    for number, (row, learner_id) in enumerate(zip(rows, learner_ids, strict=True)):
        existing = stored.get(learner_id) if learner_id is not None else None
        uuid = curriculum_read(row=row, verb=verb, move_curriculum=move_curriculum)
        curriculum_id = curricula.default_id if uuid is None else curricula.by_uuid.get(uuid)
        if number in invalid:
            plan.words[number] = Word.INVALID_IDENTITY.value
        elif uuid is not None and curriculum_id is None:
            plan.words[number] = Word.INVALID_CURRICULUM.value
        elif existing is None:
            if verb == Verb.UPDATE:
                plan.words[number] = Word.NOT_IN_PROGRAM.value
            elif curriculum_id is None:
                plan.words[number] = Word.INVALID_CURRICULUM.value
            else:
                plan.creates[number] = curriculum_id
        elif verb == Verb.CREATE:
            plan.words[number] = Word.CONFLICT.value
        elif is_unchanged(row=row, existing=existing, curricula=curricula, verb=verb, move_curriculum=move_curriculum):
            plan.unchanged[number] = existing
        else:
            moved_to = curriculum_id if move_curriculum and uuid is not None else None
            plan.updates[number] = (existing, moved_to or existing.curriculum_id)
    return plan


def curriculum_read(*, row: ProgramEnrollmentRequest, verb: Verb, move_curriculum: bool) -> UUID | None:
    """Return the curriculum that a row names, or None if it names none or the call does not read it.

    An update reads it only if it may move enrollments: clients are known to send nonsense there.
    """
    return row.curriculum_uuid if move_curriculum or verb != Verb.UPDATE else None


def is_unchanged(
    *,
    row: ProgramEnrollmentRequest,
    existing: StoredProgramEnrollment,
    curricula: Curricula,
    verb: Verb,
    move_curriculum: bool,
) -> bool:
    """Whether a row is good and asks for what is stored."""
    if existing.status != row.status or verb == Verb.CREATE:
        return False
    uuid = curriculum_read(row=row, verb=verb, move_curriculum=move_curriculum)
    if uuid is None:
        return True
    curriculum_id = curricula.by_uuid.get(uuid)
    return curriculum_id is not None and (not move_curriculum or curriculum_id == existing.curriculum_id)


def outcomes_of(
    *,
    rows: Sequence[ProgramEnrollmentRequest],
    words: Mapping[int, str],
    before: Mapping[int, str],
    details: Mapping[int, str],
    changed: Collection[int],
) -> list[RowOutcome]:
    """Return one outcome a row: the word that refuses it, or else the status now stored."""
    return [
        RowOutcome(row.key, words[number], False, before.get(number), details.get(number, ""))
        if number in words
        else RowOutcome(row.key, row.status, True, before.get(number), details.get(number, ""), number in changed)
        for number, row in enumerate(rows)
    ]
