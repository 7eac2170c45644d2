"""All enrollments of this app, page by page, for a comparison with another app's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import UUID

from program_enrollments.models import (
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
    ProgramCourseEnrollment,
    ProgramEnrollment,
)

PROGRAM_TABLES = (ProgramEnrollment, PreemptiveProgramEnrollment)
COURSE_TABLES = (ProgramCourseEnrollment, PreemptiveCourseEnrollment)


class OwnEnrollment(NamedTuple):
    """An enrollment, real or waiting.

    `student_key` is normalized; `course_id` is empty for a program enrollment.
    """

    table: str
    id: int
    program_uuid: UUID
    student_key: str
    user_id: int | None
    course_id: str


def walk_own_enrollments(*, size: int = 500) -> Iterator[list[OwnEnrollment]]:
    """Yield all enrollments, at most `size` per page, each page with one statement."""
    names = ("pk", "program__uuid", "learner__student_key_normalized", "learner__user_id")
    for model in (*PROGRAM_TABLES, *COURSE_TABLES):
        fields = (*names, "course_run__course_id") if model in COURSE_TABLES else names
        after = 0
        while True:
            rows: list[tuple[Any, ...]] = list(
                model._default_manager.filter(pk__gt=after).order_by("pk").values_list(*fields)[:size]
            )
            if not rows:
                break
            after = rows[-1][0]
            yield [
                OwnEnrollment(model._meta.db_table, pk, uuid, key or "", user_id, course[0] if course else "")
                for pk, uuid, key, user_id, *course in rows
            ]
