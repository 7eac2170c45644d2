"""The plan of a program write: pure. It decides about each row from what is sent and what is stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from program_enrollments.api.enrollments.rows import ProgramRow
from program_enrollments.data import ProgramEnrollmentRequest, ProgramStatus, Verb, Word

STATUSES = frozenset(ProgramStatus.values)


@dataclass(frozen=True, slots=True)
class Curricula:
    """A program's curricula by UUID, and the one for new enrollments that name none.

    The latter is None unless exactly one is active.
    """

    by_uuid: Mapping[UUID, int]
    default_id: int | None


def refuse_early(row: ProgramRow) -> str:
    """Return the word that refuses a row whatever is stored, or nothing."""
    if row.request.status not in STATUSES:
        return Word.INVALID_STATUS.value
    return "" if row.person.identity.valid else Word.INVALID_IDENTITY.value


def decide(row: ProgramRow, *, curricula: Curricula, verb: Verb, move_curriculum: bool) -> str:
    """Return the word that refuses a row, the first that fits, or nothing.

    See docs/api.rst, Program enrollments. Notes on a good row the curriculum to be stored. A learner is at most once in
    a program: an enrollment that exists keeps its curriculum unless `move_curriculum`, and a row that names no
    curriculum never moves one. Only a new enrollment must know its curriculum.
    """
    if word := refuse_early(row):
        return word
    stored = row.stored
    uuid = curriculum_read(row.request, verb=verb, move_curriculum=move_curriculum)
    curriculum_id = curricula.default_id if uuid is None else curricula.by_uuid.get(uuid)
    refusal = None
    if not row.person.is_valid:
        refusal = Word.INVALID_IDENTITY
    elif uuid is not None and curriculum_id is None:
        refusal = Word.INVALID_CURRICULUM
    elif stored is not None:
        if verb == Verb.CREATE:
            refusal = Word.CONFLICT
        moves = move_curriculum and uuid is not None
        row.curriculum_id = curriculum_id if moves and curriculum_id is not None else stored.curriculum_id
    elif verb == Verb.UPDATE:
        refusal = Word.NOT_IN_PROGRAM
    elif curriculum_id is None:
        refusal = Word.INVALID_CURRICULUM
    else:
        row.curriculum_id = curriculum_id
    return "" if refusal is None else refusal.value


def curriculum_read(request: ProgramEnrollmentRequest, *, verb: Verb, move_curriculum: bool) -> UUID | None:
    """Return the curriculum that a row names, or None if it names none or the call does not read it.

    An update reads it only if it may move enrollments: clients are known to send nonsense there.
    """
    return request.curriculum_uuid if move_curriculum or verb != Verb.UPDATE else None


def find_unchanged(
    rows: Iterable[ProgramRow], *, curricula: Curricula, verb: Verb, move_curriculum: bool
) -> list[ProgramRow]:
    """Return the rows that are good, add nothing to whom they name, and ask for what is stored."""
    if verb == Verb.CREATE:
        return []
    reads_curriculum = move_curriculum or verb != Verb.UPDATE
    found = []
    for row in rows:
        stored, request, person = row.stored, row.request, row.person
        if stored is None or stored.status != request.status or not person.is_valid or person.adds:
            continue
        if reads_curriculum and (uuid := request.curriculum_uuid) is not None:
            curriculum_id = curricula.by_uuid.get(uuid)
            if curriculum_id is None or (move_curriculum and curriculum_id != stored.curriculum_id):
                continue
        found.append(row)
    return found
