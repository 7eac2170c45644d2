"""Summaries: the counts of programs, kept for a while where counting takes long."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connections, router
from django.db.models import Count, Q

from program_enrollments.data import CourseStatus, ProgramStatus
from program_enrollments.models import (
    LedgerEntry,
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
    ProgramCourseEnrollment,
    ProgramEnrollment,
    ProgramSummary,
)

WEEKS = 12
LONG_WAIT = timedelta(days=14)
"""How long a learner waits for an account before the console says that it is long."""

SMALL = 20_000
"""Enrollments and changes that are counted anew each time: that is not felt."""

KEPT = timedelta(minutes=10)
"""How old the counts of a larger program may be."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What was counted of a program at `counted_at`.

    `waiting` of the `enrolled` have no account yet, `waiting_long` of those since more than two weeks. `weeks` are the
    changes in each of the last twelve weeks, the current one last. `courses` are the active learners of course runs,
    and how many of them wait, by primary key.
    """

    counted_at: datetime
    enrolled: int = 0
    waiting: int = 0
    waiting_long: int = 0
    everybody: int = 0
    weeks: tuple[int, ...] = (0,) * WEEKS
    courses: dict[int, tuple[int, int]] = field(default_factory=dict)


def fetch_counts(*, program_ids: Collection[int], now: datetime) -> dict[int, Counts]:
    """Return the counts of programs, in one statement and seven more if any of them has to be counted."""
    kept = {one.pk: one for one in ProgramSummary.objects.filter(pk__in=program_ids)}
    stale = [pk for pk in program_ids if pk not in kept or _is_stale(kept[pk], now=now)]
    counts = {pk: _read(one) for pk, one in kept.items()}
    if stale:
        fresh = _count(program_ids=stale, now=now)
        _keep(fresh.items())
        counts |= fresh
    return counts


def _is_stale(summary: ProgramSummary, *, now: datetime) -> bool:
    counts = summary.counts
    is_small = counts["everybody"] + sum(counts["weeks"]) <= SMALL
    # One from the future was kept by a clock that went wrong.
    return is_small or not now - KEPT < summary.counted_at <= now


def _read(summary: ProgramSummary) -> Counts:
    stored = dict(summary.counts)
    courses = {int(pk): (active, waiting) for pk, (active, waiting) in stored.pop("courses").items()}
    return Counts(summary.counted_at, weeks=tuple(stored.pop("weeks")), courses=courses, **stored)


def _keep(counts: Iterable[tuple[int, Counts]]) -> None:
    connection = connections[router.db_for_write(ProgramSummary)]
    has_target = connection.features.supports_update_conflicts_with_target
    ProgramSummary.objects.bulk_create(
        [
            ProgramSummary(
                program_id=pk,
                counted_at=one.counted_at,
                counts={
                    "enrolled": one.enrolled,
                    "waiting": one.waiting,
                    "waiting_long": one.waiting_long,
                    "everybody": one.everybody,
                    "weeks": one.weeks,
                    "courses": one.courses,
                },
            )
            for pk, one in counts
        ],
        update_conflicts=True,
        update_fields=["counted_at", "counts"],
        unique_fields=["program"] if has_target else None,
    )


def _count(*, program_ids: Collection[int], now: datetime) -> dict[int, Counts]:
    """Count programs: five statements that read all enrollments, and the changes of twelve weeks."""
    enrolled = Q(status=ProgramStatus.ENROLLED)
    place: dict[str, Any] = {"program_id__in": program_ids}
    real = _by_program(ProgramEnrollment.objects.filter(**place), everybody=Count("pk"), n=Count("pk", filter=enrolled))
    waiting = _by_program(
        PreemptiveProgramEnrollment.objects.filter(**place),
        everybody=Count("pk"),
        n=Count("pk", filter=enrolled),
        long=Count("pk", filter=enrolled & Q(created__lt=now - LONG_WAIT)),
    )
    weeks = _by_program(
        LedgerEntry.objects.filter(**place, at__gte=now - timedelta(weeks=WEEKS)),
        **{f"w{number}": Count("pk", filter=_in_week(number, now=now)) for number in range(WEEKS)},
    )
    courses: dict[int, dict[int, tuple[int, int]]] = defaultdict(dict)
    for model in (ProgramCourseEnrollment, PreemptiveCourseEnrollment):
        rows = model._default_manager.filter(**place, status=CourseStatus.ACTIVE).order_by()
        for pk, run_id, n in rows.values_list("program_id", "course_run_id").annotate(n=Count("pk")):
            active, waits = courses[pk].get(run_id, (0, 0))
            courses[pk][run_id] = (active + n, waits + (n if model is PreemptiveCourseEnrollment else 0))
    return {
        pk: Counts(
            counted_at=now,
            enrolled=real[pk]["n"] + waiting[pk]["n"],
            waiting=waiting[pk]["n"],
            waiting_long=waiting[pk]["long"],
            everybody=real[pk]["everybody"] + waiting[pk]["everybody"],
            weeks=tuple(weeks[pk][f"w{number}"] for number in range(WEEKS)),
            courses=courses[pk],
        )
        for pk in program_ids
    }


def _by_program(rows: Any, **counts: Count) -> dict[int, dict[str, int]]:
    found: dict[int, dict[str, int]] = defaultdict(lambda: dict.fromkeys(counts, 0))
    found.update({row["program_id"]: row for row in rows.order_by().values("program_id").annotate(**counts)})
    return found


def _in_week(number: int, *, now: datetime) -> Q:
    """The condition of a week's entries: 0 is the first of the twelve, and weeks end where `now` is."""
    start = now - timedelta(weeks=WEEKS - number)
    return Q(at__gte=start, at__lt=start + timedelta(weeks=1)) if number < WEEKS - 1 else Q(at__gte=start)
