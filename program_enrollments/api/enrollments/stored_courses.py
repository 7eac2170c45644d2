"""Stored course enrollments: what learners already have in course runs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from program_enrollments.api.enrollments.rows import StoredCourseEnrollment
from program_enrollments.api.learners.locks import LockedLearner
from program_enrollments.models import PreemptiveCourseEnrollment, ProgramCourseEnrollment
from program_enrollments.sql.bulk import select_rows

_make = tuple.__new__

REAL, WAITING = (True,), (False, False)
"""The last members of what is stored. They are appended by `+`, the fastest way, since there is one per row."""


def fetch_stored(
    *, course_run_ids: set[int], learners: Iterable[LockedLearner | None]
) -> Iterable[StoredCourseEnrollment]:
    """Return these learners' enrollments in these runs, through whatever program.

    Takes two statements, or one if none of them has an account.
    """
    known = {learner.id: learner for learner in learners if learner is not None}
    linked = [learner.id for learner in known.values() if learner.user_id is not None]
    fields = ("id", "learner_id", "course_run_id", "program_id", "status", "course_staff")
    # All runs of a learner are few, and a statement per run would be many.
    equal: dict[str, Any] = {"course_run": next(iter(course_run_ids))} if len(course_run_ids) == 1 else {}
    real = select_rows(
        ProgramCourseEnrollment, fields=(*fields, "course_staff_given"), among=("learner", linked), **equal
    )
    waiting = select_rows(PreemptiveCourseEnrollment, fields=fields, among=("learner", known.keys()), **equal)
    found = [
        *[_make(StoredCourseEnrollment, row + REAL) for row in real],
        *[_make(StoredCourseEnrollment, row + WAITING) for row in waiting],
    ]
    return found if equal else [row for row in found if row.course_run_id in course_run_ids]
