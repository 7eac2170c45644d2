"""Chunks: a call's rows in short transactions, with a failure kept to the row that fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from program_enrollments.api.enrollments.halves import ChunkWriter
from program_enrollments.api.enrollments.pipeline import EnrollmentWrite, Sink, write_chunk
from program_enrollments.api.enrollments.rows import Row
from program_enrollments.api.transactions import in_transaction, rehearse
from program_enrollments.conf import get_setting
from program_enrollments.data import RowOutcome, Word
from program_enrollments.exceptions import RequestInProgress, WriteInterrupted
from program_enrollments.host.deadline import limited

RowT = TypeVar("RowT", bound=Row[Any, Any])


def write_in_chunks(
    *,
    write: EnrollmentWrite[RowT],
    rows: Sequence[RowT],
    sink: Sink[RowT] | None = None,
    dry_run: bool = False,
    known: Mapping[int, RowOutcome] | None = None,
) -> None:
    """Write rows, and note on each what became of it. Joined rows are written with the row before them.

    At most `CHUNK_SIZE` learners are locked at a time, or as many as are joined. Where a chunk fails for a reason of
    a row's, it is halved until the failing rows stand alone: those become `internal-error`, the others go through. An
    outage is no row's fault: it is tried once more, then WriteInterrupted names the rows that stand, `known` among
    them. With `dry_run` each chunk is taken back. `sink` is called in each chunk's transaction. Raises also what made
    the database give up a transaction that the caller opened: then no row goes through.
    """
    writer = _CallWriter(write, sink, known or {}, dry_run=dry_run)
    size, start = get_setting("CHUNK_SIZE"), 0
    with limited("CALL_HOST_SECONDS"):
        while start < len(rows):
            end = _boundary(rows, start + size, after=start) or len(rows)
            writer.write(rows[start:end])
            start = end


def _boundary(rows: Sequence[Row[Any, Any]], place: int, *, after: int = 0) -> int | None:
    """Return where rows behind `after` can be parted nearest to `place`, before it if possible; or None."""
    before = min(place, len(rows))
    while after < before < len(rows) and rows[before].joined:
        before -= 1
    if after < before < len(rows):
        return before
    return next((end for end in range(max(place, after + 1), len(rows)) if not rows[end].joined), None)


class _CallWriter(ChunkWriter[RowT]):
    """Writes the chunks of one call, and remembers which rows stand."""

    fatal = (WriteInterrupted, RequestInProgress)

    def __init__(
        self,
        write: EnrollmentWrite[RowT],
        sink: Sink[RowT] | None,
        known: Mapping[int, RowOutcome],
        *,
        dry_run: bool,
    ) -> None:
        super().__init__()
        self._write, self._sink, self._known, self._dry_run = write, sink, known, dry_run
        self._transact: Callable[[Callable[[], None]], None] = rehearse if dry_run else in_transaction
        self._finished: list[RowT] = []

    def commit(self, rows: Sequence[RowT]) -> None:
        """Send the rows through the pipeline."""
        self._transact(lambda: write_chunk(self._write, rows, self._sink))
        self._finished += rows

    def blame(self, rows: Sequence[RowT]) -> None:
        """Note on the rows that they failed, though nothing is wrong with them."""
        for row in rows:
            row.word, row.before, row.changed, row.detail = Word.INTERNAL_ERROR.value, None, False, ""

    def part(self, rows: Sequence[RowT]) -> int | None:
        """Return where the rows can be parted, never within joined ones."""
        return _boundary(rows, len(rows) // 2)

    def interrupted(self) -> WriteInterrupted:
        """Return the error that names the rows that stand."""
        if self._dry_run:
            return WriteInterrupted({})
        outcomes = [*self._known.values(), *(row.outcome for row in self._finished if not row.word)]
        return WriteInterrupted({outcome.key: outcome.word for outcome in outcomes})
