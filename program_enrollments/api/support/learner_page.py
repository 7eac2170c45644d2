"""The page of one learner for support staff.

It has the enrollments in every program, real or waiting, with their problems, the host's seats, and the last changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Model

from program_enrollments.api.reads.course_staff import fetch_roles
from program_enrollments.conf import get_setting
from program_enrollments.data import ChangeKind, CourseStatus, LinkHow, ProgramStatus, Seat, Source
from program_enrollments.host import get_host
from program_enrollments.models import (
    Learner,
    LedgerEntry,
    LinkClaim,
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
    ProgramCourseEnrollment,
    ProgramEnrollment,
)

LAST_ENTRIES = 10


@dataclass(frozen=True, slots=True)
class PresentedProgram:
    """A learner's enrollment in a program.

    `status` is the label; `real` is False for one that waits for an account.
    """

    program: str
    curriculum: str
    status: str
    real: bool
    modified: datetime


@dataclass(frozen=True, slots=True)
class PresentedCourse:
    """A learner's enrollment in a course run.

    `seat` is the host's, or None. `course_staff` is the host's, too, if the learner has an account. `problem` is the
    reason why a linked learner still waits, or "". If `given_up`, it is not tried again automatically.
    """

    program: str
    course_id: str
    status: str
    real: bool
    course_staff: bool
    seat: Seat | None
    problem: str
    tries: int
    last_tried: datetime | None
    given_up: bool
    modified: datetime


@dataclass(frozen=True, slots=True)
class PresentedEntry:
    """An entry of the ledger, in labels.

    `actor` is the present username, or "" if nobody acted or the account is gone.
    """

    at: datetime
    kind: str
    program: str
    course_id: str
    before: str
    after: str
    source: str
    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class PresentedClaim:
    """An account's claim on the learner that did not link them. `username` is "" if the account is gone."""

    user_id: int
    username: str
    how: str
    at: datetime
    is_open: bool


@dataclass(frozen=True, slots=True)
class PresentedLearner:
    """Everything about one learner, for support staff.

    Enrollments are in the order of their programs and course keys, the newest entries first.
    """

    programs: list[PresentedProgram]
    courses: list[PresentedCourse]
    entries: list[PresentedEntry]
    claims: list[PresentedClaim]


def present_learner(*, learner: Learner) -> PresentedLearner:
    """Return everything about a learner.

    The number of statements is constant, and there are at most two calls of the host.
    """
    programs = [
        *_programs(ProgramEnrollment, learner=learner, real=True),
        *_programs(PreemptiveProgramEnrollment, learner=learner, real=False),
    ]
    return PresentedLearner(
        programs=sorted(programs, key=lambda program: program.program),
        courses=_courses(learner=learner),
        entries=_entries(learner=learner),
        claims=_claims(learner=learner),
    )


def _claims(*, learner: Learner) -> list[PresentedClaim]:
    return [
        PresentedClaim(claim.user_id, claim.user.get_username(), str(LinkHow(claim.how).label), claim.at, claim.is_open)
        for claim in LinkClaim.objects.filter(learner=learner).select_related("user").order_by("-is_open", "-at")
    ]


def _programs(model: type[Model], *, learner: Learner, real: bool) -> list[PresentedProgram]:
    rows = model._default_manager.filter(learner=learner).values_list(
        "program__title", "curriculum__name", "curriculum__uuid", "status", "modified"
    )
    return [
        PresentedProgram(title, name or str(uuid), str(ProgramStatus(status).label), real, modified)
        for title, name, uuid, status, modified in rows
    ]


def _courses(*, learner: Learner) -> list[PresentedCourse]:
    fields = ("program__title", "course_run__course_id", "status", "course_staff", "modified")
    real = ProgramCourseEnrollment.objects.filter(learner=learner).values_list(*fields)
    waiting = PreemptiveCourseEnrollment.objects.filter(learner=learner).values_list(
        *fields, "problem_detail", "tries", "refusals", "last_tried"
    )
    rows: list[tuple[Any, ...]] = [*((*row, "", 0, 0, None) for row in real), *waiting]
    real_count = len(rows) - len(waiting)
    seats = _seats(learner=learner, course_ids=[row[1] for row in rows])
    user_id = learner.user_id
    roles = fetch_roles(user_ids=[] if user_id is None else [user_id], course_ids={row[1] for row in rows})
    limit = get_setting("MAX_TRIES")
    courses = [
        PresentedCourse(
            program=title,
            course_id=course_id,
            status=str(CourseStatus(status).label),
            real=number < real_count,
            course_staff=roles.show(user_id=user_id, course_id=course_id, wish=course_staff),
            seat=seats.get(course_id),
            problem=problem,
            tries=tries,
            last_tried=last_tried,
            given_up=refusals >= limit,
            modified=modified,
        )
        for number, (
            title,
            course_id,
            status,
            course_staff,
            modified,
            problem,
            tries,
            refusals,
            last_tried,
        ) in enumerate(rows)
    ]
    return sorted(courses, key=lambda course: (course.program, course.course_id))


def _seats(*, learner: Learner, course_ids: Sequence[str]) -> dict[str, Seat]:
    if learner.user_id is None or not course_ids:
        return {}
    seats = get_host().course_enrollments.fetch_seats(user_ids=[learner.user_id], course_ids=set(course_ids))
    return {seat.course_id: seat for seat in seats}


def _entries(*, learner: Learner) -> list[PresentedEntry]:
    rows = list(
        LedgerEntry.objects.filter(learner=learner)
        .order_by("-pk")
        .values_list(
            "at", "kind", "program__title", "course_run__course_id", "before", "after", "source", "actor_id", "reason"
        )[:LAST_ENTRIES]
    )
    actors = {row[7] for row in rows if row[7] is not None}
    users = get_user_model()._default_manager.filter(pk__in=actors) if actors else ()
    names: dict[int | None, str] = {user.pk: user.get_username() for user in users}
    return [
        PresentedEntry(
            at=at,
            kind=_label(ChangeKind, kind),
            program=title or "",
            course_id=course_id or "",
            before=before or "",
            after=after or "",
            source=_label(Source, source),
            actor=names.get(actor_id, ""),
            reason=reason,
        )
        for at, kind, title, course_id, before, after, source, actor_id, reason in rows
    ]


def _label(words: type[ChangeKind | Source], value: str) -> str:
    """Return a word's label, or the word itself if it comes from another version of the app."""
    return str(words(value).label) if value in words.values else value
