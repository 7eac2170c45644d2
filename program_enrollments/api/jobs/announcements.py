"""Announcements: a school's software hears of jobs that ended or are held (docs/webhooks.rst)."""

from __future__ import annotations

from datetime import datetime

from program_enrollments.api.outbox import Event, add_events
from program_enrollments.data import ENDED_STATES, JobState, WebhookEvent
from program_enrollments.models import Job

EVENTS = {
    JobState.HELD.value: WebhookEvent.JOB_HELD,
    **dict.fromkeys((state.value for state in ENDED_STATES), WebhookEvent.JOB_FINISHED),
}


def announce(job: Job, *, state: str, now: datetime) -> None:
    """Put the job's new state into the outbox, if it is one that schools hear of.

    Call this in the transaction that changes the state.
    """
    if (name := EVENTS.get(state)) is None:
        return
    data = {"job": job.pk, "kind": job.kind, "state": state, "dry_run": job.dry_run}
    add_events(school_id=job.school_id, events=[Event(name, data, program_id=job.program_id)], now=now)
