"""Results: a job's file once more, with what became of each line, and behind the lines who left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, BinaryIO

from django.utils import timezone
from django.utils.translation import gettext_noop as _

from program_enrollments.api.jobs.formats import open_lines
from program_enrollments.api.jobs.inputs import open_input
from program_enrollments.api.jobs.lines import SPACING
from program_enrollments.api.jobs.outcomes import FIRST_PLACE
from program_enrollments.conf import get_setting
from program_enrollments.data import ENDED_STATES, JobKind, JobState, RekeyWord
from program_enrollments.exceptions import InvalidFile, ResultExpired, WrongState
from program_enrollments.models import Job, JobPhase, JobRow
from program_enrollments.sentences import known
from program_enrollments.tabular_files import Table, write_table

NOT_ENDED = known(_("There is a result once the job has ended; it is %(state)s."))
ADDED = ("line", "word", "detail", "before", "after")
UNDO_COLUMNS = ("course_id", "student_key")
BATCH = 1_000


class ResultBlocks(Iterator[bytes]):
    """The blocks of a result file; `close` lets go of the stored file, also if none was read."""

    def __init__(self, *, job: Job, table: Table, file: BinaryIO) -> None:
        columns = [*(field.strip() for field in table.header), *ADDED]
        self._blocks, self._file = write_table(columns=columns, rows=_rows(job, table)), file

    def __next__(self) -> bytes:
        try:
            return next(self._blocks)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the stored file."""
        self._file.close()


def has_result(*, job: Job, now: datetime | None = None) -> bool:
    """Whether there is a result file: the job has ended, and what it is made from is still kept."""
    if job.state not in ENDED_STATES:
        return False
    if job.undoes_id is None:
        return bool(job.input_name)
    limit = (now or timezone.now()) - timedelta(days=get_setting("KEEP_FILES_DAYS"))
    return job.finished is not None and job.finished > limit


def write_result(*, job: Job) -> Iterator[bytes]:
    """Return the blocks of the result file, CSV in UTF-8.

    An undo has no file: its rows are the result.

    Raises WrongState while the job has not ended, ResultExpired once its file was deleted, InvalidFile for a file that
    cannot be read, StorageUnavailable.
    """
    if job.state not in ENDED_STATES:
        raise WrongState(NOT_ENDED % {"state": job.state})
    if not has_result(job=job):
        raise ResultExpired
    if job.undoes_id is not None:
        return write_table(columns=(*UNDO_COLUMNS, *ADDED), rows=_undo_rows(job))
    file = open_input(name=job.input_name)
    try:
        table = open_lines(kind=job.kind, file=file)
    except BaseException:
        file.close()
        raise
    return ResultBlocks(job=job, table=table, file=file)


def _rows(job: Job, table: Table) -> Iterator[Sequence[Any]]:
    width = len(table.header)
    assume = _assume_rekey if job.kind == JobKind.STUDENT_KEYS else _assume_status
    outcomes = _Outcomes(job)
    reached = _reached(job)
    try:
        for number, record in enumerate(table.records(), 1):
            fields = [*record.fields[:width], *[""] * (width - len(record.fields))]
            outcome = outcomes.at(record.line)
            if outcome is not None:
                told: Sequence[Any] = (outcome.word, outcome.detail, outcome.before, outcome.after)
            elif record.problem or number > reached:
                told = ("", "", "", "")
            else:
                told = assume(dict(zip(table.names, fields, strict=True)))
            yield [*fields, record.line, *told]
    except InvalidFile:
        # The job has failed for it, and its message says why: what was read before is the result.
        return
    for leaver in outcomes.leavers():
        given = {"student_key": leaver.student_key, "course_id": leaver.course_id, "status": leaver.after}
        cells = [given.get(name, "") for name in table.names]
        yield [*cells, "", leaver.word, leaver.detail, leaver.before, leaver.after]


def _assume_status(cells: Mapping[str, str]) -> Sequence[str]:
    """Return word, detail, before and after of a line without an outcome: it has changed nothing."""
    status = cells["status"].strip()
    return status, "", status, status


def _undo_rows(job: Job) -> Iterator[Sequence[Any]]:
    """Yield what became of each row of an undo, in the rows' order."""
    rows, behind = JobRow.objects.filter(job_id=job.pk).order_by("place"), 0
    while found := list(rows.filter(place__gt=behind)[:BATCH]):
        for row in found:
            yield [row.course_id, row.student_key, row.line, row.word, row.detail, row.before, row.after]
        behind = found[-1].place


def _assume_rekey(cells: Mapping[str, str]) -> Sequence[str]:
    """Do as `_assume_status`, of a re-key."""
    new = cells["new_student_key"].strip()
    return (RekeyWord.RENAMED.value, "", new, new) if new else (RekeyWord.RELEASED.value, "", "", "")


def _reached(job: Job) -> int:
    """Return up to which record the job has come."""
    if job.state == JobState.SUCCEEDED:
        return job.total
    return job.cursor // SPACING if job.phase == JobPhase.APPLY else 0


class _Outcomes:
    """A job's kept outcomes, read in batches along the file."""

    def __init__(self, job: Job) -> None:
        self.rows = JobRow.objects.filter(job_id=job.pk, planned=False).order_by("place")
        self.batch: Mapping[int, JobRow] = {}
        self.read_until = -1

    def at(self, line: int) -> JobRow | None:
        """Return the outcome of a line, None if none was kept. Lines are asked for in ascending order."""
        while line > self.read_until:
            found = list(self.rows.filter(place__gt=self.read_until, place__lt=FIRST_PLACE)[:BATCH])
            self.batch = {row.place: row for row in found}
            self.read_until = found[-1].place if len(found) == BATCH else FIRST_PLACE - 1
        return self.batch.get(line)

    def leavers(self) -> Iterator[JobRow]:
        """Return the outcomes of those who left."""
        behind = FIRST_PLACE - 1
        while found := list(self.rows.filter(place__gt=behind)[:BATCH]):
            yield from found
            behind = found[-1].place
