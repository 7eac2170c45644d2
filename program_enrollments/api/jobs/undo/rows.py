"""Rows of an undo: one value per staged row, on which each stage of a chunk writes."""

from __future__ import annotations

from dataclasses import dataclass, field

from program_enrollments.api.enrollments.rows import StoredCourseEnrollment, StoredProgramEnrollment
from program_enrollments.api.jobs.outcomes import Outcome
from program_enrollments.api.jobs.staging import Staged
from program_enrollments.api.jobs.undo.trace import Place, Trace
from program_enrollments.api.learners.locks import LockedLearner
from program_enrollments.data import FileWord


@dataclass(eq=False)
class UndoRow:
    """An enrollment that is put back, or if `place` is None a learner whose identity alone is.

    - `staged`: whom and where; `learner`, `trace`: who that is, locked, and what the undone job did to them.
    - `stored`: the enrollment as it is now. In a row without a course run, that in the program.
    - `word`: what becomes of it, with `refused`, `changed` and `detail`; `after`: the status then.
    - `is_gone`: the enrollment is deleted.
    """

    staged: Staged
    learner: LockedLearner
    trace: Trace
    stored: StoredProgramEnrollment | StoredCourseEnrollment | None = field(default=None, init=False)
    word: str = field(default="", init=False)
    refused: bool = field(default=False, init=False)
    changed: bool = field(default=False, init=False)
    detail: str = field(default="", init=False)
    after: str | None = field(default=None, init=False)
    is_gone: bool = field(default=False, init=False)

    @property
    def place(self) -> Place | None:
        """What the undone job did to the enrollment."""
        return self.trace.places.get(self.staged.course_run_id)

    @property
    def before(self) -> str | None:
        """The status as it is before the undo."""
        return None if self.stored is None else self.stored.status

    def leave(self, word: str, detail: str = "", *, refused: bool = False) -> None:
        """Leave the enrollment as it is."""
        self.word, self.detail, self.refused, self.after = word, detail, refused, self.before

    def leave_changed(self, detail: str) -> None:
        """Leave the enrollment as it is, because of what happened since the undone job."""
        self.leave(FileWord.CHANGED_SINCE.value, detail, refused=True)

    def keep_identity(self, reason: str) -> None:
        """Leave the ID or the address as it is.

        A row about nothing else is refused then, unless the other one of them comes back.
        """
        self.add_detail(reason)
        if self.place is None:
            self.word, self.refused = FileWord.CHANGED_SINCE.value, True

    def add_detail(self, sentence: str) -> None:
        """Say more about the row."""
        self.detail = f"{self.detail} {sentence}".strip()

    @property
    def outcome(self) -> Outcome:
        """What became of the row."""
        return Outcome(
            self.staged._replace(student_key=self.learner.display_key),
            self.word,
            refused=self.refused,
            changed=self.changed,
            before=self.before,
            after=self.after,
            detail=self.detail,
        )
