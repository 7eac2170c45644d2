"""Statuses that support staff change by hand, through the same pipeline as every other write."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar
from uuid import UUID

from program_enrollments.api.enrollments.courses import write_course_enrollments
from program_enrollments.api.enrollments.programs import write_program_enrollments
from program_enrollments.api.pieces import cut
from program_enrollments.conf import get_setting
from program_enrollments.data import (
    CourseEnrollmentRequest,
    Origin,
    ProgramEnrollmentRequest,
    RowOutcome,
    Verb,
)
from program_enrollments.models import CourseRun, Learner, PreemptiveProgramEnrollment, Program, ProgramEnrollment

R = TypeVar("R")


class ProgramPlace(NamedTuple):
    """A learner's place in a program, real or not, by primary keys."""

    program_id: int
    learner_id: int


class CoursePlace(NamedTuple):
    """A learner's place in a course run through a program, real or not, by primary keys."""

    program_id: int
    course_run_id: int
    learner_id: int


def change_program_statuses(
    *,
    places: Collection[ProgramPlace],
    status: str,
    origin: Origin,
    cascade: bool = False,
    now: datetime | None = None,
) -> list[RowOutcome]:
    """Change the status of these places in programs, and return their outcomes.

    With `cascade`, a leaving status also ends course enrollments there. There is one outcome per place whose learner
    and program still exist. Its key is the learner's primary key, and its words are those of any write (`data.Word`).
    Each program is one write, or several if it has more than `MAX_ROWS` places.
    """
    identities = _identities(learner_ids={place.learner_id for place in places})
    by_program: dict[int, list[int]] = defaultdict(list)
    for program_id, learner_id in sorted(set(places)):
        if learner_id in identities:
            by_program[program_id].append(learner_id)
    outcomes: list[RowOutcome] = []
    for program in Program.objects.filter(pk__in=by_program).order_by("pk"):
        curricula = _curricula(program_id=program.pk, learner_ids=by_program[program.pk])
        rows = [
            ProgramEnrollmentRequest(str(learner_id), *identities[learner_id], status, curricula.get(learner_id))
            for learner_id in by_program[program.pk]
        ]
        for part in _parts(rows):
            outcomes += write_program_enrollments(
                program=program,
                rows=part,
                verb=Verb.UPDATE,
                origin=origin,
                cascade=cascade,
                allow_pseudonyms=True,
                now=now,
            )
    return outcomes


def change_course_statuses(
    *,
    places: Collection[CoursePlace],
    status: str,
    origin: Origin,
    course_staff: bool | None = None,
    now: datetime | None = None,
) -> list[RowOutcome]:
    """Change the status of these places in course runs, and the course staff role unless it is None.

    Returns outcomes as above. Each course run of a program is one write, or several, as above.
    """
    identities = _identities(learner_ids={place.learner_id for place in places})
    by_run: dict[tuple[int, int], list[int]] = defaultdict(list)
    for program_id, course_run_id, learner_id in sorted(set(places)):
        if learner_id in identities:
            by_run[program_id, course_run_id].append(learner_id)
    programs = Program.objects.in_bulk({program_id for program_id, _ in by_run})
    course_runs = CourseRun.objects.in_bulk({course_run_id for _, course_run_id in by_run})
    outcomes: list[RowOutcome] = []
    for (program_id, course_run_id), learner_ids in by_run.items():
        if program_id not in programs or course_run_id not in course_runs:
            continue
        rows = [
            CourseEnrollmentRequest(str(learner_id), *identities[learner_id], status, course_staff)
            for learner_id in learner_ids
        ]
        for part in _parts(rows):
            outcomes += write_course_enrollments(
                program=programs[program_id],
                course_run=course_runs[course_run_id],
                rows=part,
                verb=Verb.UPDATE,
                origin=origin,
                allow_pseudonyms=True,
                now=now,
            )
    return outcomes


def _parts(rows: Sequence[R]) -> Iterator[Sequence[R]]:
    """Yield the rows in parts of at most `MAX_ROWS`, since the limit is meant for calls from outside."""
    return cut(rows, size=get_setting("MAX_ROWS"))


def _curricula(*, program_id: int, learner_ids: Collection[int]) -> dict[int, UUID]:
    """Return the curricula of these learners, which a write must name if the program has several."""
    return {
        learner_id: uuid
        for model in (ProgramEnrollment, PreemptiveProgramEnrollment)
        for learner_id, uuid in model._default_manager.filter(
            program_id=program_id, learner_id__in=learner_ids
        ).values_list("learner_id", "curriculum__uuid")
    }


def _identities(*, learner_ids: Collection[int]) -> dict[int, tuple[str, str]]:
    """Return the identity with which a row names each learner: the student ID, or else the e-mail address."""
    learners = Learner.objects.filter(pk__in=learner_ids).values_list("pk", "student_key", "email")
    return {pk: (student_key, "" if student_key else email) for pk, student_key, email in learners}
