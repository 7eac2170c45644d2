"""Recorded changes by the names that outsiders know: UUIDs of programs, course keys, accounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from program_enrollments.data import Change
from program_enrollments.models import CourseRun, Learner, Program


@dataclass(frozen=True, slots=True)
class DescribedChange:
    """A change without anything that names a person. `user_id` is None while the learner has no account."""

    kind: str
    learner_id: int
    user_id: int | None
    program_uuid: UUID
    course_id: str
    before: str | None
    after: str | None


def describe_recorded_changes(*, changes: Sequence[Change]) -> list[DescribedChange]:
    """Describe the changes of programs among `changes`, in their order, in three statements.

    Accounts are those of this moment. Changes of programs, learners and runs that are gone meanwhile are left out.
    """
    uuids = dict(Program.objects.filter(pk__in={one.program_id for one in changes}).values_list("pk", "uuid"))
    users = dict(Learner.objects.filter(pk__among={one.learner_id for one in changes}).values_list("pk", "user_id"))
    run_ids = {one.course_run_id for one in changes if one.course_run_id is not None}
    courses: dict[int | None, str] = {None: ""}
    courses.update(CourseRun.objects.filter(pk__in=run_ids).values_list("pk", "course_id"))
    return [
        DescribedChange(
            kind=one.kind,
            learner_id=one.learner_id,
            user_id=users[one.learner_id],
            program_uuid=uuids[one.program_id],
            course_id=courses[one.course_run_id],
            before=one.before,
            after=one.after,
        )
        for one in changes
        if one.program_id in uuids and one.learner_id in users and one.course_run_id in courses
    ]
