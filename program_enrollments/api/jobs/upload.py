"""Uploads: a file becomes a job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from django.contrib.auth import get_user_model
from django.utils import timezone

from program_enrollments.api.jobs.formats import open_lines
from program_enrollments.api.jobs.inputs import delete_input, save_input
from program_enrollments.api.jobs.lines import UNUSABLE
from program_enrollments.api.jobs.nudges import nudge
from program_enrollments.api.transactions import in_transaction
from program_enrollments.data import CourseStatus, JobKind, JobMode, Origin, ProgramStatus
from program_enrollments.exceptions import FileIncomplete
from program_enrollments.models import Job, Program

MAX_NOTED = 20
"""Ignored columns that a job's notes name."""


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


def upload_file(
    *,
    program: Program,
    kind: JobKind,
    sent: SentFile,
    options: UploadOptions,
    origin: Origin,
    now: datetime | None = None,
) -> Job:
    """Keep a file and return the job that will check and apply it.

    Raises InvalidFile if the head of the file shows that it is no table with the columns needed, FileIncomplete if the
    sender counted something else, StorageUnavailable. Nothing is kept then.
    """
    if options.sha256 is not None and options.sha256.lower() != sent.sha256:
        raise FileIncomplete("The file has another SHA-256 than you say. It may be cut off: send it again.")
    sent.file.seek(0)
    table = open_lines(kind=kind, file=sent.file)
    if options.rows is not None and (seen := sum(1 for _ in table.records())) != options.rows:
        raise FileIncomplete(
            f"The file has {seen} rows behind its header, not the {options.rows} that you say. It may be cut off: "
            "send it again."
        )
    input_name = save_input(file=sent.file, school_id=program.school_id)
    moment = now or timezone.now()
    job = Job(
        kind=kind,
        mode=options.mode,
        dry_run=options.dry_run,
        cascade=options.cascade,
        leaving_status=_leaving_status(kind, options),
        school_id=program.school_id,
        program=program,
        file_name=UNUSABLE.sub("\ufffd", sent.name)[:255],
        input_name=input_name,
        size=sent.size,
        sha256=sent.sha256,
        notes=_notes(table.ignored_columns),
        created_by_user_id=origin.actor_id,
        request_id=origin.request_id,
        created=moment,
        queued_at=moment,
    )
    try:
        in_transaction(lambda: _accept(job))
    except BaseException:
        delete_input(name=input_name)
        raise
    return job


def _accept(job: Job) -> None:
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
    more = f" and {len(names) - MAX_NOTED} more" if len(names) > MAX_NOTED else ""
    return [f"These columns were ignored: {', '.join(names[:MAX_NOTED])}{more}."]


def username_of(user_id: int | None) -> str:
    """Return the username of an account, "" if there is none."""
    if user_id is None:
        return ""
    users = get_user_model()
    user = users._default_manager.filter(pk=user_id).first()
    return str(user.get_username())[:255] if user is not None else ""
