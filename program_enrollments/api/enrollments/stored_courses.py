"""Stored course enrollments: what learners already have in a course run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from program_enrollments.api.enrollments.course_plan import StoredCourseEnrollment
from program_enrollments.api.learners.locks import LockedLearner
from program_enrollments.data import CourseStatus
from program_enrollments.models import PreemptiveCourseEnrollment, ProgramCourseEnrollment
from program_enrollments.sql.bulk import select_rows


def fetch_stored(*, course_run_id: int, learners: Iterable[LockedLearner | None]) -> list[StoredCourseEnrollment]:
    """Return these learners' enrollments in the run, through whatever program.

    Takes two statements, or one if none of them has an account.
    """
    known = {learner.id: learner for learner in learners if learner is not None}
    linked = [learner.id for learner in known.values() if learner.user_id is not None]
    fields = ("id", "learner_id", "program_id", "status", "course_staff")
    real = select_rows(
        ProgramCourseEnrollment,
        fields=(*fields, "course_staff_given"),
        among=("learner", linked),
        course_run=course_run_id,
    )
    waiting = select_rows(
        PreemptiveCourseEnrollment, fields=fields, among=("learner", known.keys()), course_run=course_run_id
    )
    return [
        *(StoredCourseEnrollment._make((*row, True)) for row in real),
        *(StoredCourseEnrollment._make((*row, False, False)) for row in waiting),
    ]


def find_active_elsewhere(everywhere: Sequence[StoredCourseEnrollment], program_id: int) -> set[int]:
    """Return the learners who are active in the run through another program."""
    return {row.learner_id for row in everywhere if row.program_id != program_id and row.status == CourseStatus.ACTIVE}
