"""Rows: one value per row of a write, which passes through every stage of the pipeline (ADR 0018)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from program_enrollments.api.learners.identity import EnrollmentRequest
from program_enrollments.api.learners.people import Person
from program_enrollments.data import Change, CourseEnrollmentRequest, ProgramEnrollmentRequest, RowOutcome


class StoredProgramEnrollment(NamedTuple):
    """A program enrollment as stored; `real` tells in which of the two tables.

    Readers make one per row by `tuple.__new__`, at half the cost of naming each value.
    """

    id: int
    learner_id: int
    status: str
    curriculum_id: int
    real: bool


class StoredCourseEnrollment(NamedTuple):
    """A course enrollment as stored, in whatever program.

    `real` tells in which of the two tables; `staff_given`, that the role is this app's to take back.
    """

    id: int
    learner_id: int
    course_run_id: int
    program_id: int
    status: str
    course_staff: bool
    staff_given: bool
    real: bool


RequestT = TypeVar("RequestT", bound=EnrollmentRequest)
StoredT = TypeVar("StoredT", bound=StoredProgramEnrollment | StoredCourseEnrollment)


class Touched:
    """What the changes of a chunk concern.

    - `learners`: primary keys of learners.
    - `places`: (learner, course run), with None for a change that concerns no run.
    """

    def __init__(self, changes: Iterable[Change]) -> None:
        self.places = {(change.learner_id, change.course_run_id) for change in changes}
        self.learners = {learner_id for learner_id, _ in self.places}


# Most attributes are set by few stages and for few rows, so they are defaults of the class until then: a call of 10,000
# rows makes 20,000 of these objects.
@dataclass(eq=False)
class Row(ABC, Generic[RequestT, StoredT]):
    """One row of a write.

    - `request`: what was sent; `person`: whom it names, shared by rows that name the same learner.
    - `number`: its place in the call or file.
    - `joined`: it is written together with the row before it, or not at all.
    - `stored`: the enrollment that it names, if there is one.
    - `word`: what refuses it; empty while it is good.
    - `before`: the status before the write; None if there was none. `changed`: something of ours is other than before.
    - `detail`: a sentence for people, where one is needed.
    """

    request: RequestT
    person: Person
    number: int = 0
    joined: bool = field(default=False, init=False)
    stored: StoredT | None = field(default=None, init=False)
    word: str = field(default="", init=False)
    before: str | None = field(default=None, init=False)
    changed: bool = field(default=False, init=False)
    detail: str = field(default="", init=False)

    @property
    def outcome(self) -> RowOutcome:
        """What became of the row: the word that refuses it, or else the status now stored."""
        if self.word:
            return RowOutcome(self.request.key, self.word, False, self.before, self.detail)
        return RowOutcome(self.request.key, self.request.status, True, self.before, self.detail, self.changed)

    @abstractmethod
    def is_touched_by(self, touched: Touched, learner_id: int) -> bool:
        """Whether changes of the chunk concern what the row says of this learner."""


@dataclass(eq=False)
class ProgramRow(Row[ProgramEnrollmentRequest, StoredProgramEnrollment]):
    """A row of a program write. `curriculum_id` is the curriculum to be stored, once the row is planned."""

    curriculum_id: int = field(default=0, init=False)

    def is_touched_by(self, touched: Touched, learner_id: int) -> bool:
        """Whether changes concern the learner."""
        return learner_id in touched.learners


@dataclass(eq=False)
class CourseRow(Row[CourseEnrollmentRequest, StoredCourseEnrollment]):
    """A row of a course write; `stored` is the enrollment in its course run through this program.

    - `run_id`, `course_id`: the run's primary key and course key.
    - `in_program`: the learner is in the program, in any status.
    - `is_elsewhere`, `is_active_elsewhere`: the learner has an enrollment in the run through another program; an
      active one.
    """

    run_id: int = field(kw_only=True)
    course_id: str = field(kw_only=True)
    in_program: bool = field(default=False, init=False)
    is_elsewhere: bool = field(default=False, init=False)
    is_active_elsewhere: bool = field(default=False, init=False)

    def is_touched_by(self, touched: Touched, learner_id: int) -> bool:
        """Whether changes concern the learner as such, or the learner in this run."""
        return (learner_id, None) in touched.places or (learner_id, self.run_id) in touched.places
