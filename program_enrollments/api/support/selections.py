"""Selections: learners of a program who get a status together, chosen one by one or by a filter."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_noop

from program_enrollments.api.access import Reach
from program_enrollments.api.enrollments.courses import write_course_enrollments
from program_enrollments.api.enrollments.programs import write_program_enrollments
from program_enrollments.api.reads.course_list import fetch_run_titles
from program_enrollments.api.rosters import fetch_filtered
from program_enrollments.conf import get_setting
from program_enrollments.data import (
    CourseEnrollmentRequest,
    LearnerFilters,
    Origin,
    ProgramEnrollmentRequest,
    RowOutcome,
    Verb,
)
from program_enrollments.exceptions import StaleEffects
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
        Learner.objects.filter(school_id=program.school_id, pk__among=learner_ids)
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


CHANGED_SINCE = gettext_noop(
    "The list has changed since you looked at it. Nothing was changed. Look at the preview again."
)


@dataclass(frozen=True, slots=True)
class FilteredChange:
    """What became of everybody whom a filter finds, or would in a dry run.

    `digest` names whom it found, and in which status: the write that follows a preview takes it back. `courses` are key
    and title of the course runs by which the program's list can be filtered; that of a course run has none.
    """

    outcomes: list[SelectedOutcome]
    digest: str
    courses: list[tuple[str, str]]


def change_filtered(
    *,
    program: Program,
    filters: LearnerFilters,
    status: str,
    origin: Origin,
    course_run: CourseRun | None = None,
    cascade: bool = False,
    identity_reach: Callable[[], Reach] | None = None,
    expected: str | None = None,
    now: datetime | None = None,
) -> FilteredChange:
    """Change the status of everybody whom the filters find in the program, or in a course run of it.

    Without `expected` it is a dry run. With the digest of one, the same people in the same statuses have to be found
    again, and only they are written. Raises StaleEffects if others are found, TooManyRows for more than `MAX_ROWS`, and
    what the writes raise.
    """
    found = fetch_filtered(program=program, filters=filters, course_run=course_run, limit=get_setting("MAX_ROWS"))
    digest = _digest(found, status=status, cascade=cascade)
    if expected is not None and expected != digest:
        raise StaleEffects(CHANGED_SINCE)
    outcomes = change_selected(
        program=program,
        course_run=course_run,
        learner_ids=[learner_id for learner_id, _ in found],
        status=status,
        origin=origin,
        cascade=cascade,
        identity_reach=identity_reach,
        dry_run=expected is None,
        now=now,
    )
    return FilteredChange(outcomes, digest, fetch_run_titles(program=program) if course_run is None else [])


def _digest(found: Sequence[tuple[int, str]], *, status: str, cascade: bool) -> str:
    return hashlib.sha256(json.dumps([found, status, cascade]).encode()).hexdigest()
