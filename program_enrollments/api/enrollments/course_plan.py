"""Planning course enrollments: pure.

It turns what a chunk requests and what is stored into what is to be written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from program_enrollments.api.learners.identity import Identity
from program_enrollments.data import CourseEnrollmentRequest, CourseStatus, Verb, Word

STATUSES = frozenset(CourseStatus.values)


class StoredCourseEnrollment(NamedTuple):
    """A course enrollment as stored; `real` tells in which of the two tables.

    `staff_given`: the role is this app's to take back.
    """

    id: int
    learner_id: int
    program_id: int
    status: str
    course_staff: bool
    staff_given: bool
    real: bool


@dataclass(slots=True)
class CoursePlan:
    """What a chunk comes to.

    `words` refuses rows by number; `good` maps the others to what is stored, None where nothing is.
    """

    words: dict[int, str] = field(default_factory=dict)
    good: dict[int, StoredCourseEnrollment | None] = field(default_factory=dict)

    def refuse(self, number: int, word: str) -> None:
        """Take a row out of what is to be written."""
        self.words[number] = word
        self.good.pop(number, None)


def plan_course_enrollments(
    *,
    rows: Sequence[CourseEnrollmentRequest],
    identities: Sequence[Identity],
    learner_ids: Sequence[int | None],
    invalid: set[int],
    in_program: set[int],
    stored: Mapping[int, StoredCourseEnrollment],
    occupied_elsewhere: set[int],
    verb: Verb,
) -> CoursePlan:
    """Decide about each row of a chunk, first reason first (docs/api.rst, Course enrollments).

    `learner_ids` has None for rows that name no learner; `in_program` holds learners with an enrollment in the
    program; `stored` is by learner; `occupied_elsewhere` holds learners who are active in this run through another
    program.
    """
    plan = CoursePlan()
    for number, (row, identity, learner_id) in enumerate(zip(rows, identities, learner_ids, strict=True)):
        if row.status == CourseStatus.ACTIVE and learner_id in occupied_elsewhere:
            plan.words[number] = Word.CONFLICT.value
        elif row.status not in STATUSES:
            plan.words[number] = Word.INVALID_STATUS.value
        elif not identity.valid or number in invalid:
            plan.words[number] = Word.INVALID_IDENTITY.value
        elif learner_id is None or learner_id not in in_program:
            plan.words[number] = Word.NOT_IN_PROGRAM.value
        elif learner_id in stored and verb == Verb.CREATE:
            plan.words[number] = Word.CONFLICT.value
        elif learner_id not in stored and verb == Verb.UPDATE:
            plan.words[number] = Word.NOT_FOUND.value
        else:
            plan.good[number] = stored.get(learner_id)
    return plan


def wanted_staff(*, row: CourseEnrollmentRequest, stored: StoredCourseEnrollment | None) -> bool:
    """Return whether the learner is to be course staff.

    The row decides; if it says nothing, the role stays as it is.
    """
    if row.course_staff is not None:
        return row.course_staff
    return stored.course_staff if stored is not None else False


def is_unchanged(*, row: CourseEnrollmentRequest, stored: StoredCourseEnrollment | None, linked: bool) -> bool:
    """Whether a row asks for what is stored, in the table where it belongs.

    The role of somebody with an account is not taken for given where the row asks for it: the host may have drifted.
    """
    return (
        stored is not None
        and stored.real == linked
        and stored.status == row.status
        and stored.course_staff == wanted_staff(row=row, stored=stored)
        and not (linked and row.course_staff)
    )
