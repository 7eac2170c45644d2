"""Slices: a worker's turn at one job, a few seconds long, so that no school waits for long."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from program_enrollments.api.enrollments.halves import is_outage
from program_enrollments.api.jobs.announcements import announce
from program_enrollments.api.jobs.apply import Application, EnrollmentApplication, Outage
from program_enrollments.api.jobs.check import read_batch
from program_enrollments.api.jobs.claims import JobTaken, paced
from program_enrollments.api.jobs.duplicates import find_duplicates
from program_enrollments.api.jobs.guard import weigh
from program_enrollments.api.jobs.lines import SPACING
from program_enrollments.api.jobs.nudges import nudge
from program_enrollments.api.jobs.queue import due_jobs, fetch_followers, hold_turns, is_next, next_job
from program_enrollments.api.jobs.rekeys import RekeyApplication, compare_rekeys
from program_enrollments.api.jobs.removals import compare_batch, find_leavers
from program_enrollments.api.jobs.undo.application import UndoApplication
from program_enrollments.api.jobs.undo.rekeys import RekeyUndo
from program_enrollments.api.jobs.undo.staging import stage_batch
from program_enrollments.api.transactions import CrossedByAnother, atomic, in_transaction
from program_enrollments.conf import get_setting
from program_enrollments.data import ENDED_STATES, JobKind, JobState
from program_enrollments.exceptions import InvalidFile, StorageUnavailable
from program_enrollments.failures import describe_failure
from program_enrollments.models import Job, JobPhase, JobRow, StagedRow
from program_enrollments.sentences import in_english, known

logger = logging.getLogger(__name__)

PAUSES = (30, 60, 120, 300, 600, 900)
"""Seconds until a waiting job tries again; the last one goes on."""

GIVEN_UP = timedelta(hours=24)
"""How long a job waits for the platform before it has failed."""

CRASHES_OF_A_CHECK = 5
"""Workers that die while they check one file before it is given up."""

PLATFORM = _("The learning platform or its database")
STORAGE = _("The storage for files")
AWAY = known(_("%(what)s does not answer. The job goes on by itself."))
AWAY_FOR_A_DAY = known(_("%(what)s did not answer for a day. Resume the job once it does."))

APPLICATIONS: Mapping[str, type[Application]] = {
    JobKind.PROGRAM_ENROLLMENTS.value: EnrollmentApplication,
    JobKind.COURSE_ENROLLMENTS.value: EnrollmentApplication,
    JobKind.STUDENT_KEYS.value: RekeyApplication,
}

UNDO_APPLICATIONS: Mapping[str, type[Application]] = {
    JobKind.PROGRAM_ENROLLMENTS.value: UndoApplication,
    JobKind.COURSE_ENROLLMENTS.value: UndoApplication,
    JobKind.STUDENT_KEYS.value: RekeyUndo,
}

CLEANED_AT_ONCE = 5_000
NUDGED_AT_ONCE = 1_000


def run_next_slice(*, now: datetime | None = None) -> bool:
    """Carry on the job whose turn it is, for one slice; return whether there was one."""
    job = next_job(now=now or timezone.now())
    return job is not None and run_slice(job_id=job.pk, slice_number=job.slice, now=now)


def run_slice(*, job_id: int, slice_number: int, now: datetime | None = None) -> bool:
    """Carry a job on for one slice; return whether anything was done.

    `slice_number` is the one that a message or a look at the database named: if it is past, nothing is done.
    """
    moment = now or timezone.now()
    job = Job.objects.filter(pk=job_id, slice=slice_number).first()
    if job is None:
        return False
    if job.state in ENDED_STATES:
        return _clean(job)
    crashes = job.attempts
    if not _begin(job, moment):
        return False
    try:
        # Texts stored about lines are English, regardless of the request's language.
        with in_english():
            _carry_on(job, crashes=crashes, now=moment)
    except JobTaken:
        return True
    except InvalidFile as error:
        _fail(job, error.detail, moment)
    except Outage:
        _wait(job, moment)
    # Whatever it is, the job must say so, and the next one must have its turn.
    except Exception as error:
        logger.error("A slice of job %s failed: %s.", job.pk, describe_failure(error))
        if is_outage(error):
            _wait(job, moment, away=STORAGE if isinstance(error, StorageUnavailable) else PLATFORM)
        else:
            # As after a crash: tried again, and given up after a few times.
            _release(job, attempts=job.attempts)
            raise
    else:
        _release(job, attempts=0)
    return True


def _begin(job: Job, now: datetime) -> bool:
    """Take the job's next slice; return whether nobody else has, and it is the job's turn."""
    due = job.state in {JobState.CHECKING, JobState.RUNNING}
    due = due or (job.state == JobState.PENDING and is_next(job=job))
    due = due or (job.state == JobState.WAITING and job.next_try is not None and job.next_try <= now)
    if not due:
        return False
    state = JobState.RUNNING if job.phase == JobPhase.APPLY else JobState.CHECKING
    values = {
        "state": state.value,
        "slice": job.slice + 1,
        "attempts": job.attempts + 1,
        "served_at": now,
        "busy_until": timezone.now() + timedelta(seconds=get_setting("TAKEOVER_SECONDS")),
        "started": job.started or now,
    }
    if job.state == JobState.WAITING:
        values["message"] = ""
    queues = job.state == JobState.PENDING and not job.dry_run
    try:
        with atomic():
            if queues:
                hold_turns(school_id=job.school_id)
            taken = Job.objects.filter(pk=job.pk, slice=job.slice, state=job.state).update(**values)
            if taken and queues and not is_next(job=job):
                raise CrossedByAnother
    except (CrossedByAnother, IntegrityError):
        # Another job of the school has begun since the look.
        return False
    for name, value in values.items():
        setattr(job, name, value)
    return bool(taken)


def _carry_on(job: Job, *, crashes: int, now: datetime) -> None:
    """Take steps until the slice is over, or nothing is left to do."""
    deadline = time.monotonic() + get_setting("SLICE_SECONDS")
    if job.phase != JobPhase.APPLY and crashes >= CRASHES_OF_A_CHECK:
        _fail(job, _("The file could not be checked: it stopped the program that reads it, again and again."), now)
        raise JobTaken
    steps: dict[str, Callable[[], object]] = {
        JobPhase.READ: lambda: read_batch(job, now=now) if job.undoes_id is None else stage_batch(job),
        JobPhase.DUPLICATES: lambda: find_duplicates(job),
        JobPhase.COMPARE: lambda: (compare_rekeys if job.kind == JobKind.STUDENT_KEYS else compare_batch)(job),
        JobPhase.LEAVERS: lambda: find_leavers(job),
        JobPhase.GUARD: lambda: weigh(job, now=now),
    }
    application: Application | None = None
    while job.state in {JobState.CHECKING, JobState.RUNNING}:
        if job.phase == JobPhase.APPLY:
            application = application or _application(job, crashes=crashes, now=now)
            application.apply_chunk()
        else:
            steps[job.phase]()
            crashes = 0
        if time.monotonic() >= deadline:
            return


def _application(job: Job, *, crashes: int, now: datetime) -> Application:
    """Return what applies the rows of this job."""
    applications = APPLICATIONS if job.undoes_id is None else UNDO_APPLICATIONS
    return applications[job.kind](job, crashes=crashes, now=now)


def _release(job: Job, *, attempts: int) -> None:
    """End the slice, and say that the next one can begin, if there is one."""
    active = job.state in {JobState.CHECKING, JobState.RUNNING} or (job.state in ENDED_STATES and job.is_staged)

    def end() -> None:
        mine = Job.objects.filter(pk=job.pk, slice=job.slice)
        if mine.update(attempts=attempts, busy_until=None) and active:
            nudge(job_id=job.pk, slice_number=job.slice)
        if job.state not in {JobState.CHECKING, JobState.RUNNING}:
            nudge_follower(job)

    in_transaction(end)


def nudge_follower(job: Job) -> None:
    """Say that other jobs of the school can begin, now that this one no longer keeps them waiting."""
    for job_id, slice_number in fetch_followers(job):
        nudge(job_id=job_id, slice_number=slice_number)


def _fail(job: Job, message: str, now: datetime) -> None:
    """End a job whose file cannot be read. Nothing was written."""
    _change_state(job, {"state": JobState.FAILED.value, "message": message[:1000], "finished": now}, now=now)
    _release(job, attempts=0)


def _wait(job: Job, now: datetime, *, away: str = PLATFORM) -> None:
    """Let the job wait for the platform; after a day it has failed, and a person may resume it."""
    since = job.waiting_since or now
    values = {
        "waiting_since": since,
        "tries": F("tries") + 1,
        "next_try": now + timedelta(seconds=PAUSES[min(job.tries, len(PAUSES) - 1)]),
        "state": JobState.WAITING.value,
        "message": AWAY % {"what": away},
    }
    if now - since >= GIVEN_UP:
        values |= {
            "state": JobState.FAILED.value,
            "finished": now,
            "next_try": None,
            "message": AWAY_FOR_A_DAY % {"what": away},
        }
    _change_state(job, values, now=now)
    _release(job, attempts=0)


def _change_state(job: Job, values: Mapping[str, Any], *, now: datetime) -> None:
    """Change the job if this slice still has it, and let `job` show its new state."""
    state = str(values["state"])

    def change() -> bool:
        changed = Job.objects.filter(pk=job.pk, slice=job.slice, state=job.state).update(**values)
        if changed and state != job.state:
            announce(job, state=state, now=now)
        return bool(changed)

    if in_transaction(change):
        job.state = state


def nudge_due_jobs(*, now: datetime) -> int:
    """Send the signal for each job that is due, and return how many there are.

    A message or a worker may have been lost.
    """
    due = list(due_jobs(now=now).values_list("pk", "slice")[:NUDGED_AT_ONCE])
    for job_id, slice_number in due:
        nudge(job_id=job_id, slice_number=slice_number)
    return len(due)


def _clean(job: Job) -> bool:
    """Delete staging rows of a job that has ended, for one slice; a failed one keeps them to be resumed."""
    taken = Job.objects.filter(pk=job.pk, slice=job.slice, is_staged=True).update(
        slice=F("slice") + 1, busy_until=timezone.now() + timedelta(seconds=get_setting("TAKEOVER_SECONDS"))
    )
    if not taken:
        return False
    job.slice += 1
    deadline = time.monotonic() + get_setting("SLICE_SECONDS")
    while clean_batch(job):
        if time.monotonic() >= deadline:
            break
    else:
        Job.objects.filter(pk=job.pk).update(is_staged=False)
        job.is_staged = False
    _release(job, attempts=0)
    return True


def clean_batch(job: Job) -> int:
    """Delete some staging rows of an ended job, or else rows that it only planned; return how many."""
    staged = StagedRow.objects.filter(job_id=job.pk)
    first = staged.order_by("number").values_list("number", flat=True).first()
    # Numbers go up by `SPACING`. To count off so many rows, PostgreSQL would sort all that are left.
    batch = staged.filter(number__lt=(first or 0) + CLEANED_AT_ONCE * SPACING)
    planned = JobRow.objects.filter(job_id=job.pk, planned=True)
    for rows in (batch, planned):
        with paced():
            gone: int = in_transaction(lambda rows=rows: rows.delete()[0])  # type: ignore[misc]
        if gone:
            return gone
    return 0
