"""Grade books: one row per course run of a program, the lock of its frozen grades (docs/grades.rst)."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Q, QuerySet

from program_enrollments.api.transactions import in_transaction
from program_enrollments.models import GradeBook, PreemptiveCourseEnrollment, ProgramCourseEnrollment
from program_enrollments.sql.bulk import insert_rows

Place = tuple[int, int]
"""(program ID, course run ID) of a grade book."""


def find_places(*, learner_ids: Collection[int]) -> set[Place]:
    """Return the places of these learners, where a freeze could be running now."""
    return {
        place
        for model in (ProgramCourseEnrollment, PreemptiveCourseEnrollment)
        for place in model._default_manager.filter(learner_id__in=learner_ids).values_list(
            "program_id", "course_run_id"
        )
    }


def books_of(pairs: Collection[Place]) -> QuerySet[GradeBook]:
    """Return the existing grade books of these places."""
    runs_by_program: dict[int, list[int]] = {}
    for program_id, course_run_id in pairs:
        runs_by_program.setdefault(program_id, []).append(course_run_id)
    wanted = Q(pk__in=[])
    for program_id, run_ids in runs_by_program.items():
        wanted |= Q(program_id=program_id, course_run_id__in=run_ids)
    return GradeBook.objects.filter(wanted)


def make_books(*, pairs: Collection[Place]) -> None:
    """Create the grade books that are missing.

    A freeze does this in a transaction of its own: while it waits for another's insert, it must not hold locks, or the
    two could deadlock.
    """
    missing = set(pairs).difference(books_of(pairs).values_list("program_id", "course_run_id"))
    if missing:
        in_transaction(
            lambda: insert_rows(
                GradeBook, fields=("program", "course_run"), rows=sorted(missing), ignore_conflicts=True
            )
        )


def lock_books(*, pairs: Collection[Place]) -> list[GradeBook]:
    """Lock the grade books until the commit, in the one order for all callers, and return them."""
    return list(books_of(pairs).order_by("pk").select_for_update())
