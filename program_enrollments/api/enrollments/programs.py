"""Enrolling in programs: plan, then apply, chunk by chunk.

Each chunk is one short transaction that holds its learners.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from program_enrollments.api.access import Reach
from program_enrollments.api.enrollments.cascade import deactivate_courses
from program_enrollments.api.enrollments.chunks import prepare_rows, write_in_chunks
from program_enrollments.api.enrollments.explanations import explain
from program_enrollments.api.enrollments.join import complete_and_make, recheck_emails_after_commit
from program_enrollments.api.enrollments.program_plan import (
    Curricula,
    ProgramPlan,
    StoredProgramEnrollment,
    is_unchanged,
    outcomes_of,
    plan_program_enrollments,
    refuse_early,
)
from program_enrollments.api.learners.creation import foresee_claims
from program_enrollments.api.learners.identity import Identity
from program_enrollments.api.learners.identity_changes import note_in_question, review_identity_changes
from program_enrollments.api.learners.locks import (
    Identified,
    LockedLearner,
    as_seen,
    find_siblings,
    identify,
    lock_named,
    locks_rows,
    read_learners,
    recognize,
)
from program_enrollments.api.ledger import record_changes
from program_enrollments.data import (
    LEAVING_STATUSES,
    Change,
    ChangeKind,
    Origin,
    ProgramEnrollmentRequest,
    RowOutcome,
    Verb,
    Word,
)
from program_enrollments.models import Curriculum, PreemptiveProgramEnrollment, Program, ProgramEnrollment
from program_enrollments.sql.bulk import insert_rows, select_rows

FIELDS = ("learner", "program", "curriculum", "status", "created", "modified")


def write_program_enrollments(
    *,
    program: Program,
    rows: Sequence[ProgramEnrollmentRequest],
    verb: Verb,
    origin: Origin,
    move_curriculum: bool = False,
    cascade: bool = False,
    identity_reach: Callable[[], Reach] | None = None,
    allow_pseudonyms: bool = False,
    dry_run: bool = False,
    now: datetime | None = None,
) -> list[RowOutcome]:
    """Create and update program enrollments in bulk and return one outcome a row, in the rows' order.

    Learners with an account get real enrollments, the others preemptive ones. A row whose stored state is the one
    asked for changes nothing and is not recorded. With `cascade`, a leaving status also makes the learner's course
    enrollments in the program inactive, and takes back the course staff roles given or promised there.
    `identity_reach` says, if it has to be asked, on which programs the caller may change learners' identities;
    `allow_pseudonyms` lets rows name learners whose own ID is gone. With `dry_run` the outcomes are those of a
    real run, and nothing is written. Raises TooManyRows and WriteInterrupted. The number of statements depends on the
    number of chunks, not on that of rows. (docs/api.rst)
    """
    prepared = prepare_rows(
        school_id=program.school_id, rows=rows, allow_pseudonyms=allow_pseudonyms, now=now or timezone.now()
    )
    words = refuse_early(rows=rows, identities=prepared.identities, duplicates=prepared.duplicates)
    numbers = [number for number in range(len(rows)) if number not in words]
    outcomes = {number: RowOutcome(rows[number].key, word, False) for number, word in words.items()}
    if numbers:
        write = ProgramWrite(
            program=program,
            rows=rows,
            identities=prepared.identities,
            curricula=fetch_curricula(program=program),
            verb=verb,
            move_curriculum=move_curriculum,
            cascade=cascade,
            origin=origin,
            identity_reach=identity_reach,
            now=now or timezone.now(),
        )
        outcomes.update(write_in_chunks(rows=rows, numbers=numbers, write=write.write_chunk, dry_run=dry_run))
    return [explain(row=row, outcome=outcomes[number], domains=prepared.domains) for number, row in enumerate(rows)]


def fetch_curricula(*, program: Program) -> Curricula:
    """Return the program's curricula, and the one meant where a row names none: the only active one."""
    stored = list(Curriculum.objects.filter(program=program).values_list("uuid", "pk", "is_active"))
    active = [pk for _, pk, is_active in stored if is_active]
    return Curricula({uuid: pk for uuid, pk, _ in stored}, active[0] if len(active) == 1 else None)


