"""Selections: learners of a program who were chosen one by one, and get a status together."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from program_enrollments.api.access import Reach
from program_enrollments.api.enrollments.courses import write_course_enrollments
from program_enrollments.api.enrollments.programs import write_program_enrollments
from program_enrollments.data import (
    CourseEnrollmentRequest,
    Origin,
    ProgramEnrollmentRequest,
    RowOutcome,
    Verb,
)
from program_enrollments.models import CourseRun, Learner, Program


@dataclass(frozen=True, slots=True)
class SelectedOutcome:
    """What became of a chosen learner, or would in a dry run."""

    learner_id: int
    student_key: str
    outcome: RowOutcome


def change_selected(
    *,
    program: Program,
    learner_ids: Collection[int],
    status: str,
    origin: Origin,
    course_run: CourseRun | None = None,
    course_staff: bool | None = None,
    cascade: bool = False,
    identity_reach: Callable[[], Reach] | None = None,
    dry_run: bool = False,
    now: datetime | None = None,
) -> list[SelectedOutcome]:
    """Change the status of learners in the program, or in a course run of it. Return one outcome each.

    Learners of other schools are left out; the words are those of any write (`data.Word`). Raises
    what the writes raise.
    """
    learners = list(
        Learner.objects.filter(school_id=program.school_id, pk__in=learner_ids)
        .order_by("pk")
        .values_list("pk", "student_key", "email")
    )
    # A learner is named by the student ID, or lacking one by the address.
    named = [(str(pk), student_key, "" if student_key else email) for pk, student_key, email in learners]
    if course_run is None:
        outcomes = write_program_enrollments(
            program=program,
            rows=[ProgramEnrollmentRequest(*name, status) for name in named],
            verb=Verb.UPDATE,
            origin=origin,
            cascade=cascade,
            identity_reach=identity_reach,
            allow_pseudonyms=True,
            dry_run=dry_run,
            now=now,
        )
    else:
        outcomes = write_course_enrollments(
            program=program,
            course_run=course_run,
            rows=[CourseEnrollmentRequest(*name, status, course_staff) for name in named],
            verb=Verb.UPDATE,
            origin=origin,
            identity_reach=identity_reach,
            allow_pseudonyms=True,
            dry_run=dry_run,
            now=now,
        )
    return [
        SelectedOutcome(pk, student_key or email, outcome)
        for (pk, student_key, email), outcome in zip(learners, outcomes, strict=True)
    ]
