"""Notices: of each program, the files that need a person, and the last one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Max, Q

from program_enrollments.data import JobState
from program_enrollments.models import Job

REMEMBERED = timedelta(days=14)
"""How long a failed file is among what needs attention."""

SHOWN = 100


@dataclass(slots=True)
class JobNotices:
    """A program's last file, and its held, waiting and lately failed ones, newest first."""

    last: Job | None = None
    in_need: list[Job] = field(default_factory=list)


def fetch_job_notices(*, program_ids: Collection[int], now: datetime) -> dict[int, JobNotices]:
    """Return the notices of programs. Three statements."""
    notices = {pk: JobNotices() for pk in program_ids}
    if not notices:
        return notices
    real = Job.objects.filter(program_id__in=notices, dry_run=False)
    last = dict(real.order_by().values_list("program_id").annotate(Max("pk")))
    for job in Job.objects.filter(pk__in=last.values()):
        notices[job.program_pk].last = job
    failed = Q(state=JobState.FAILED, finished__gte=now - REMEMBERED)
    for job in real.filter(Q(state__in=[JobState.HELD, JobState.WAITING]) | failed).order_by("-pk")[:SHOWN]:
        notices[job.program_pk].in_need.append(job)
    return notices
