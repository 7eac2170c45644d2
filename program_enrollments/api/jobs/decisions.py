"""Decisions: what people do with a job: approve, cancel, resume."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_noop as _

from program_enrollments.api.jobs.announcements import announce
from program_enrollments.api.jobs.nudges import nudge
from program_enrollments.api.jobs.slices import nudge_follower
from program_enrollments.api.jobs.undo.acceptance import is_undone
from program_enrollments.api.jobs.upload import username_of
from program_enrollments.api.transactions import in_transaction
from program_enrollments.data import ENDED_STATES, JobState, Origin
from program_enrollments.exceptions import StaleEffects, WrongState
from program_enrollments.models import Job, JobPhase
from program_enrollments.sentences import known

ONLY_HELD = known(_("Only a held job can be approved; this one is %(state)s."))
TOO_LATE = known(_("This job can't be canceled any more; it is %(state)s."))
ONLY_STOPPED = known(_("Only a job that the platform's outage stopped can be resumed; this one is %(state)s."))
UNDONE = known(_("This job was undone meanwhile, so it does not go on."))

CANCELABLE = [JobState.PENDING, JobState.CHECKING, JobState.RUNNING, JobState.HELD, JobState.WAITING]


def approve_job(*, job: Job, effects: str, removals: bool, origin: Origin, now: datetime | None = None) -> Job:
    """Let a held job be applied, with or without the removals that it lists, and return it.

    `effects` is the digest of the list that somebody looked at. Raises WrongState, StaleEffects.
    """
    moment = now or timezone.now()
    if job.state != JobState.HELD:
        raise WrongState(ONLY_HELD % {"state": job.state})
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
        raise WrongState(TOO_LATE % {"state": job.state})
    values = {
        "state": JobState.CANCELED.value,
        "finished": moment,
        "next_try": None,
        "busy_until": None,
        "decided_by": username_of(origin.actor_id),
        "decided_by_user_id": origin.actor_id,
        "decided_at": moment,
        "decision_reason": origin.reason[:500],
        "message": _("Canceled. What was applied before stays."),
    }
    return _change(job, values)


def resume_job(*, job: Job, origin: Origin, now: datetime | None = None) -> Job:
    """Let a job that an outage stopped go on, and return it.

    Raises WrongState.
    """
    moment = now or timezone.now()
    failed = job.state == JobState.FAILED and job.waiting_since is not None
    if not failed and job.state != JobState.WAITING:
        raise WrongState(ONLY_STOPPED % {"state": job.state})
    if failed and _has_expired(job):
        raise WrongState(_("The file of this job was deleted meanwhile. Send it again."))
    values: dict[str, Any] = {"waiting_since": None, "tries": 0, "message": "", "attempts": 0}
    if failed:
        values |= {"state": JobState.PENDING.value, "queued_at": moment, "finished": None, "next_try": None}
    else:
        values |= {"next_try": moment}
    return _change(job, values)


def _has_expired(job: Job) -> bool:
    """Whether the lines that are left to be applied were deleted after their time, or with a person."""
    if job.phase == JobPhase.READ:
        return job.undoes_id is None and not job.input_name
    return bool(job.total) and not job.is_staged


def _change(job: Job, values: dict[str, Any]) -> Job:
    """Change the job if it is still in the state that was seen, and return it as it is then."""

    def change() -> None:
        if not Job.objects.filter(pk=job.pk, state=job.state).update(**values):
            raise WrongState(_("The job has gone on meanwhile. Read it again."))
        if values.get("state") == JobState.PENDING.value and is_undone(job_id=job.pk):
            raise WrongState(UNDONE)
        announce(job, state=values.get("state", ""), now=values.get("finished") or timezone.now())
        nudge(job_id=job.pk, slice_number=job.slice)
        if values.get("state") in ENDED_STATES:
            nudge_follower(job)

    in_transaction(change)
    job.refresh_from_db()
    return job
