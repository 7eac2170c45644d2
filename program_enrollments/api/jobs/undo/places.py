"""Places: enrollments are put back as they were before the undone job.

What is stored must be what that job left behind. Writing goes through the kinds of writes that calls and files use, so
that the host is asked in the one way there is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

from django.utils.translation import gettext as _

from program_enrollments.api.enrollments.courses import CourseWrite
from program_enrollments.api.enrollments.explanations import explain
from program_enrollments.api.enrollments.pipeline import Held
from program_enrollments.api.enrollments.programs import ProgramWrite, fetch_curricula
from program_enrollments.api.enrollments.rows import (
    CourseRow,
    ProgramRow,
    StoredCourseEnrollment,
    StoredProgramEnrollment,
)
from program_enrollments.api.jobs.keeps import Keeps
from program_enrollments.api.jobs.undo.rows import UndoRow
from program_enrollments.api.jobs.undo.trace import Place, Step
from program_enrollments.api.learners.identity import Identity
from program_enrollments.api.learners.locks import LockedLearner
from program_enrollments.api.learners.people import Person
from program_enrollments.data import (
    Change,
    ChangeKind,
    CourseEnrollmentRequest,
    CourseStatus,
    FileWord,
    Origin,
    ProgramEnrollmentRequest,
    Verb,
)
from program_enrollments.models import (
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
    Program,
    ProgramCourseEnrollment,
    ProgramEnrollment,
)


class Action(Enum):
    """What has to be done about an enrollment."""

    NOTHING = "nothing"
    PUT = "put"
    DELETE = "delete"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class Standing:
    """An enrollment as it is stored; `staff` and `curriculum` only where its kind has them."""

    status: str
    curriculum: str | None = None
    staff: str | None = None


def decide(place: Place, *, is_changed: bool, stored: Standing | None) -> Action:
    """Return what has to be done about an enrollment. Pure."""
    if is_changed:
        return Action.LEAVE
    if _fits(place, stored, lambda step: step.before):
        return Action.NOTHING
    if not _fits(place, stored, lambda step: step.after):
        return Action.LEAVE
    return Action.DELETE if place.was_made else Action.PUT


def _fits(place: Place, stored: Standing | None, side: Callable[[Step], str | None]) -> bool:
    """Whether what is stored is what the job's steps have on one side."""
    status = side(place.status) if place.status is not None else ...
    if stored is None or status is None:
        return stored is None and status is None
    parts = ((place.curriculum, stored.curriculum), (place.staff, stored.staff))
    if status is not ... and status != stored.status:
        return False
    return all(step is None or side(step) is None or side(step) == value for step, value in parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceReturn:
    """Puts the enrollments of one chunk back. The learners are locked."""

    program: Program
    keeps: Keeps
    origin: Origin
    now: datetime

    def put_back(self, rows: Sequence[UndoRow], held: Held) -> list[Change]:
        """Put back what the rows name, note on them what became of it, and return the ledger's entries.

        Program enrollments come first: nobody is active in a course run who is not in the program.
        """
        changes = self._put_programs([row for row in rows if row.staged.course_run_id is None])
        return changes + self._put_courses([row for row in rows if row.staged.course_run_id is not None], held)

    def _put_programs(self, rows: Sequence[UndoRow]) -> list[Change]:
        if not rows:
            return []
        curricula = fetch_curricula(program=self.program)
        write = ProgramWrite(
            program=self.program,
            curricula=curricula,
            verb=Verb.UPSERT,
            move_curriculum=True,
            origin=self.origin,
            now=self.now,
        )
        names = {pk: str(uuid) for uuid, pk in curricula.by_uuid.items()}
        writing = {row: self._program_row(row) for row in rows}
        write.read_stored(list(writing.values()))
        actions = {}
        for row, each in writing.items():
            row.stored = stored = each.stored
            standing = None if stored is None else Standing(stored.status, names.get(stored.curriculum_id))
            if row.place is not None:
                actions[row] = self._plan(row, row.place, standing)
        deleting = [row for row, action in actions.items() if action is Action.DELETE]
        deleting = self._keep_those_with_courses(deleting)
        putting: dict[UndoRow, ProgramRow] = {}
        for row, action in actions.items():
            if action is Action.PUT:
                each = writing[row]
                each.request = self._program_request(row)
                each.word = write.decide(each)
                putting[row] = each
        changes = write.apply([each for each in putting.values() if not each.word], Held())
        self._note(putting)
        return changes + self._delete_programs(deleting, names)

    def _plan(self, row: UndoRow, place: Place, standing: Standing | None) -> Action:
        """Return what has to be done about a row's enrollment; of what is left, note why."""
        if self.keeps.covers(row.learner.id, row.staged.course_run_id):
            row.leave(FileWord.KEPT.value)
            return Action.LEAVE
        is_changed = row.trace.is_changed_since(row.staged.course_run_id)
        action = decide(place, is_changed=is_changed, stored=standing)
        if action is Action.LEAVE:
            row.leave_changed(_("Somebody changed this enrollment after the job that is undone. It stays as it is."))
        elif action is Action.NOTHING:
            row.leave(FileWord.DELETED.value if row.before is None else row.before)
        return action

    def _keep_those_with_courses(self, rows: Sequence[UndoRow]) -> list[UndoRow]:
        """Leave learners in the program who were given courses there since; return the others. Two statements."""
        if not rows:
            return []
        in_courses: set[int] = set()
        for model in (ProgramCourseEnrollment, PreemptiveCourseEnrollment):
            found = model._default_manager.filter(
                program_id=self.program.pk, learner_id__among={row.learner.id for row in rows}
            )
            in_courses.update(found.order_by().values_list("learner_id", flat=True))
        for row in rows:
            if row.learner.id in in_courses:
                row.leave_changed(_("The learner was given courses in the program since. Undo or end those first."))
        return [row for row in rows if row.learner.id not in in_courses]

    def _delete_programs(self, rows: Sequence[UndoRow], names: Mapping[int, str]) -> list[Change]:
        changes = []
        ids: dict[bool, set[int]] = {True: set(), False: set()}
        for row in rows:
            stored = row.stored
            if not isinstance(stored, StoredProgramEnrollment):
                continue
            ids[stored.real].add(stored.id)
            key = row.learner.display_key
            for kind, before in (
                (ChangeKind.PROGRAM_ENROLLMENT, stored.status),
                # What a later undo of this undo needs to make the enrollment again.
                (ChangeKind.PROGRAM_CURRICULUM, names.get(stored.curriculum_id)),
            ):
                changes.append(Change(self.program.pk, row.learner.id, key, kind, before, None))
            _note_gone(row)
        for model, real in ((ProgramEnrollment, True), (PreemptiveProgramEnrollment, False)):
            if ids[real]:
                model._default_manager.filter(pk__among=ids[real]).delete()
        return changes

    def _put_courses(self, rows: Sequence[UndoRow], held: Held) -> list[Change]:
        if not rows:
            return []
        write = CourseWrite(program=self.program, verb=Verb.UPSERT, origin=self.origin, now=self.now)
        writing = {row: self._course_row(row) for row in rows}
        write.read_stored(list(writing.values()))
        applied: dict[UndoRow, CourseRow] = {}
        promised = []
        for row, each in writing.items():
            row.stored = stored = each.stored
            standing = None if stored is None else Standing(stored.status, None, _word(stored.course_staff))
            action = Action.LEAVE if row.place is None else self._plan(row, row.place, standing)
            if action is Action.DELETE and stored is not None and not stored.real:
                promised.append(row)
            elif action in {Action.PUT, Action.DELETE}:
                each.request = self._course_request(row, action)
                applied[row] = each
                row.is_gone = action is Action.DELETE
        write.read_more(list(applied.values()))
        for row, each in applied.items():
            each.word = "" if row.is_gone else write.decide(each)
        changes = write.apply([each for each in applied.values() if not each.word], held)
        for row, each in applied.items():
            row.is_gone = row.is_gone and not each.word
        self._note({row: each for row, each in applied.items() if not row.is_gone})
        return self._delete_courses([row for row in applied if row.is_gone], promised, changes)

    def _delete_courses(
        self, left: Sequence[UndoRow], promised: Sequence[UndoRow], changes: Sequence[Change]
    ) -> list[Change]:
        """Delete enrollments whose seats were just left, and promises that never had one. Return all entries."""
        gone = {(row.learner.id, row.staged.course_run_id): row for row in (*left, *promised)}
        kept = [
            change
            for change in changes
            if (change.learner_id, change.course_run_id) not in gone or change.kind == ChangeKind.COURSE_STAFF
        ]
        for model, rows in ((ProgramCourseEnrollment, left), (PreemptiveCourseEnrollment, promised)):
            ids = {row.stored.id for row in rows if row.stored is not None}
            if ids:
                model._default_manager.filter(pk__among=ids).delete()
        for (learner_id, run_id), row in gone.items():
            key = row.learner.display_key
            kept.append(
                Change(self.program.pk, learner_id, key, ChangeKind.COURSE_ENROLLMENT, row.before, None, run_id)
            )
            if row in promised and isinstance(row.stored, StoredCourseEnrollment) and row.stored.course_staff:
                kept.append(Change(self.program.pk, learner_id, key, ChangeKind.COURSE_STAFF, "true", "false", run_id))
            _note_gone(row)
        return kept

    def _note(self, written: Mapping[UndoRow, ProgramRow | CourseRow]) -> None:
        """Note on rows what the write made of them."""
        for row, each in written.items():
            if each.word:
                each.detail = each.detail or explain(row=each.request, outcome=each.outcome, domains=()).detail
                row.leave(each.word, str(each.detail), refused=True)
            else:
                row.word, row.after, row.changed = each.request.status, each.request.status, True

    @staticmethod
    def _program_row(row: UndoRow) -> ProgramRow:
        return ProgramRow(ProgramEnrollmentRequest("", "", "", ""), _person(row.learner), row.staged.number)

    @staticmethod
    def _program_request(row: UndoRow) -> ProgramEnrollmentRequest:
        place = row.place
        status = place.status.before if place is not None and place.status is not None else row.before
        curriculum = place.curriculum.before if place is not None and place.curriculum is not None else None
        return ProgramEnrollmentRequest(
            "", row.learner.student_key, "", status or "", UUID(curriculum) if curriculum else None
        )

    @staticmethod
    def _course_row(row: UndoRow) -> CourseRow:
        return CourseRow(
            CourseEnrollmentRequest("", "", "", ""),
            _person(row.learner),
            row.staged.number,
            run_id=row.staged.course_run_id or 0,
            course_id=row.staged.course_key,
        )

    @staticmethod
    def _course_request(row: UndoRow, action: Action) -> CourseEnrollmentRequest:
        key, place = row.learner.student_key, row.place
        if action is Action.DELETE or place is None:
            return CourseEnrollmentRequest("", key, "", CourseStatus.INACTIVE.value, False)
        status = place.status.before if place.status is not None else row.before
        staff = place.staff.before == _word(True) if place.staff is not None else None
        return CourseEnrollmentRequest("", key, "", status or "", staff)


def _person(learner: LockedLearner) -> Person:
    identity = Identity(
        learner.student_key, learner.student_key_normalized or "", learner.email, learner.email_normalized or "", True
    )
    person = Person(identity)
    person.learner = learner
    return person


def _note_gone(row: UndoRow) -> None:
    row.word, row.after, row.changed, row.is_gone = FileWord.DELETED.value, None, True, True


def _word(value: bool) -> str:
    return "true" if value else "false"
