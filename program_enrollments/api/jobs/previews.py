"""Previews: a dry run that somebody has looked at becomes a real job, with the same file (ADR 0021)."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext_noop as _

from program_enrollments.api.jobs.nudges import nudge
from program_enrollments.api.jobs.upload import username_of
from program_enrollments.api.transactions import in_transaction
from program_enrollments.data import JobState, Origin
from program_enrollments.exceptions import ResultExpired, WrongState
from program_enrollments.models import Job

WISHES = (
    "kind",
    "mode",
    "cascade",
    "leaving_status",
    "school_id",
    "program_id",
    "identity_provider",
    "honor_old_until",
)
FILE = ("file_name", "size", "sha256", "notes")


def start_previewed(*, job: Job, origin: Origin, now: datetime | None = None) -> Job:
    """Return a new job that does what a dry run has shown; the stored file is handed over to it.

    Raises WrongState for what is no finished dry run, and for one that was started before. Raises ResultExpired once
    the file was deleted, or must be because somebody in it was retired.
    """
    if not job.dry_run or job.state != JobState.SUCCEEDED or job.undoes_id is not None:
        raise WrongState(_("Only a dry run that has succeeded can be started."))
    if find_started(job=job) is not None:
        raise WrongState(_("This file was started already."))
    if not job.input_name or job.is_input_due:
        raise ResultExpired(_("The file is not kept any more. Send it again."))
    moment = now or timezone.now()
    started = Job(
        **{name: getattr(job, name) for name in (*WISHES, *FILE)},
        input_name=job.input_name,
        created_by_user_id=origin.actor_id,
        request_id=origin.request_id,
        created=moment,
        queued_at=moment,
    )
    in_transaction(lambda: _hand_over(job, started))
    return started


def _hand_over(job: Job, started: Job) -> None:
    # Two who start it at once: one of them finds the file, so that it runs once.
    kept = Job.objects.filter(pk=job.pk, input_name=started.input_name, is_input_due=False)
    if not kept.update(input_name=""):
        raise WrongState(_("This file was started already."))
    started.pk = None
    started.created_by = username_of(started.created_by_user_id)
    started.save(force_insert=True)
    nudge(job_id=started.pk, slice_number=started.slice)


def find_started(*, job: Job) -> Job | None:
    """Return the real job that a dry run became: the first with its file, or the undo of the same job."""
    if not job.dry_run or job.input_name:
        return None
    if job.undoes_id is not None:
        return Job.objects.filter(undone_job=job.undoes_id).first()
    same = {name: getattr(job, name) for name in ("school_id", "program_id", "kind", "mode", "sha256")}
    return Job.objects.filter(**same, pk__gt=job.pk, dry_run=False).order_by("pk").first()
