"""Refused lines: what a job did not do, as a file that is ready to be corrected and sent again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from django.utils.translation import gettext_noop as _

from program_enrollments.api.jobs.formats import open_lines
from program_enrollments.api.jobs.inputs import open_input
from program_enrollments.api.jobs.outcomes import FIRST_PLACE
from program_enrollments.data import ENDED_STATES, REFUSING_WORDS
from program_enrollments.exceptions import InvalidFile, ResultExpired, WrongState
from program_enrollments.models import Job, JobRow
from program_enrollments.sentences import known
from program_enrollments.tabular_files import Table, write_table

BATCH = 1_000
NOT_ENDED = known(_("Lines can be sent again once the job has ended; it is %(state)s."))


class RefusedBlocks(Iterator[bytes]):
    """The blocks of a file of refused lines; `close` lets go of the stored file, also if none was read."""

    def __init__(self, *, job: Job, table: Table, file: BinaryIO) -> None:
        columns = [field.strip() for field in table.header]
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


def write_refused(*, job: Job) -> RefusedBlocks:
    """Return the blocks of a CSV file with the refused lines alone, in the columns that were sent.

    Lines with too few or too many fields stand there as they were. Those that no reader takes apart (a bad quotation
    mark, a zero byte) are left out. Raises as `write_result` does.
    """
    if job.state not in ENDED_STATES:
        raise WrongState(NOT_ENDED % {"state": job.state})
    if not job.input_name:
        raise ResultExpired
    file = open_input(name=job.input_name)
    try:
        table = open_lines(kind=job.kind, file=file)
    except BaseException:
        file.close()
        raise
    return RefusedBlocks(job=job, table=table, file=file)


def _rows(job: Job, table: Table) -> Iterator[Sequence[Any]]:
    lines = _refused_lines(job)
    wanted = next(lines, None)
    try:
        for record in table.records():
            while wanted is not None and wanted < record.line:
                wanted = next(lines, None)
            if wanted is None:
                return
            if record.line == wanted and record.fields:
                yield record.fields
    except InvalidFile:
        # The job has failed for it, and its message says why.
        return


def _refused_lines(job: Job) -> Iterator[int]:
    """Yield the numbers of the refused lines, in their order."""
    rows = JobRow.objects.filter(job_id=job.pk, place__lt=FIRST_PLACE, word__in=REFUSING_WORDS)
    behind = 0
    while found := list(rows.filter(place__gt=behind).order_by("place").values_list("place", flat=True)[:BATCH]):
        yield from found
        behind = found[-1]
