"""The look-up of a learner, which answers "why isn't this student in?" (docs/api.rst, Learners)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Model, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from program_enrollments.api.reads.change_entries import tell_changes
from program_enrollments.api.reads.course_staff import fetch_roles
from program_enrollments.api.reads.keeps import describe_keeps
from program_enrollments.api.seat_rules import differs
from program_enrollments.data import LearnerProblem, LinkState, Seat
from program_enrollments.exceptions import LearnerDoesNotExist
from program_enrollments.host import get_host
from program_enrollments.host.checked_host import UNUSABLE_FAILURE, Seats
from program_enrollments.host.deadline import limited
from program_enrollments.models import (
    CourseRun,
    Learner,
    LedgerEntry,
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
    Program,
    ProgramCourseEnrollment,
    ProgramEnrollment,
)
from program_enrollments.normalization import MAX_IDENTITY_LENGTH, normalize_identity

LAST_CHANGES = 10


class Course(NamedTuple):
    """A course enrollment, real or preemptive; only a preemptive one has a problem."""

    course_id: str
    status: str
    course_staff: bool
    real: bool
    problem: dict[str, Any] | None


class Found(NamedTuple):
    """A learner of a program, with the program enrollment and the course enrollments by course key."""

    learner: Learner
    enrollment: dict[str, Any] | None
    courses: Sequence[Course]


def look_up_learner(*, program: Program, name: str = "", student_key: str = "", email: str = "") -> dict[str, Any]:
    """Return the learner of `program` as docs/api.rst (Learners) shows one.

    Name the learner by one or more of these; each must fit:

    - `student_key`: a student ID, or the address of a learner without one, as in lists;
    - `email`: an address that the school gave;
    - `name`: a student ID or an address; a learner with that student ID is preferred.

    Raises LearnerDoesNotExist for learners without an enrollment in this program or in a course run through it. The
    number of statements is constant.
    """
    candidates = _candidates(school_id=program.school_id, name=name, student_key=student_key, email=email)
    return _describe(program, _find_in_program(program=program, candidates=candidates))


def get_learner(*, program: Program, learner_id: int, last_changes: int = LAST_CHANGES) -> dict[str, Any]:
    """Return the learner of `program` with this primary key, with what only pages show.

    Beside the members of `look_up_learner` these are `learner_id`, `problem` (a value of `LearnerProblem` or ""), and
    `title` and `url` of each course run. Raises LearnerDoesNotExist.
    """
    candidates = list(Learner.objects.filter(school_id=program.school_id, pk=learner_id))
    found = _find_in_program(program=program, candidates=candidates)
    described = _describe(program, found, last_changes=last_changes)
    runs = CourseRun.objects.filter(course_id__in=[course.course_id for course in found.courses])
    shown = {run.course_id: run for run in runs}
    return {
        **described,
        "learner_id": found.learner.pk,
        "problem": found.learner.problem_code,
        "course_enrollments": [
            {**course, "title": shown[course["course_id"]].title, "url": shown[course["course_id"]].url}
            for course in described["course_enrollments"]
        ],
    }


def _describe(program: Program, found: Found, *, last_changes: int = LAST_CHANGES) -> dict[str, Any]:
    learner = found.learner
    user: Any = learner.user
    found_seats = _fetch_seats(learner=learner, courses=found.courses)
    seats = {seat.course_id: seat for seat in found_seats}
    unusable = {course_id for _, course_id in found_seats.unusable}
    user_id = learner.user_id
    roles = fetch_roles(
        user_ids=[] if user_id is None else [user_id], course_ids={course.course_id for course in found.courses}
    )
    keeps = describe_keeps(program_id=program.pk, learner_id=learner.pk)
    # Entries of this program or of none. The condition can use the learner's index alone, since the program's is long.
    entries = LedgerEntry.objects.alias(of=Coalesce("program_id", Value(program.pk))).filter(
        learner_id=learner.pk, of=program.pk
    )
    return {
        "student_key": learner.display_key,
        "email": (getattr(user, user.get_email_field_name(), "") if user else "") or learner.email,
        "link": _link(learner),
        "username": user.get_username() if user else "",
        "program_enrollment": {**found.enrollment, "keep": keeps.get(None)} if found.enrollment is not None else None,
        "course_enrollments": [
            {
                "course_id": course.course_id,
                "status": course.status,
                "real": course.real,
                "course_staff": roles.show(user_id=user_id, course_id=course.course_id, wish=course.course_staff),
                "host": _seat(seats.get(course.course_id)),
                "drift": _drifts(user_id, course, seats.get(course.course_id), unusable),
                "problem": course.problem or _unusable(course.course_id, unusable),
                "keep": keeps.get(course.course_id),
            }
            for course in found.courses
        ],
        "changes": [change for _, change in tell_changes(entries=entries.order_by("-pk")[:last_changes])],
    }


def _candidates(*, school_id: int, name: str, student_key: str, email: str) -> list[Learner]:
    """Return the school's learners with these names, matches by student ID first. One statement.

    It is a union of two look-ups, each in a column with an index. With both columns in one condition, or with the
    accounts joined, SQLite reads the whole school once its tables are analyzed and few learners have an address.
    """
    given = [value for value in (name, student_key, email) if value]
    if not given or any("\x00" in value or len(value) > MAX_IDENTITY_LENGTH for value in given):
        raise LearnerDoesNotExist
    learners = Learner.objects.filter(school_id=school_id).order_by()
    address, keys = normalize_identity(email), [normalize_identity(value) for value in (student_key, name) if value]
    named = learners.filter(email_normalized=keys[0] if keys else address)
    if keys:
        named = named.union(learners.filter(student_key_normalized=keys[0]), all=True)
    found = {learner.pk: learner for learner in named}
    # Checked here, because with these conditions MariaDB would read every learner without a student ID.
    fitting = [
        learner
        for learner in found.values()
        if (not email or learner.email_normalized == address)
        and all(key in (learner.student_key_normalized, learner.email_normalized) for key in keys)
        and (not student_key or keys[0] == (learner.student_key_normalized or learner.email_normalized))
    ]
    return sorted(fitting, key=lambda learner: not keys or learner.student_key_normalized != keys[0])


def _find_in_program(*, program: Program, candidates: Sequence[Learner]) -> Found:
    """Return the first of `candidates` who has any enrollment through the program. Four statements."""
    if not candidates:
        raise LearnerDoesNotExist
    where = {"program": program, "learner__in": candidates}
    enrollments = _program_enrollments(ProgramEnrollment, where, real=True)
    enrollments |= _program_enrollments(PreemptiveProgramEnrollment, where, real=False)
    courses = [*_real_courses(where), *_preemptive_courses(where)]
    for learner in candidates:
        own = [course for learner_id, course in courses if learner_id == learner.pk]
        if learner.pk in enrollments or own:
            return Found(learner, enrollments.get(learner.pk), sorted(own, key=lambda course: course.course_id))
    raise LearnerDoesNotExist


def _program_enrollments(model: type[Model], where: Mapping[str, Any], *, real: bool) -> dict[int, dict[str, Any]]:
    rows = model._default_manager.filter(**where).values_list(
        "learner_id", "status", "curriculum__uuid", "created", "modified"
    )
    return {
        learner_id: {
            "status": status,
            "curriculum_uuid": str(curriculum_uuid),
            "real": real,
            "created": created,
            "modified": modified,
        }
        for learner_id, status, curriculum_uuid, created, modified in rows
    }


def _real_courses(where: Mapping[str, Any]) -> list[tuple[int, Course]]:
    rows: QuerySet[ProgramCourseEnrollment, Any] = ProgramCourseEnrollment.objects.filter(**where).values_list(
        "learner_id", "course_run__course_id", "status", "course_staff"
    )
    return [(learner_id, Course(course_id, status, staff, True, None)) for learner_id, course_id, status, staff in rows]


def _preemptive_courses(where: Mapping[str, Any]) -> list[tuple[int, Course]]:
    rows: QuerySet[PreemptiveCourseEnrollment, Any] = PreemptiveCourseEnrollment.objects.filter(**where).values_list(
        "learner_id",
        "course_run__course_id",
        "status",
        "course_staff",
        "problem_code",
        "problem_detail",
        "tries",
        "last_tried",
    )
    return [
        (learner_id, Course(course_id, status, staff, False, _problem(*problem)))
        for learner_id, course_id, status, staff, *problem in rows
    ]


def _problem(code: str, detail: str, tries: int, last_tried: datetime | None) -> dict[str, Any] | None:
    return {"code": code, "detail": detail, "tries": tries, "last_tried": last_tried} if code else None


def _unusable(course_id: str, unusable: Collection[str]) -> dict[str, Any] | None:
    code, detail, _permanent = UNUSABLE_FAILURE
    return _problem(code, detail, 0, None) if course_id in unusable else None


def _fetch_seats(*, learner: Learner, courses: Sequence[Course]) -> Seats:
    """Return the host's seats of a linked learner, with one call of the host."""
    if learner.user_id is None or not courses:
        return Seats()
    course_ids = {course.course_id for course in courses}
    with limited("CALL_HOST_SECONDS"):
        return get_host().course_enrollments.fetch_seats(user_ids=[learner.user_id], course_ids=course_ids)


