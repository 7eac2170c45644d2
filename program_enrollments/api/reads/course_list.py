"""Course lists: the course runs of a program, with how many are in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F

from program_enrollments.api.reads.summaries import fetch_counts
from program_enrollments.conf import get_setting
from program_enrollments.models import CourseRun, PreemptiveCourseEnrollment, Program


@dataclass(frozen=True, slots=True)
class CourseCard:
    """A course run of a program.

    `active` learners are in it, `waiting` of them have no account yet; the platform refused a seat to `refused` of
    them.
    """

    course_run: CourseRun
    active: int
    waiting: int
    refused: int
    counted_at: datetime


def fetch_run_titles(*, program: Program) -> list[tuple[str, str]]:
    """Return key and title of each course run of a program, by title, in one statement."""
    runs = CourseRun.objects.filter(curricula__program=program).distinct().values_list("course_id", "title")
    return sorted(((key, title or key) for key, title in runs), key=lambda run: (run[1].casefold(), run[0]))


def fetch_course_cards(*, program: Program, now: datetime) -> list[CourseCard]:
    """Return a program's course runs, the latest start first, those without dates last.

    The number of statements is constant.
    """
    counts = fetch_counts(program_ids=[program.pk], now=now)[program.pk]
    refused = dict(
        PreemptiveCourseEnrollment.objects.exclude(problem_code="")
        # Plus nothing: SQLite would take the index of the program's course enrollments, all of which it would read.
        .annotate(program_key=F("program_id") + 0)
        .filter(program_key=program.pk, refusals__gte=get_setting("MAX_TRIES"), learner__user__isnull=False)
        .order_by()
        .values_list("course_run_id")
        .annotate(n=Count("pk"))
    )
    runs = CourseRun.objects.filter(curricula__program=program).distinct().order_by("course_id")
    return [
        CourseCard(run, *counts.courses.get(run.pk, (0, 0)), refused.get(run.pk, 0), counts.counted_at)
        for run in sorted(runs, key=lambda run: (run.start is None, -run.start.timestamp() if run.start else 0.0))
    ]
