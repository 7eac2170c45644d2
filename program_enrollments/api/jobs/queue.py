"""The queue: whose turn it is.

A program's jobs run in the order of their acceptance, and a re-key runs alone in its school. Schools don't wait for
each other.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.lookups import IsNull

from program_enrollments.api.transactions import get_connection
from program_enrollments.data import JobState
from program_enrollments.models import UNDER_WAY, Job, School

CLEANABLE = [JobState.SUCCEEDED.value, JobState.CANCELED.value, JobState.SUPERSEDED.value]
"""States in which staging rows are of no use any more; a failed job may be resumed."""


def _blockers() -> QuerySet[Job]:
    """Return, for an outer query of jobs, those that have to end before each of them."""
    earlier = Q(queued_at__lt=OuterRef("queued_at")) | Q(queued_at=OuterRef("queued_at"), pk__lt=OuterRef("pk"))
    queued = Q(state=JobState.PENDING) & earlier
    # A job without a program concerns the whole school: it waits for all jobs there, and all wait for it.
    together = Q(program_id=OuterRef("program_id")) | Q(program__isnull=True) | IsNull(OuterRef("program_id"), True)
    return (
        Job.objects.filter(school_id=OuterRef("school_id"), dry_run=False, state__in=[JobState.PENDING, *UNDER_WAY])
        .filter(together)
        .filter(Q(state__in=UNDER_WAY) | queued)
        .exclude(pk=OuterRef("pk"))
        .order_by()
    )


def hold_turns(*, school_id: int) -> None:
    """Let nobody else begin a job of this school until the commit.

    A unique constraint keeps two jobs of one program apart, but not a re-key and a program's job. So a worker that
    begins one holds the school's row, then looks once more whether the job is next. On SQLite writers take turns.
    """
    features = get_connection().features
    if features.has_select_for_update:
        locked = School.objects.select_for_update(no_key=features.has_select_for_no_key_update)
        locked.filter(pk=school_id).order_by().values_list("pk").first()


def fetch_followers(job: Job) -> list[tuple[int, int]]:
    """Return the jobs of the school that wait for no other one, each with its slice."""
    waiting = Job.objects.filter(school_id=job.school_id, state=JobState.PENDING, dry_run=False).exclude(pk=job.pk)
    return list(waiting.filter(~Exists(_blockers())).order_by("queued_at", "pk").values_list("pk", "slice"))


def is_next(*, job: Job) -> bool:
    """Whether a pending job may begin.

    Dry runs may at once, others behind the earlier ones of their program and behind re-keys of the school.
    """
    return job.dry_run or not Job.objects.filter(pk=job.pk).filter(Exists(_blockers())).exists()


def due_jobs(*, now: datetime) -> QuerySet[Job]:
    """Return the jobs that somebody could carry on now; the one that was served longest ago comes first."""
    active = Q(state__in=[JobState.CHECKING, JobState.RUNNING])
    begins = Q(state=JobState.PENDING) & (Q(dry_run=True) | ~Exists(_blockers()))
    again = Q(state=JobState.WAITING, next_try__lte=now)
    cleaning = Q(state__in=CLEANABLE, is_staged=True)
    free = Q(busy_until__isnull=True) | Q(busy_until__lte=now)
    due = Job.objects.filter(active | begins | again | cleaning).filter(free)
    return due.order_by(F("served_at").asc(nulls_first=True), "pk")


def next_job(*, now: datetime) -> Job | None:
    """Return the job whose turn it is, or None."""
    return due_jobs(now=now).first()


def count_overdue_jobs(*, now: datetime, late: timedelta) -> int:
    """Return how many jobs have been due for so long, and nobody carries them on."""
    since = now - late
    waiting = Q(served_at__isnull=True, queued_at__lte=since) | Q(served_at__lte=since)
    return due_jobs(now=since).filter(waiting).count()


def has_job_table(connection: Any) -> bool:
    """Whether the tables of jobs are there yet."""
    return Job._meta.db_table in connection.introspection.table_names()
