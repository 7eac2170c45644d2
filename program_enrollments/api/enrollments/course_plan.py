"""The plan of a course write: pure.

Rows, seats and roles are decided from what is sent and what is stored.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from program_enrollments.api.enrollments.rows import CourseRow
from program_enrollments.api.seat_rules import SeatWish
from program_enrollments.data import CourseStatus, Verb, Word
from program_enrollments.host.ports import UserCourse

STATUSES = frozenset(CourseStatus.values)


def decide(row: CourseRow, *, verb: Verb) -> str:
    """Return the word that refuses a row, the first that fits, or nothing.

    See docs/api.rst, Course enrollments.
    """
    word, status = None, row.request.status
    if row.is_active_elsewhere and status == CourseStatus.ACTIVE:
        word = Word.CONFLICT
    elif status not in STATUSES:
        word = Word.INVALID_STATUS
    elif not row.person.is_valid:
        word = Word.INVALID_IDENTITY
    elif not row.in_program:
        word = Word.NOT_IN_PROGRAM
    elif row.stored is not None and verb == Verb.CREATE:
        word = Word.CONFLICT
    elif row.stored is None and verb == Verb.UPDATE:
        word = Word.NOT_FOUND
    return "" if word is None else word.value


def wanted_staff(row: CourseRow) -> bool:
    """Return whether the learner is to be course staff. If the row does not say, the role stays as it is."""
    if row.request.course_staff is not None:
        return row.request.course_staff
    return row.stored is not None and row.stored.course_staff


def is_unchanged(row: CourseRow) -> bool:
    """Whether a row whose identity is right asks for what is stored, in the table where it belongs.

    The role of somebody with an account is not taken for given where the row asks for it: the host may have drifted.
    """
    stored, learner = row.stored, row.person.learner
    if stored is None or learner is None:
        return False
    linked = learner.user_id is not None
    return (
        stored.real == linked
        and stored.status == row.request.status
        and stored.course_staff == wanted_staff(row)
        and not (linked and row.request.course_staff)
    )


@dataclass(frozen=True, slots=True)
class SeatPlan:
    """What the host is asked for.

    `given` are the roles that are this app's to take back already.
    """

    wishes: list[SeatWish] = field(default_factory=list)
    grants: set[UserCourse] = field(default_factory=set)
    revokes: set[UserCourse] = field(default_factory=set)
    given: set[UserCourse] = field(default_factory=set)


def pair_of(row: CourseRow) -> UserCourse | None:
    """Return the user and the course run of a row, as the host's ports name them; None without an account."""
    learner = row.person.learner
    if learner is None or learner.user_id is None:
        return None
    return learner.user_id, row.course_id


def plan_seats(rows: Iterable[CourseRow], *, occupied: Collection[tuple[int, int]]) -> SeatPlan:
    """Plan seats and roles of the good rows of learners with accounts.

    `occupied` are seats (user ID and course run's primary key) that another enrollment holds too: they are not left.
    """
    plan = SeatPlan()
    for row in rows:
        pair = pair_of(row)
        if pair is None:
            continue
        is_active = row.request.status == CourseStatus.ACTIVE
        if is_active or (pair[0], row.run_id) not in occupied:
            plan.wishes.append(SeatWish(*pair, is_active))
        stored = row.stored
        if stored is not None and stored.staff_given:
            plan.given.add(pair)
        if wanted_staff(row):
            # Asked for again it is granted again: the host may have drifted.
            if row.request.course_staff or not (stored is not None and stored.real):
                plan.grants.add(pair)
        elif pair in plan.given:
            plan.revokes.add(pair)
    return plan
