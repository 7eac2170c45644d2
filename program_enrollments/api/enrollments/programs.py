"""Program enrollments: their writes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from program_enrollments.api.access import Reach
from program_enrollments.api.enrollments.calls import prepare_call, write_call
from program_enrollments.api.enrollments.cascade import deactivate_courses
from program_enrollments.api.enrollments.pipeline import EnrollmentWrite, Held
from program_enrollments.api.enrollments.program_plan import Curricula, decide, find_unchanged, refuse_early
from program_enrollments.api.enrollments.rows import ProgramRow, StoredProgramEnrollment
from program_enrollments.api.kept_answers import RequestProgress
from program_enrollments.api.learners.locks import LockedLearner, find_siblings
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

_make = tuple.__new__


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
    progress: RequestProgress | None = None,
    now: datetime | None = None,
) -> list[RowOutcome]:
    """Create and update program enrollments in bulk and return one outcome per row, in the rows' order.

    Learners with an account get real enrollments, the others preemptive ones. A row whose stored state is the one
    asked for changes nothing and is not recorded. With `cascade`, a leaving status also makes the learner's course
    enrollments in the program inactive, and takes back the course staff roles given or promised there.
    `identity_reach` returns on which programs the caller may change learners' identities; it is called if it is needed.
    `allow_pseudonyms` lets rows name learners whose own ID is gone. With `dry_run` the outcomes are those of a
    real run, and nothing is written. `progress` keeps what is committed for a repeated request. Raises TooManyRows and
    WriteInterrupted. The number of statements depends on the number of chunks, not on that of rows. (docs/api.rst)
    """
    moment = now or timezone.now()
    call = prepare_call(
        school_id=program.school_id,
        requests=rows,
        make_row=ProgramRow,
        allow_pseudonyms=allow_pseudonyms,
        progress=progress,
        now=moment,
    )
    write = ProgramWrite(
        program=program,
        curricula=fetch_curricula(program=program) if call.to_write else Curricula({}, None),
        verb=verb,
        move_curriculum=move_curriculum,
        cascade=cascade,
        origin=origin,
        identity_reach=identity_reach,
        now=moment,
    )
    return write_call(write=write, call=call, dry_run=dry_run)


def fetch_curricula(*, program: Program) -> Curricula:
    """Return the program's curricula, and the one meant where a row names none: the only active one."""
    stored = list(Curriculum.objects.filter(program=program).values_list("uuid", "pk", "is_active"))
    active = [pk for _, pk, is_active in stored if is_active]
    return Curricula({uuid: pk for uuid, pk, _ in stored}, active[0] if len(active) == 1 else None)


def fetch_enrolled(*, program_id: int, learners: Iterable[LockedLearner | None]) -> set[int]:
    """Return those of these learners who have an enrollment in the program, in any status."""
    found = _select_enrollments(program_id=program_id, learners=learners, fields=["learner_id"])
    return {learner_id for _, rows in found for (learner_id,) in rows}


def _select_enrollments(
    *, program_id: int, learners: Iterable[LockedLearner | None], fields: Sequence[str]
) -> Iterator[tuple[bool, list[tuple[Any, ...]]]]:
    linked: set[int] = set()
    waiting: set[int] = set()
    for learner in learners:
        if learner is not None:
            (waiting if learner.user_id is None else linked).add(learner.id)
    for model, ids in ((ProgramEnrollment, linked), (PreemptiveProgramEnrollment, waiting)):
        rows = select_rows(model, fields=fields, among=("learner", ids), program=program_id)
        yield model is ProgramEnrollment, rows


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramWrite(EnrollmentWrite[ProgramRow]):
    """What one call or file writes to the enrollments of a program.

    The parameters are those of `write_program_enrollments`.
    """

    curricula: Curricula
    move_curriculum: bool = False
    cascade: bool = False

    @property
    def creates_learners(self) -> bool:
        """Whether a row may name somebody who is no learner yet."""
        return self.verb != Verb.UPDATE

    def refuse_early(self, row: ProgramRow) -> str:
        """Return the word that refuses a row whatever is stored, or nothing."""
        return refuse_early(row)

    def read_stored(self, rows: Sequence[ProgramRow]) -> None:
        """Set `stored` of rows whose learners are known."""
        found = _select_enrollments(
            program_id=self.program.pk,
            learners=[row.person.learner for row in rows],
            fields=("id", "learner_id", "status", "curriculum_id"),
        )
        stored = {
            row[1]: _make(StoredProgramEnrollment, (*row, is_real)) for is_real, rows_of in found for row in rows_of
        }
        for row in rows:
            learner = row.person.learner
            row.stored = None if learner is None else stored.get(learner.id)

    def find_unchanged(self, rows: Sequence[ProgramRow]) -> Collection[ProgramRow]:
        """Return the rows that ask for what is stored."""
        unchanged = find_unchanged(rows, curricula=self.curricula, verb=self.verb, move_curriculum=self.move_curriculum)
        if self.cascade:
            unchanged = [row for row in unchanged if row.request.status not in LEAVING_STATUSES]
        return unchanged

    def hold(self, rows: Sequence[ProgramRow]) -> Held:
        """Hold, with those who may lose seats, the same accounts' learners at other schools."""
        if not self.cascade or not any(row.request.status in LEAVING_STATUSES for row in rows):
            return Held()
        learners = [row.person.learner for row in rows]
        user_ids = {learner.user_id for learner in learners if learner is not None and learner.user_id is not None}
        return Held(siblings=find_siblings(user_ids=user_ids))

    def decide(self, row: ProgramRow) -> str:
        """Return the word that refuses a row, or nothing, and note on it the curriculum to be stored."""
        return decide(row, curricula=self.curricula, verb=self.verb, move_curriculum=self.move_curriculum)

    def apply(self, rows: Sequence[ProgramRow], held: Held) -> list[Change]:
        """Write the good rows and return the ledger's entries."""
        changes = self._cascade(rows) if self.cascade else []
        program_id = self.program.pk

        def record(learner: LockedLearner, kind: str, before: str | None, after: str) -> None:
            changes.append(Change(program_id, learner.id, learner.display_key, kind, before, after))

        inserts: dict[bool, list[tuple[object, ...]]] = {True: [], False: []}
        updates: dict[tuple[bool, str, int | None], list[int]] = defaultdict(list)
        for row in rows:
            stored, learner, status = row.stored, row.person.known, row.request.status
            if row.word:
                continue
            if stored is None:
                real = learner.user_id is not None
                inserts[real].append((learner.id, program_id, row.curriculum_id, status, self.now, self.now))
                record(learner, ChangeKind.PROGRAM_ENROLLMENT, None, status)
                continue
            moved_to = row.curriculum_id if row.curriculum_id != stored.curriculum_id else None
            if status == stored.status and moved_to is None:
                continue
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

    def _cascade(self, rows: Sequence[ProgramRow]) -> list[Change]:
        leaving = {row.person.known.id: row for row in rows if row.request.status in LEAVING_STATUSES}
        if not leaving:
            return []
        changes, failed = deactivate_courses(
            program_id=self.program.pk, learners=[row.person.known for row in leaving.values()], now=self.now
        )
        for learner_id in failed:
            leaving[learner_id].word = Word.INTERNAL_ERROR.value
        return changes
