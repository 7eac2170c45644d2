"""Chunks: a write's rows in short transactions, with a failure kept to the row that fails."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from django.db import InterfaceError, OperationalError

from program_enrollments.api.enrollments.pipeline import EnrollmentWrite, Sink, write_chunk
from program_enrollments.api.enrollments.rows import Row
from program_enrollments.api.transactions import in_transaction, is_lost, rehearse
from program_enrollments.conf import get_setting
from program_enrollments.data import RowOutcome, Word
from program_enrollments.exceptions import HostAnswerUnusable, HostError, HostRefused, WriteInterrupted
from program_enrollments.failures import describe_failure
from program_enrollments.host.deadline import is_time_up, limited

logger = logging.getLogger(__name__)
RowT = TypeVar("RowT", bound=Row[Any, Any])

PAUSE_SECONDS = 0.5
"""Before a chunk that met an outage is tried once more: restarts of a pool or a proxy are over by then."""

ROWS_OF_AN_OUTAGE = 3
"""Rows that fail alone, one after the other and in the same way, before the cause is taken to be none of them."""

Transact = Callable[[Callable[[], None]], None]
"""Carries out a chunk's work in a transaction, as `in_transaction` does."""


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
    run = ChunkRun(write=write, sink=sink, transact=rehearse if dry_run else in_transaction, known=known or {})
    size, start = get_setting("CHUNK_SIZE"), 0
    with limited("CALL_HOST_SECONDS"):
        while start < len(rows):
            end = _boundary(rows, start + size, after=start) or len(rows)
            run.write_or_halve(rows[start:end])
            start = end


def _boundary(rows: Sequence[Row[Any, Any]], place: int, *, after: int = 0) -> int | None:
    """Return the nearest place, before `place` if possible, where rows behind `after` can be parted; or None."""
    before = min(place, len(rows))
    while after < before < len(rows) and rows[before].joined:
        before -= 1
    if after < before < len(rows):
        return before
    return next((end for end in range(max(place, after + 1), len(rows)) if not rows[end].joined), None)


class ChunkRun(Generic[RowT]):
    """A write's way through its chunks.

    It remembers which rows stand, and how often rows failed one after the other. `transact` carries out each chunk.
    """

    def __init__(
        self,
        *,
        write: EnrollmentWrite[RowT],
        sink: Sink[RowT] | None = None,
        transact: Transact = in_transaction,
        known: Mapping[int, RowOutcome] | None = None,
    ) -> None:
        self.write = write
        self.sink = sink
        self.transact = transact
        self.known = known or {}
        self.finished: list[RowT] = []
        self.failed_alone: list[str] = []

    def write_or_halve(self, rows: Sequence[RowT]) -> None:
        """Write these rows, or halves of them if one of them may be what fails. Raises WriteInterrupted."""
        try:
            self._write_unless_out(rows)
        # A failure that is one row's must not cost the others theirs (docs/api.rst, internal-error).
        except Exception as error:
            if is_lost() or isinstance(error, WriteInterrupted):
                raise
            if (middle := _boundary(rows, len(rows) // 2)) is not None:
                self.write_or_halve(rows[:middle])
                self.write_or_halve(rows[middle:])
                return
            self._blame(rows, error)
        else:
            self.failed_alone.clear()
            self.finished += rows

    def _write_unless_out(self, rows: Sequence[RowT]) -> None:
        """Write these rows in a transaction, after an outage once more.

        Raises WriteInterrupted if the outage goes on.
        """
        try:
            self.transact(lambda: write_chunk(self.write, rows, self.sink))
            return
        # Only an outage is dealt with here; everything else goes on to where chunks are halved.
        except Exception as error:
            if is_lost() or not (_is_outage(error) or is_time_up()):
                raise
            logger.error("A bulk write met an outage: %s.", describe_failure(error))
        if is_time_up():
            raise self._interrupted()
        time.sleep(PAUSE_SECONDS)
        try:
            self.transact(lambda: write_chunk(self.write, rows, self.sink))
        # The same: what is no outage the second time is a row's.
        except Exception as error:
            if not _is_outage(error):
                raise
            raise self._interrupted() from error

    def _blame(self, rows: Sequence[RowT], error: Exception) -> None:
        """Make rows that fail alone an `internal-error`.

        If one after the other fails in the same way, that is an outage: raises WriteInterrupted.
        """
        # The exception's text may hold what the row held.
        failure = describe_failure(error)
        logger.error("A row of a bulk write failed: %s.", failure)
        self.failed_alone.append(failure)
        if len(self.failed_alone) >= ROWS_OF_AN_OUTAGE and len(set(self.failed_alone)) == 1:
            raise self._interrupted() from error
        for row in rows:
            row.word, row.before, row.changed, row.detail = Word.INTERNAL_ERROR.value, None, False, ""
        if (sink := self.sink) is not None:
            self.transact(lambda: (sink(rows), None)[1])

    def _interrupted(self) -> WriteInterrupted:
        if self.transact is rehearse:
            return WriteInterrupted({})
        outcomes = [*self.known.values(), *(row.outcome for row in self.finished if not row.word)]
        return WriteInterrupted({outcome.key: outcome.word for outcome in outcomes})


def _is_outage(error: Exception) -> bool:
    """Whether the host or the database is away, rather than a row unusable."""
    if isinstance(error, HostRefused | HostAnswerUnusable):
        return False
    return isinstance(error, HostError | OperationalError | InterfaceError)