def _drifts(user_id: int | None, course: Course, seat: Seat | None, unusable: Collection[str]) -> bool:
    """Return whether the host's seat is not as this real enrollment wants it: somebody changed it there."""
    if user_id is None or not course.real or course.course_id in unusable:
        return False
    return differs(user_id=user_id, course_id=course.course_id, status=course.status, seat=seat)


def _seat(seat: Seat | None) -> dict[str, Any] | None:
    return {"is_active": seat.is_active, "mode": seat.mode} if seat else None


def _link(learner: Learner) -> dict[str, Any]:
    """Return the state of the link. `at` is the time of the link, or else of the problem.

    `detail` is None if nothing is wrong.
    """
    linked = learner.user_id is not None
    return {
        "state": learner.link_state,
        "how": learner.link_how or None,
        "at": learner.linked_at if linked else learner.problem_at,
        "detail": _detail(learner),
    }


def _detail(learner: Learner) -> str | None:
    if learner.problem_code == LearnerProblem.REALIZING_FAILED:
        return _("The enrollments could not be made real. The next sign-in tries again, and so does the sweep.")
    if learner.problem_code:
        return learner.problem_detail
    if learner.link_state == LinkState.LINKED:
        return None
    if not learner.student_key:
        return _("No account has confirmed this e-mail address yet.")
    if not learner.email:
        return _("Nobody has signed in through the school with this student ID yet.")
    return _("Nobody has signed in through the school with this student ID yet, or confirmed this e-mail address.")
