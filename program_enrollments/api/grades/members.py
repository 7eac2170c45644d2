"""Members: the learners with accounts in a course run through a program."""

from __future__ import annotations

from typing import Any, NamedTuple

from program_enrollments.api.reads.cursors import Cursor, fetch_page
from program_enrollments.models import CourseRun, Program, ProgramCourseEnrollment


class GatheredLearner(NamedTuple):
    """A learner with an account, and their `student_key` in answers."""

    learner_id: int
    student_key: str
    user_id: int


class GatheredPage(NamedTuple):
    """Learners in the order of their IDs, and the cursors of the neighbouring pages."""

    learners: list[GatheredLearner]
    next_cursor: str | None
    previous_cursor: str | None


def gather_page(*, program: Program, course_run: CourseRun, cursor: str | None, page_size: int) -> GatheredPage:
    """Return a page of learners. One statement. Raises BadCursor."""

    def read(place: Cursor, limit: int) -> list[tuple[int, GatheredLearner]]:
        beyond = {"learner_id__lt" if place.backward else "learner_id__gt": place.key}
        learners = _learners(program, course_run, limit, backward=place.backward, **beyond)
        return [(learner.learner_id, learner) for learner in learners]

    # The caller fetches the host's data for the whole page at once before rendering, so the rows stay unchanged here.
    page = fetch_page(read=read, cursor=cursor, page_size=page_size, render=lambda learner: {"learner": learner})
    return GatheredPage([row["learner"] for row in page.rows], page.next_cursor, page.previous_cursor)


def gather_all(*, program: Program, course_run: CourseRun) -> list[GatheredLearner]:
    """Return all learners. One statement."""
    return _learners(program, course_run, None)


def _learners(
    program: Program, course_run: CourseRun, limit: int | None, *, backward: bool = False, **conditions: Any
) -> list[GatheredLearner]:
    # Active or not: a grade earned before a learner left is still theirs.
    rows = ProgramCourseEnrollment.objects.filter(
        program=program, course_run=course_run, learner__user__isnull=False, **conditions
    ).order_by("-learner_id" if backward else "learner_id")
    columns = rows.values_list("learner_id", "learner__student_key", "learner__email", "learner__user_id")
    return [
        GatheredLearner(learner_id, student_key or email, user_id)
        for learner_id, student_key, email, user_id in columns[:limit]
    ]
