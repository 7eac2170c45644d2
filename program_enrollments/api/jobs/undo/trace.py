"""The trace of a job: what it changed of each learner, read from its ledger entries. Pure.

A trace names what stood before the job and what it left behind. Undoing is going from the latter to the former.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from program_enrollments.data import ChangeKind

PROGRAM_KINDS = (ChangeKind.PROGRAM_ENROLLMENT.value, ChangeKind.PROGRAM_CURRICULUM.value)
COURSE_KINDS = (ChangeKind.COURSE_ENROLLMENT.value, ChangeKind.COURSE_STAFF.value)
STATUS_KINDS = frozenset({ChangeKind.PROGRAM_ENROLLMENT.value, ChangeKind.COURSE_ENROLLMENT.value})
PLACE_KINDS = frozenset({*PROGRAM_KINDS, *COURSE_KINDS})
"""Kinds of changes that an undo takes back at an enrollment."""

IDENTITY_KINDS = frozenset({ChangeKind.EMAIL.value, ChangeKind.STUDENT_KEY.value})
"""Kinds of changes that an undo takes back at a learner."""

ENDING_KINDS = frozenset({ChangeKind.MERGE.value, ChangeKind.RETIRED.value})
"""Kinds of changes after which a learner is not the one that the job knew."""

KINDS = tuple(sorted(PLACE_KINDS | IDENTITY_KINDS | ENDING_KINDS))


class Entry(NamedTuple):
    """A ledger entry, as far as an undo reads it."""

    id: int
    learner_id: int
    course_run_id: int | None
    kind: str
    before: str | None
    after: str | None
    job_id: int | None
    at: datetime
    student_key: str


class Step(NamedTuple):
    """What one thing was before the job, and what it was after."""

    before: str | None
    after: str | None

    def then(self, after: str | None) -> Step:
        """Return the step that also goes on to `after`."""
        return Step(self.before, after)


@dataclass(slots=True)
class Place:
    """What the job did to one enrollment.

    A step that is None was not taken: that part stays whatever it is. `last` is the job's last entry about it, `at` the
    time of the first.
    """

    at: datetime
    last: int = 0
    status: Step | None = None
    curriculum: Step | None = None
    staff: Step | None = None

    @property
    def was_made(self) -> bool:
        """Whether the job made the enrollment."""
        return self.status is not None and self.status.before is None

    @property
    def was_deleted(self) -> bool:
        """Whether the job deleted the enrollment; only undoing does that."""
        return self.status is not None and self.status.after is None

    def add(self, entry: Entry) -> None:
        """Go on with the job's next entry about this enrollment."""
        self.last = entry.id
        if entry.kind in STATUS_KINDS:
            self.status = _go_on(self.status, entry)
        elif entry.kind == ChangeKind.PROGRAM_CURRICULUM:
            self.curriculum = _go_on(self.curriculum, entry)
        else:
            self.staff = _go_on(self.staff, entry)


@dataclass(slots=True)
class Trace:
    """What the job did to one learner, and what others did to the same things.

    `places` are by course run, None for the program itself. `changed` and `identity_changed` have the last entry of
    others, by course run and by kind.
    """

    learner_id: int
    student_key: str = ""
    places: dict[int | None, Place] = field(default_factory=dict)
    email: Step | None = None
    student_id: Step | None = None
    identity_last: int = 0
    changed: dict[int | None, int] = field(default_factory=dict)
    identity_changed: dict[str, int] = field(default_factory=dict)

    @property
    def concerns_learner(self) -> bool:
        """Whether there is something to put back that concerns no course run."""
        return None in self.places or self.email is not None or self.student_id is not None

    def is_changed_since(self, run_id: int | None) -> bool:
        """Whether somebody else changed this enrollment after the job did.

        What a file did to courses because of a program status follows that status: it is not put back without it.
        """
        place, program = self.places[run_id], self.places.get(None)
        if self.identity_changed.get(ChangeKind.RETIRED.value, 0) > place.last:
            return True
        if program is not None and program is not place and self.changed.get(None, 0) > program.last:
            return True
        return self.changed.get(run_id, 0) > place.last

    def is_identity_changed_since(self, kind: str) -> bool:
        """Whether somebody else changed the student ID or the address, or joined or retired the learner."""
        place = self.places.get(None)
        last = self.identity_last or (place.last if place is not None else 0)
        return any(self.identity_changed.get(each, 0) > last for each in (kind, *ENDING_KINDS))


def trace(entries: Iterable[Entry], *, job_id: int, undo_ids: Collection[int]) -> dict[int, Trace]:
    """Return the traces of a job by learner, from all entries about them in their order.

    Entries of the job are what is put back, entries of its undos (one may have been canceled) are not, and all others
    are what was changed meanwhile.
    """
    traces: dict[int, Trace] = {}
    for entry in entries:
        if entry.job_id in undo_ids:
            continue
        known = traces.get(entry.learner_id)
        if known is None:
            known = traces.setdefault(entry.learner_id, Trace(entry.learner_id))
        if entry.job_id != job_id:
            _note_other(known, entry)
        elif entry.kind in PLACE_KINDS:
            known.student_key = entry.student_key
            known.places.setdefault(entry.course_run_id, Place(entry.at)).add(entry)
        elif entry.kind in IDENTITY_KINDS:
            known.student_key = entry.student_key
            known.identity_last = entry.id
            if entry.kind == ChangeKind.EMAIL:
                known.email = _go_on(known.email, entry)
            else:
                known.student_id = _go_on(known.student_id, entry)
    return traces


def _note_other(known: Trace, entry: Entry) -> None:
    if entry.kind in PLACE_KINDS:
        known.changed[entry.course_run_id] = entry.id
    else:
        known.identity_changed[entry.kind] = entry.id


def _go_on(step: Step | None, entry: Entry) -> Step:
    return Step(entry.before, entry.after) if step is None else step.then(entry.after)
