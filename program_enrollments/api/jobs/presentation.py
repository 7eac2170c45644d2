"""Presentation: a job as people look at it: columns found, what it changes, what came of a preview."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from program_enrollments.api.jobs.dependents import SHARED_ADDRESS
from program_enrollments.api.jobs.formats import COLUMNS, open_lines
from program_enrollments.api.jobs.inputs import open_input
from program_enrollments.api.jobs.previews import find_started
from program_enrollments.api.jobs.undo.acceptance import why_not_undoable
from program_enrollments.api.reads.jobs import JobRowFilters, fetch_job_rows, undone_by
from program_enrollments.data import JobMode, JobState, Page, Word
from program_enrollments.exceptions import InvalidFile, StorageUnavailable
from program_enrollments.models import Job, JobRow, StagedRow

COUNTED = 20_000
"""Lines up to which it is counted how many are new, and told who may have another ID now."""

SHOWN = 20


@dataclass(frozen=True, slots=True)
class FileColumns:
    """What was found on line 1 of a file: which columns, and how it is written.

    Missing ones are optional: a file that lacks others is refused.
    """

    found: Sequence[str] = ()
    missing: Sequence[str] = ()
    ignored: Sequence[str] = ()
    delimiter: str = ""
    encoding: str = ""


@dataclass(frozen=True, slots=True)
class PresentedFile:
    """A job, a page of its rows, and what its numbers alone don't tell.

    `new` is how many of the changed rows are new, None if there are too many to count. `changed_ids` are sentences
    about learners who probably have another ID now. `started` is the real job that a dry run became. `undone_by` is the
    number of the job that undoes it; `is_undoable` tells whether there can be one.
    """

    job: Job
    rows: Page
    columns: FileColumns | None = None
    new: int | None = None
    changed_ids: list[str] = field(default_factory=list)
    started: Job | None = None
    undone_by: int | None = None
    is_undoable: bool = False


def present_file(*, job: Job, filters: JobRowFilters, cursor: str | None, page_size: int) -> PresentedFile:
    """Return a job for people. The number of statements is constant. Raises BadCursor."""
    return PresentedFile(
        job,
        fetch_job_rows(job=job, filters=filters, cursor=cursor, page_size=page_size),
        columns=_read_columns(job) if job.dry_run else None,
        new=_count_new(job),
        changed_ids=_find_changed_ids(job),
        started=find_started(job=job),
        undone_by=undone_by(job),
        is_undoable=undone_by(job) is None and why_not_undoable(job) is None,
    )


def _read_columns(job: Job) -> FileColumns | None:
    """Return what line 1 of the stored file says; None if that is gone or cannot be read."""
    if not job.input_name:
        return None
    try:
        with open_input(name=job.input_name) as file:
            table = open_lines(kind=job.kind, file=file)
            missing = [name for name in COLUMNS[job.kind] if name not in table.columns]
            return FileColumns(table.columns, missing, table.ignored_columns, *reversed(table.dialect))
    except (InvalidFile, StorageUnavailable):
        return None


def _count_new(job: Job) -> int | None:
    if job.changed > COUNTED or job.refused > COUNTED:
        return None
    rows = JobRow.objects.filter(job_id=job.pk, changed=True, before__isnull=True, line__isnull=False, planned=False)
    return rows.count()


def _find_changed_ids(job: Job) -> list[str]:
    """Return what is said of lines of a snapshot that share an address with somebody who would leave."""
    if job.mode != JobMode.SNAPSHOT or job.total > COUNTED:
        return []
    rows = StagedRow.objects if job.state == JobState.HELD else JobRow.objects
    shared = rows.filter(job_id=job.pk, word=Word.INVALID_IDENTITY.value)
    beginning = str(SHARED_ADDRESS).partition("%(owner)s")[0]
    told = shared.filter(detail__startswith=beginning).order_by("line").values_list("student_key", "line", "detail")
    return [f"{student_key or line}: {detail}" for student_key, line, detail in told[:SHOWN]]
