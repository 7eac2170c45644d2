"""Decisions: what people do with a job: approve, cancel, resume."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from program_enrollments.api.jobs.nudges import nudge
from program_enrollments.api.jobs.slices import nudge_follower
from program_enrollments.api.jobs.upload import username_of
from program_enrollments.api.transactions import in_transaction
from program_enrollments.data import ENDED_STATES, JobState, Origin
from program_enrollments.exceptions import StaleEffects, WrongState
from program_enrollments.models import Job

CANCELABLE = [JobState.PENDING, JobState.CHECKING, JobState.RUNNING, JobState.HELD, JobState.WAITING]


def approve_job(*, job: Job, effects: str, removals: bool, origin: Origin, now: datetime | None = None) -> Job:
    """Let a held job be applied, with or without the removals that it lists, and return it.

    `effects` is the digest of the list that somebody looked at. Raises WrongState, StaleEffects.
    """
    moment = now or timezone.now()
    if job.state != JobState.HELD:
        raise WrongState(f"Only a held job can be approved; this one is {job.state}.")
    if job.held is None or effects != job.held["effects"]:
        raise StaleEffects
    values = {
        "state": JobState.PENDING.value,
        "queued_at": moment,
        "decided_by": username_of(origin.actor_id),
        "decided_by_user_id": origin.actor_id,
        "decided_at": moment,
        "decision_reason": origin.reason[:500],
        "removals_approved": removals,
        "message": "",
    }
    return _change(job, values)


def cancel_job(*, job: Job, origin: Origin, now: datetime | None = None) -> Job:
    """End a job, and return it. What it has committed stays. Raises WrongState for one that has ended."""
    moment = now or timezone.now()
    if job.state not in CANCELABLE:
        raise WrongState(f"This job can't be canceled any more; it is {job.state}.")
    values = {
        "state": JobState.CANCELED.value,
        "finished": moment,
        "next_try": None,
        "busy_until": None,
        "decided_by": username_of(origin.actor_id),
        "decided_by_user_id": origin.actor_id,
        "decided_at": moment,
        "decision_reason": origin.reason[:500],
        "message": "Canceled. What was applied before stays.",
    }
    return _change(job, values)


def resume_job(*, job: Job, origin: Origin, now: datetime | None = None) -> Job:
    """Let a job that an outage stopped go on, and return it.

    Raises WrongState.
    """
    moment = now or timezone.now()
    failed = job.state == JobState.FAILED and job.waiting_since is not None
    if not failed and job.state != JobState.WAITING:
        raise WrongState(f"Only a job that the platform's outage stopped can be resumed; this one is {job.state}.")
    values: dict[str, Any] = {"waiting_since": None, "tries": 0, "message": "", "attempts": 0}
    if failed:
        values |= {"state": JobState.PENDING.value, "queued_at": moment, "finished": None, "next_try": None}
    else:
        values |= {"next_try": moment}
    return _change(job, values)


def _change(job: Job, values: dict[str, Any]) -> Job:
    """Change the job if it is still in the state that was seen, and return it as it is then."""

    def change() -> None:
        if not Job.objects.filter(pk=job.pk, state=job.state).update(**values):
            raise WrongState("The job has gone on meanwhile. Read it again.")
        nudge(job_id=job.pk, slice_number=job.slice)
        if values.get("state") in ENDED_STATES:
            nudge_follower(job)

    in_transaction(change)
    job.refresh_from_db()
    return job
