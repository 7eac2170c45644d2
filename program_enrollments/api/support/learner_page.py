"""The page of one learner for support staff.

It has the enrollments in every program, real or waiting, with their problems, the host's seats, and the last changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, Model

from program_enrollments.api.account_names import fetch_usernames
from program_enrollments.api.reads.course_staff import fetch_roles
from program_enrollments.api.seat_rules import differs
from program_enrollments.api.support.change_wording import find_named_accounts, word_change
from program_enrollments.conf import get_setting
from program_enrollments.data import CourseStatus, LinkHow, ProgramStatus, Seat, Source
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

    `status` is the label; `real` is False for one that waits for an account. `row_id` is the primary key in the table
    of real or of waiting enrollments.
    """

    row_id: int
    program_id: int
    program: str
    curriculum: str
    status: str
    real: bool
    modified: datetime


@dataclass(frozen=True, slots=True)
class PresentedCourse:
    """A learner's enrollment in a course run.

    `seat` is the host's, or None; with `drift`, somebody changed it there. `course_staff` is the host's, too, if the
    learner has an account. `problem` is the reason why a linked learner still waits, or "". If `given_up`, it is not
    tried again automatically. `row_id` is as above.
    """

    row_id: int
    program_id: int
    course_run_id: int
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
    drift: bool = False


@dataclass(frozen=True, slots=True)
class PresentedEntry:
    """An entry of the ledger, in words (`change_wording`).

    `actor` is the present username, or "" if nobody acted or the account is gone.
    """

    entry_id: int
    at: datetime
    what: str
    before: str
    after: str
    program: str
    course_id: str
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

    @property
    def refusals(self) -> list[str]:
        """Why the host refused what is not tried any more, each reason once."""
        return list(dict.fromkeys(course.problem for course in self.courses if course.given_up))


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
        "pk", "program_id", "program__title", "curriculum__name", "curriculum__uuid", "status", "modified"
    )
    return [
        PresentedProgram(pk, program_id, title, name or str(uuid), str(ProgramStatus(status).label), real, modified)
        for pk, program_id, title, name, uuid, status, modified in rows
    ]


def _courses(*, learner: Learner) -> list[PresentedCourse]:
    fields = (
        "program__title",
        "course_run__course_id",
        "pk",
        "program_id",
        "course_run_id",
        "status",
        "course_staff",
        "modified",
    )
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
            row_id=pk,
            program_id=program_id,
            course_run_id=run_id,
            program=title,
            course_id=course_id,
            drift=number < real_count
            and user_id is not None
            and differs(user_id=user_id, course_id=course_id, status=status, seat=seats.get(course_id)),
            status=str(CourseStatus(status).label),
            real=number < real_count,
            course_staff=roles.show(user_id=user_id, course_id=course_id, wish=course_staff),
            seat=seats.get(course_id),
            problem=problem,
            tries=tries,
            last_tried=last_tried,
            given_up=user_id is not None and refusals >= limit,
            modified=modified,
        )
        for number, (
            title,
            course_id,
            pk,
            program_id,
            run_id,
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
    entries = list(
        LedgerEntry.objects.filter(learner=learner)
        .order_by("-pk")
        .annotate(title=F("program__title"), course_id=F("course_run__course_id"))[:LAST_ENTRIES]
    )
    named = find_named_accounts(value for entry in entries for value in (entry.before, entry.after))
    actors = {entry.actor_id for entry in entries if entry.actor_id is not None}
    names = fetch_usernames(user_ids=named | actors)
    return [
        PresentedEntry(
            entry.pk,
            entry.at,
            *word_change(kind=entry.kind, before=entry.before, after=entry.after, names=names),
            program=entry.title or "",
            course_id=entry.course_id or "",
            source=str(Source(entry.source).label) if entry.source in Source.values else entry.source,
            actor=names.get(entry.actor_id or 0, ""),
            reason=entry.reason,
        )
        for entry in entries
    ]
