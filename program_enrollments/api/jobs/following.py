"""Following: a command that sends a file carries the job on itself, whether or not workers run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from django.utils import timezone

from program_enrollments.api.jobs.outcomes import FIRST_PLACE
from program_enrollments.api.jobs.queue import CLEANABLE, due_jobs
from program_enrollments.api.jobs.slices import run_next_slice, run_slice
from program_enrollments.data import ENDED_STATES, REFUSING_WORDS, JobState
from program_enrollments.models import Job, JobRow

IDLE_SECONDS = 0.5
"""Between two looks while workers carry on what has to come before."""

READ_AT_ONCE = 1_000

RESTING = frozenset({*ENDED_STATES, JobState.HELD, JobState.WAITING})
"""States in which there is nothing to be done now."""


def follow_job(*, job: Job, progress: Callable[[int, int], None] | None = None) -> Job:
    """Carry a job on until it has ended or waits, and return it as it is then.

    Jobs that have to come before it are carried on as well. Workers may do the same meanwhile. After each slice
    `progress` is called with the number of lines done since the last call, and of all lines.
    """
    told = 0
    while True:
        job.refresh_from_db()
        if progress is not None and job.done > told:
            progress(job.done - told, job.total)
            told = job.done
        if job.state in RESTING and not (job.state in CLEANABLE and job.is_staged):
            return job
        is_due = due_jobs(now=timezone.now()).filter(pk=job.pk).exists()
        has_worked = run_slice(job_id=job.pk, slice_number=job.slice) if is_due else run_next_slice()
        if not has_worked:
            time.sleep(IDLE_SECONDS)


def walk_refused_lines(*, job: Job) -> Iterator[tuple[int, str]]:
    """Yield the lines that were refused, in their order, each with the reason."""
    rows = JobRow.objects.filter(job_id=job.pk, place__lt=FIRST_PLACE, word__in=REFUSING_WORDS).order_by("place")
    behind = 0
    while found := list(rows.filter(place__gt=behind).values_list("place", "detail", "word")[:READ_AT_ONCE]):
        yield from ((place, detail or word) for place, detail, word in found)
        behind = found[-1][0]
