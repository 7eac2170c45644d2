"""Uploads: a file becomes a job."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import BinaryIO, NamedTuple

from django.contrib.auth import get_user_model
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from program_enrollments.api.jobs.formats import open_lines
from program_enrollments.api.jobs.inputs import delete_input, save_input
from program_enrollments.api.jobs.lines import UNUSABLE
from program_enrollments.api.jobs.nudges import nudge
from program_enrollments.api.schools import end_of_day, zone_of
from program_enrollments.api.sso.providers import get_identity_provider
from program_enrollments.api.transactions import in_transaction
from program_enrollments.data import CourseStatus, JobKind, JobMode, JobState, Origin, ProgramStatus
from program_enrollments.exceptions import DayIsOver, FileIncomplete
from program_enrollments.models import Job, Program, School
from program_enrollments.sentences import known

MAX_NOTED = 20
"""Ignored columns that a job's notes name."""

OTHER_NUMBER = known(
    _("The file has %(found)d rows behind its header, not the %(said)d that you say. It may be cut off: send it again.")
)
IGNORED = known(_("These columns were ignored: %(names)s."))
MANY_IGNORED = known(_("These columns were ignored: %(names)s and %(more)d more."))
DAY_OVER = known(_("Old IDs cannot be honored until %(day)s: at the school that day is over."))


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file as it came, on this machine: what it is called, and what it holds."""

    file: BinaryIO
    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class UploadOptions:
    """What is to be done with a file. `rows` and `sha256` are what its sender counted, if anything."""

    mode: JobMode = JobMode.UPSERT
    dry_run: bool = False
    cascade: bool = False
    leaving_status: ProgramStatus = ProgramStatus.CANCELED
    rows: int | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class RekeyOptions:
    """What is to be done with a file of student IDs.

    Until the end of the day `honor_old_until`, in the school's time zone, old IDs go on naming the same learners.
    `rows` and `sha256` are what its sender counted, if anything.
    """

    dry_run: bool = False
    honor_old_until: date | None = None
    rows: int | None = None
    sha256: str | None = None


class Counted(NamedTuple):
    """What the sender counted: records behind the header, and the SHA-256 in hexadecimal; or None."""

    rows: int | None
    sha256: str | None


def upload_file(
    *,
    program: Program,
    kind: JobKind,
    sent: SentFile,
    options: UploadOptions,
    origin: Origin,
    now: datetime | None = None,
    when_accepted: Callable[[Job], object] | None = None,
) -> Job:
    """Keep a file and return the job that will check and apply it.

    `when_accepted` is called with the job in the transaction that makes it; if it raises, there is no job.
    Raises InvalidFile if the head of the file shows that it is no table with the columns needed, FileIncomplete if the
    sender counted something else, StorageUnavailable. Nothing is kept then.
    """
    job = Job(
        kind=kind,
        mode=options.mode,
        dry_run=options.dry_run,
        cascade=options.cascade,
        leaving_status=_leaving_status(kind, options),
        school_id=program.school_id,
        program=program,
    )
    counted = Counted(options.rows, options.sha256)
    return _keep(job, sent, origin, counted, now=now or timezone.now(), when_accepted=when_accepted)


def upload_rekeys(
    *,
    school: School,
    sent: SentFile,
    options: RekeyOptions,
    origin: Origin,
    identity_provider: str = "",
    now: datetime | None = None,
) -> Job:
    """Keep a file of student IDs that change, and return the job that will check and apply it (ADR 0026).

    `identity_provider` is the slug of the one that asserts the new IDs; without it accounts go on signing on by the
    same ones. Raises DayIsOver for a day to honor old IDs until, and otherwise as `upload_file` does.
    """
    moment = now or timezone.now()
    honored = None
    if options.honor_old_until is not None:
        honored = end_of_day(options.honor_old_until, zone=zone_of(school))
        if honored <= moment:
            raise DayIsOver(DAY_OVER % {"day": str(options.honor_old_until)}, parameter="honor_old_until")
    job = Job(
        kind=JobKind.STUDENT_KEYS,
        mode=JobMode.UPSERT,
        dry_run=options.dry_run,
        school=school,
        identity_provider=identity_provider,
        honor_old_until=honored,
        decision_reason=origin.reason[:500],
    )
    return _keep(job, sent, origin, Counted(options.rows, options.sha256), now=moment)


def upload_rekeys_by(
    *, identity_provider: str, sent: SentFile, options: RekeyOptions, origin: Origin, now: datetime | None = None
) -> Job:
    """Do as `upload_rekeys`, at the school of the identity provider that asserts the new IDs.

    Raises IdentityProviderDoesNotExist as well.
    """
    provider = get_identity_provider(slug=identity_provider)
    return upload_rekeys(
        school=provider.school,
        sent=sent,
        options=options,
        origin=origin,
        identity_provider=provider.slug,
        now=now,
    )


def _keep(
    job: Job,
    sent: SentFile,
    origin: Origin,
    counted: Counted,
    *,
    now: datetime,
    when_accepted: Callable[[Job], object] | None = None,
) -> Job:
    """Check what the sender counted, store the file, and put the job into the queue."""
    rows, sha256 = counted
    if sha256 is not None and sha256.lower() != sent.sha256:
        raise FileIncomplete(_("The file has another SHA-256 than you say. It may be cut off: send it again."))
    sent.file.seek(0)
    table = open_lines(kind=job.kind, file=sent.file)
    if rows is not None and (seen := sum(1 for _ in table.records())) != rows:
        raise FileIncomplete(OTHER_NUMBER % {"found": seen, "said": rows})
    job.file_name = UNUSABLE.sub("\ufffd", sent.name)[:255]
    job.size, job.sha256 = sent.size, sent.sha256
    job.notes = _notes(table.ignored_columns)
    job.created_by_user_id, job.request_id = origin.actor_id, origin.request_id
    job.created = job.queued_at = now
    job.input_name = save_input(file=sent.file, school_id=job.school_id)

    def accept() -> None:
        enqueue(job)
        if when_accepted is not None:
            when_accepted(job)

    try:
        in_transaction(accept)
    except BaseException:
        delete_input(name=job.input_name)
        raise
    return job


def enqueue(job: Job) -> None:
    """Store a new job behind all that wait in its program. In the caller's transaction."""
    # Another server's clock may be ahead of this one's, and its file was accepted before.
    last = Job.objects.filter(school_id=job.school_id, state=JobState.PENDING).aggregate(last=Max("queued_at"))["last"]
    if last is not None and last >= job.queued_at:
        job.queued_at = last + timedelta(microseconds=1)
    job.created_by = username_of(job.created_by_user_id)
    job.save(force_insert=True)
    nudge(job_id=job.pk, slice_number=job.slice)


def _leaving_status(kind: JobKind, options: UploadOptions) -> str:
    if options.mode != JobMode.SNAPSHOT:
        return ""
    return CourseStatus.INACTIVE.value if kind == JobKind.COURSE_ENROLLMENTS else options.leaving_status.value


def _notes(ignored: Sequence[str]) -> list[str]:
    names = [UNUSABLE.sub("\ufffd", name)[:64] for name in ignored]
    if not names:
        return []
    shown, more = ", ".join(names[:MAX_NOTED]), len(names) - MAX_NOTED
    return [MANY_IGNORED % {"names": shown, "more": more} if more > 0 else IGNORED % {"names": shown}]


def username_of(user_id: int | None) -> str:
    """Return the username of an account, "" if there is none."""
    if user_id is None:
        return ""
    users = get_user_model()
    user = users._default_manager.filter(pk=user_id).first()
    return str(user.get_username())[:255] if user is not None else ""