def fetch_stored(*, program_id: int, learners: Iterable[LockedLearner | None]) -> dict[int, StoredProgramEnrollment]:
    """Return these learners' enrollments in the program, by learner.

    Those of linked learners are real, those of the others preemptive.
    """
    fields = ("id", "learner_id", "status", "curriculum_id")
    return {
        row[1]: StoredProgramEnrollment._make((*row, model is ProgramEnrollment))
        for model, rows in _select_enrollments(program_id=program_id, learners=learners, fields=fields)
        for row in rows
    }


def fetch_enrolled(*, program_id: int, learners: Iterable[LockedLearner | None]) -> set[int]:
    """Return those of these learners who have an enrollment in the program, in any status."""
    found = _select_enrollments(program_id=program_id, learners=learners, fields=["learner_id"])
    return {learner_id for _, rows in found for (learner_id,) in rows}


def _select_enrollments(
    *, program_id: int, learners: Iterable[LockedLearner | None], fields: Sequence[str]
) -> Iterator[tuple[type[ProgramEnrollment | PreemptiveProgramEnrollment], list[tuple[Any, ...]]]]:
    linked: set[int] = set()
    waiting: set[int] = set()
    for learner in learners:
        if learner is not None:
            (waiting if learner.user_id is None else linked).add(learner.id)
    for model, ids in ((ProgramEnrollment, linked), (PreemptiveProgramEnrollment, waiting)):
        yield model, select_rows(model, fields=fields, among=("learner", ids), program=program_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramWrite:
    """One call of `write_program_enrollments`, ready to be carried out chunk by chunk."""

    program: Program
    rows: Sequence[ProgramEnrollmentRequest]
    identities: Sequence[Identity]
    curricula: Curricula
    verb: Verb
    move_curriculum: bool
    cascade: bool
    origin: Origin
    identity_reach: Callable[[], Reach] | None
    now: datetime

    def write_chunk(self, numbers: Sequence[int]) -> dict[int, RowOutcome]:
        """Write the rows `numbers` in the current transaction; see `chunks.ChunkWriter`.

        A first look answers the rows that ask for what is so already: they lock nobody, and write nothing (ADR 0007).
        """
        learners = read_learners(
            school_id=self.program.school_id, identities=[self.identities[number] for number in numbers]
        )
        seen = fetch_stored(program_id=self.program.pk, learners=learners)
        outcomes = self._find_unchanged(numbers, learners, seen)
        others = [number for number in numbers if number not in outcomes]
        return outcomes | self._change_rows(others, learners, seen) if others else outcomes

    def _find_unchanged(
        self, numbers: Sequence[int], learners: Sequence[LockedLearner], stored: Mapping[int, StoredProgramEnrollment]
    ) -> dict[int, RowOutcome]:
        named = recognize(learners=learners, identities=[self.identities[number] for number in numbers])
        outcomes = {}
        for number, learner in zip(numbers, named, strict=True):
            existing, row = stored.get(learner.id) if learner is not None else None, self.rows[number]
            if existing is None or (self.cascade and row.status in LEAVING_STATUSES):
                continue
            if is_unchanged(
                row=row,
                existing=existing,
                curricula=self.curricula,
                verb=self.verb,
                move_curriculum=self.move_curriculum,
            ):
                outcomes[number] = RowOutcome(row.key, row.status, True, row.status)
        return outcomes

    def _change_rows(
        self, numbers: Sequence[int], learners: Sequence[LockedLearner], seen: Mapping[int, StoredProgramEnrollment]
    ) -> dict[int, RowOutcome]:
        rows = [self.rows[number] for number in numbers]
        identities = [self.identities[number] for number in numbers]
        claims, owners = foresee_claims(school_id=self.program.school_id, learners=learners, identities=identities)
        locked = lock_named(
            learners=learners, identities=identities, also={*owners, *self._find_siblings(rows, learners)}
        )
        identified = identify(learners=locked, identities=identities)
        unchanged = as_seen(identified=identified, learners=learners)
        in_question = review_identity_changes(identified=identified, reach=self.identity_reach)
        stored = fetch_stored(program_id=self.program.pk, learners=locked) if locks_rows() else seen
        plan = self._plan(rows, identified, stored)
        changes, moved = complete_and_make(
            school_id=self.program.school_id,
            identified=identified,
            good=plan.good(),
            identities=identities,
            claims={number: claim for number, claim in claims.items() if number in unchanged},
            now=self.now,
        )
        if moved:
            stored = fetch_stored(program_id=self.program.pk, learners=identified.existing())
            plan = self._plan(rows, identified, stored)
        before = {
            number: stored[learner.id].status
            for number, learner in enumerate(identified.learners)
            if learner is not None and learner.id in stored
        }
        changes += self._apply(rows, identified, plan)
        if in_question:
            note_in_question(in_question=in_question, learners=locked, now=self.now)
        record_changes(changes=changes, origin=self.origin, now=self.now)
        recheck_emails_after_commit(school_id=self.program.school_id, identified=identified, identities=identities)
        touched = {change.learner_id for change in changes}
        outcomes = outcomes_of(
            rows=rows,
            words=plan.words,
            before=before,
            details=identified.details,
            changed={
                number
                for number, learner in enumerate(identified.learners)
                if learner is not None and learner.id in touched
            },
        )
        return dict(zip(numbers, outcomes, strict=True))

    def _find_siblings(
        self, rows: Sequence[ProgramEnrollmentRequest], learners: Sequence[LockedLearner]
    ) -> Collection[int]:
        """Return the learners to lock with those who may lose seats: the same accounts at other schools."""
        if not self.cascade or not any(row.status in LEAVING_STATUSES for row in rows):
            return ()
        return find_siblings(user_ids={learner.user_id for learner in learners if learner.user_id is not None})

    def _plan(
        self,
        rows: Sequence[ProgramEnrollmentRequest],
        identified: Identified,
        stored: Mapping[int, StoredProgramEnrollment],
    ) -> ProgramPlan:
        return plan_program_enrollments(
            rows=rows,
            learner_ids=[learner.id if learner else None for learner in identified.learners],
            invalid=identified.invalid,
            stored=stored,
            curricula=self.curricula,
            verb=self.verb,
            move_curriculum=self.move_curriculum,
        )

    def _apply(
        self, rows: Sequence[ProgramEnrollmentRequest], identified: Identified, plan: ProgramPlan
    ) -> list[Change]:
        changes = self._cascade(rows, identified, plan) if self.cascade else []
        program_id = self.program.pk

        def record(learner: LockedLearner, kind: str, before: str | None, after: str) -> None:
            changes.append(Change(program_id, learner.id, learner.display_key, kind, before, after))

        inserts: dict[bool, list[tuple[object, ...]]] = {True: [], False: []}
        for number, curriculum_id in plan.creates.items():
            learner, status = identified.learner(number), rows[number].status
            real = learner.user_id is not None
            inserts[real].append((learner.id, program_id, curriculum_id, status, self.now, self.now))
            record(learner, ChangeKind.PROGRAM_ENROLLMENT, None, status)
        updates: dict[tuple[bool, str, int | None], list[int]] = defaultdict(list)
        for number, (stored, curriculum_id) in plan.updates.items():
            learner, status = identified.learner(number), rows[number].status
            moved_to = curriculum_id if curriculum_id != stored.curriculum_id else None
            updates[(stored.real, status, moved_to)].append(stored.id)
            if status != stored.status:
                record(learner, ChangeKind.PROGRAM_ENROLLMENT, stored.status, status)
            if moved_to is not None:
                names = {pk: str(uuid) for uuid, pk in self.curricula.by_uuid.items()}
                before, after = names.get(stored.curriculum_id), names[moved_to]
                record(learner, ChangeKind.PROGRAM_CURRICULUM, before, after)
        for model, real in ((ProgramEnrollment, True), (PreemptiveProgramEnrollment, False)):
            insert_rows(model, fields=FIELDS, rows=inserts[real])
        for (real, status, moved_to), ids in updates.items():
            model = ProgramEnrollment if real else PreemptiveProgramEnrollment
            values = {"status": status, "modified": self.now} | ({"curriculum_id": moved_to} if moved_to else {})
            model._default_manager.filter(pk__among=set(ids)).update(**values)
        return changes

    def _cascade(
        self, rows: Sequence[ProgramEnrollmentRequest], identified: Identified, plan: ProgramPlan
    ) -> list[Change]:
        leaving = {
            identified.learner(number).id: number for number in plan.good() if rows[number].status in LEAVING_STATUSES
        }
        if not leaving:
            return []
        changes, failed = deactivate_courses(
            program_id=self.program.pk,
            learners=[identified.learner(number) for number in leaving.values()],
            now=self.now,
        )
        for learner_id in failed:
            plan.refuse(leaving[learner_id], Word.INTERNAL_ERROR.value)
        return changes
