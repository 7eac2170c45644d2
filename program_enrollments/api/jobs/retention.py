"""Retention: files and outcomes go after their time; the job itself and the ledger stay."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Lower

from program_enrollments.api.jobs.inputs import delete_input
from program_enrollments.api.jobs.removals import FIRST_LEAVER
from program_enrollments.api.transactions import after_commit, in_transaction
from program_enrollments.conf import get_setting
from program_enrollments.data import ENDED_STATES, RekeyWord, Word
from program_enrollments.models import Job, JobPhase, JobRow, StagedRow
from program_enrollments.sql.bulk import delete_rows

JOBS_AT_ONCE = 20
ROWS_AT_ONCE = 5_000


class ForgottenFiles(NamedTuple):
    """How many files and outcomes were deleted."""

    files: int = 0
    rows: int = 0


def forget_expired_files(*, now: datetime) -> ForgottenFiles:
    """Delete the files and outcomes of jobs that ended long enough ago, in short transactions.

    A file that the storage does not delete is tried again the next time.
    """
    limit = now - timedelta(days=get_setting("KEEP_FILES_DAYS"))
    ended = Job.objects.filter(state__in=ENDED_STATES)
    # An undo has no file, but what became of its rows is kept as long.
    undone = Q(undoes__isnull=False) & (Exists(JobRow.objects.filter(job_id=OuterRef("pk"))) | Q(is_staged=True))
    expired = ended.filter(~Q(input_name="") | undone, finished__lte=limit).order_by("pk")
    files, rows, behind = 0, 0, 0
    while batch := list(expired.filter(pk__gt=behind)[:JOBS_AT_ONCE]):
        for job in batch:
            rows += _forget_rows(job)
            files += _forget_input(job) if job.input_name else 0
        behind = batch[-1].pk
    for job in ended.filter(is_input_due=True).exclude(input_name=""):
        files += _forget_input(job)
    return ForgottenFiles(files, rows)


def _forget_input(job: Job) -> int:
    if not delete_input(name=job.input_name):
        return 0
    return Job.objects.filter(pk=job.pk).update(input_name="", is_input_due=False)


def _forget_rows(job: Job) -> int:
    """Delete what is kept of a job's lines.

    What a failed job has staged goes as well: nobody resumes it any more.
    """
    gone = 0
    while ids := list(
        JobRow.objects.filter(job_id=job.pk).order_by("place").values_list("pk", flat=True)[:ROWS_AT_ONCE]
    ):
        in_transaction(partial(delete_rows, JobRow, field="id", values=ids, returning=["id"]))
        gone += len(ids)
    in_transaction(partial(_forget_staging, job))
    return gone


def _forget_staging(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(is_staged=False)
    StagedRow.objects.filter(job_id=job.pk).delete()


def forget_jobs(*, school_id: int) -> int:
    """Delete a school's jobs with their files and outcomes, and return how many there were.

    The latest goes first, because it may undo another. The caller makes sure that none is being worked on.
    """
    jobs = list(Job.objects.filter(school_id=school_id).order_by("-pk"))
    for job in jobs:
        _forget_rows(job)
        if job.input_name:
            delete_input(name=job.input_name)
        in_transaction(job.delete)
    return len(jobs)


def forget_in_jobs(
    *, school_id: int, names: Collection[str], pseudonym: str, former: Collection[tuple[str | None, str | None]] = ()
) -> None:
    """Remove a person from the school's jobs.

    Outcomes and staged lines get the pseudonym, files are deleted.

    `names` are the person's IDs and addresses, normalized, `former` the IDs before and after each of their changes, as
    the ledger has them. Which files name the person cannot be told without reading
    all of them, so all go that were read; a job that has not read its file yet loses it at its end. In the caller's
    transaction; the storage follows the commit.
    """
    known = {name for name in names if name}
    jobs = Job.objects.filter(school_id=school_id)
    rows = JobRow.objects.filter(job__in=jobs).annotate(lowered=Lower("student_key"))
    rows.filter(lowered__in=known).update(student_key=pseudonym)
    _forget_rekeys(school_id, known, former, pseudonym)
    mentions = Q()
    for name in known:
        mentions |= Q(detail__icontains=name)
    if known:
        JobRow.objects.filter(mentions, job__in=jobs).update(detail="")
    # The rows of an undo have the addresses that change hands, and IDs that come back. Whom they are about is known by
    # number, and a retired person gets nothing back.
    undos = StagedRow.objects.filter(job__in=jobs.filter(undoes__isnull=False, is_staged=True))
    for column in ("name", "email_owner"):
        undos.filter(**{f"{column}__in": known}).update(**{column: ""})
    undos.annotate(key=Lower("student_key")).filter(key__in=known).update(student_key="")
    for job in jobs.exclude(input_name=""):
        _forget_staged(job, known, pseudonym)
        if job.phase == JobPhase.READ and job.state not in ENDED_STATES:
            Job.objects.filter(pk=job.pk).update(is_input_due=True)
        else:
            Job.objects.filter(pk=job.pk).update(input_name="")
            after_commit(partial(delete_input, name=job.input_name))


def _forget_rekeys(
    school_id: int, known: Collection[str], former: Collection[tuple[str | None, str | None]], pseudonym: str
) -> None:
    """Remove a person from what re-keys have done: `before` and `after` are student IDs there."""
    rows = JobRow.objects.filter(job__in=Job.objects.filter(school_id=school_id, program=None))
    lowered = rows.annotate(one=Lower("student_key"), two=Lower("before"), three=Lower("after"))
    about = set(lowered.filter(Q(one__in=known) | Q(two__in=known) | Q(three__in=known)).values_list("pk", flat=True))
    for before, after in former:
        # A former ID may be somebody else's now, the pair is not.
        pair = Q(before=before) & (Q(after=after) | Q(after=None, word=RekeyWord.RELEASED.value))
        about |= set(rows.filter(pair).values_list("pk", flat=True))
    if about:
        own = JobRow.objects.filter(pk__in=about)
        own.update(student_key=pseudonym)
        for column in ("before", "after"):
            own.filter(**{f"{column}__isnull": False}).update(**{column: pseudonym})


def _forget_staged(job: Job, known: Collection[str], pseudonym: str) -> None:
    staged = StagedRow.objects.filter(job_id=job.pk)
    leavers = staged.filter(number__gte=FIRST_LEAVER).annotate(key=Lower("student_key"), address=Lower("email"))
    leavers.filter(Q(key__in=known) | Q(address__in=known)).update(student_key=pseudonym, email="")
    staged.filter(Q(name__in=known) | Q(email_normalized__in=known)).update(
        student_key=pseudonym,
        email="",
        email_normalized="",
        email_owner="",
        word=Word.INVALID_IDENTITY.value,
        detail="",
        removes=False,
    )
