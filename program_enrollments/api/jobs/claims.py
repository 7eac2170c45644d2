"""Claims: the conditional updates by which one worker at a time carries a job on.

The first statement of each transaction moves the job's cursor on condition that it is where this worker saw it. A
second worker waits for the first one's commit, then moves nothing, and returns.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from django.utils import timezone

from program_enrollments.api.jobs.announcements import announce
from program_enrollments.api.transactions import get_connection, in_transaction
from program_enrollments.conf import get_setting
from program_enrollments.models import Job

T = TypeVar("T")

SQLITE_SECONDS = 0.08
"""Time that one transaction of a job may take on SQLite, where it keeps every other writer out."""


class JobTaken(Exception):
    """Another worker has carried this job on, or somebody has canceled it: nothing is left to do here."""


def advance(job: Job, *, cursor: int, **values: Any) -> None:
    """Move the job's cursor, as the first statement of the current transaction. Raises JobTaken.

    `job` stays as it is until `commit_step` has committed.
    """
    now = timezone.now()
    taken = Job.objects.filter(pk=job.pk, state=job.state, phase=job.phase, cursor=job.cursor, slice=job.slice).update(
        cursor=cursor,
        # This worker begins the next step at once: a crash there is counted beforehand.
        attempts=1,
        busy_until=now + timedelta(seconds=get_setting("TAKEOVER_SECONDS")),
        **values,
    )
    if not taken:
        raise JobTaken


def commit_step(job: Job, *, cursor: int, work: Callable[[], dict[str, Any]] = dict, **values: Any) -> None:
    """Advance the job and do `work` in one transaction; then let `job` show what was committed.

    `work` returns further values for the job's row. Raises JobTaken, and what `work` raises.
    """

    def step() -> dict[str, Any]:
        advance(job, cursor=cursor, **values)
        more = work()
        if more:
            Job.objects.filter(pk=job.pk).update(**more)
        state = {**values, **more}.get("state", job.state)
        if state != job.state:
            announce(job, state=state, now=timezone.now())
        return more

    with paced():
        more = in_transaction(step)
    job.cursor, job.attempts = cursor, 1
    for name, value in {**values, **more}.items():
        setattr(job, name, value)


def hold_step(job: Job, work: Callable[[], object]) -> None:
    """Do a part of a long step in one transaction, if the job is still this worker's. Raises JobTaken.

    The cursor stays. Others see that somebody is at work, and the crash that is counted at this cursor stays counted.
    """

    def step() -> None:
        held = Job.objects.filter(pk=job.pk, state=job.state, phase=job.phase, cursor=job.cursor, slice=job.slice)
        until = timezone.now() + timedelta(seconds=get_setting("TAKEOVER_SECONDS"))
        if not held.update(busy_until=until):
            raise JobTaken
        work()

    with paced():
        in_transaction(step)


class paced:  # noqa: N801  (reads as the function that it would be)
    """Pauses on SQLite as long as the transaction within took, so that sign-ins have their turn."""

    def __enter__(self) -> None:
        self.started = time.monotonic()

    def __exit__(self, *error: object) -> None:
        connection = get_connection()
        if connection.vendor == "sqlite" and not connection.in_atomic_block:
            time.sleep(min(time.monotonic() - self.started, 1.0))


class Pace:
    """How many rows go into the next chunk: `CHUNK_SIZE`, fewer on SQLite if a chunk takes too long there."""

    def __init__(self) -> None:
        self.size: int = get_setting("CHUNK_SIZE")

    def measure(self, *, rows: int, seconds: float) -> None:
        """Learn from a chunk of so many rows that took so long."""
        if get_connection().vendor != "sqlite" or not rows or seconds <= 0:
            return
        fitting = int(rows * SQLITE_SECONDS / seconds)
        self.size = max(1, min(get_setting("CHUNK_SIZE"), fitting))
