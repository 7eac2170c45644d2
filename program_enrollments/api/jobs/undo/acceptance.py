"""Acceptance: somebody wants a job undone, and the undo becomes a job of its own."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from program_enrollments.api.jobs.upload import enqueue
from program_enrollments.api.transactions import in_transaction
from program_enrollments.data import ENDED_STATES, JobMode, JobState, Origin
from program_enrollments.exceptions import AlreadyUndone, WrongState
from program_enrollments.models import Job, JobPhase
from program_enrollments.sentences import known

NOT_ENDED = known(_("Only a job that has ended can be undone; this one is %(state)s. Cancel it first."))
NEVER_APPLIED = frozenset({JobState.SUPERSEDED.value})


def undo_job(*, job: Job, origin: Origin, dry_run: bool = False, now: datetime | None = None) -> Job:
    """Return a new job that puts back what a job changed, with the reason of `origin`.

    A dry run shows it, and writes nothing. Raises WrongState for a job that has not ended or wrote nothing, and
    AlreadyUndone for one that was undone, or is being undone; an undo that was canceled may be followed by another.
    """
    if (reason := why_not_undoable(job)) is not None:
        raise WrongState(reason)
    moment = now or timezone.now()
    undo = Job(
        kind=job.kind,
        mode=JobMode.UPSERT,
        dry_run=dry_run,
        school_id=job.school_id,
        program_id=job.program_id,
        undoes_id=job.pk,
        identity_provider=job.identity_provider,
        honor_old_until=_honored_again(job, moment),
        reason=origin.reason[:500],
        file_name=job.file_name,
        phase=JobPhase.READ,
        created_by_user_id=origin.actor_id,
        request_id=origin.request_id,
        created=moment,
        queued_at=moment,
    )

    def accept() -> None:
        # The job's row is locked: it must not be resumed, and nobody else may undo it, until this has committed.
        if not Job.objects.filter(pk=job.pk, state=job.state).update(state=job.state):
            raise WrongState(_("The job has gone on meanwhile. Read it again."))
        if is_undone(job_id=job.pk):
            raise AlreadyUndone
        undo.pk = None
        enqueue(undo)

    try:
        in_transaction(accept)
    except IntegrityError as error:
        if is_undone(job_id=job.pk):
            raise AlreadyUndone from error
        raise
    return undo


def why_not_undoable(job: Job) -> str | None:
    """Return why a job can't be undone, in a sentence for people; None if nothing speaks against it.

    Whether it was undone before is another question.
    """
    if job.dry_run:
        return _("A dry run has written nothing, so there is nothing to undo.")
    if job.state not in ENDED_STATES:
        return NOT_ENDED % {"state": job.state}
    if job.state in NEVER_APPLIED:
        return _("This job was superseded before it wrote anything, so there is nothing to undo.")
    return None


def _honored_again(job: Job, now: datetime) -> datetime | None:
    """Return until when an undo of `job` honors the IDs that it takes, None if it does not.

    An undo of a file gives the old IDs back, so none is honored. An undo of that does what the file did.
    """
    root, repeats = job, False
    while root.undoes_id is not None:
        root, repeats = Job.objects.get(pk=root.undoes_id), not repeats
    until = root.honor_old_until if repeats else None
    return until if until is not None and until > now else None


def is_undone(*, job_id: int) -> bool:
    """Whether a job was undone, or is being undone. One statement."""
    return Job.objects.filter(undone_job=job_id).exists()
