"""Grade books: one row a course run of a program, the lock of all who change its frozen grades.

See docs/grades.rst.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Q, QuerySet

from program_enrollments.api.transactions import in_transaction
from program_enrollments.models import GradeBook, PreemptiveCourseEnrollment, ProgramCourseEnrollment
from program_enrollments.sql.bulk import insert_rows

Place = tuple[int, int]
"""(program ID, course run ID): what a grade book is for."""


def find_places(*, learner_ids: Collection[int]) -> set[Place]:
    """Return where these learners could be in a freeze that runs just now."""
    return {
        place
        for model in (ProgramCourseEnrollment, PreemptiveCourseEnrollment)
        for place in model._default_manager.filter(learner_id__in=learner_ids).values_list(
            "program_id", "course_run_id"
        )
    }


def books_of(pairs: Collection[Place]) -> QuerySet[GradeBook]:
    """Return the grade books of these places, as far as they were made."""
    runs_by_program: dict[int, list[int]] = {}
    for program_id, course_run_id in pairs:
        runs_by_program.setdefault(program_id, []).append(course_run_id)
    wanted = Q(pk__in=[])
    for program_id, run_ids in runs_by_program.items():
        wanted |= Q(program_id=program_id, course_run_id__in=run_ids)
    return GradeBook.objects.filter(wanted)


def make_books(*, pairs: Collection[Place]) -> None:
    """Make the grade books that are missing.

    A freeze does it in a transaction of its own: one that waits for another's insert must not hold locks already, or
    the two could end in a deadlock.
    """
    missing = set(pairs).difference(books_of(pairs).values_list("program_id", "course_run_id"))
    if missing:
        in_transaction(
            lambda: insert_rows(
                GradeBook, fields=("program", "course_run"), rows=sorted(missing), ignore_conflicts=True
            )
        )


def lock_books(*, pairs: Collection[Place]) -> list[GradeBook]:
    """Return the grade books, locked until the commit, in the one order in which everybody locks them."""
    return list(books_of(pairs).order_by("pk").select_for_update())
