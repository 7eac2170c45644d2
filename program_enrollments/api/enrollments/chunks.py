"""Chunks: a write's rows in short transactions, with a failure kept to the row that fails."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
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
    units: Sequence[Sequence[RowT]],
    sink: Sink[RowT] | None = None,
    dry_run: bool = False,
    known: Mapping[int, RowOutcome] | None = None,
) -> None:
    """Write the rows of `units`, and note on each what became of it. The rows of one unit are written together.

    At most `CHUNK_SIZE` learners are locked at a time, or as many as one unit has. Where a chunk fails for a reason of
    a row's, it is halved until the failing units stand alone: those become `internal-error`, the others go through. An
    outage is no row's fault: it is tried once more, then WriteInterrupted names the rows that stand, `known` among
    them. With `dry_run` each chunk is taken back. `sink` is called in each chunk's transaction. Raises also what made
    the database give up a transaction that the caller opened: then no row goes through.
    """
    run = ChunkRun(write=write, sink=sink, transact=rehearse if dry_run else in_transaction, known=known or {})
    with limited("CALL_HOST_SECONDS"):
        for chunk in _cut(units, size=get_setting("CHUNK_SIZE")):
            run.write_or_halve(chunk)


def _cut(units: Sequence[Sequence[RowT]], *, size: int) -> Iterator[list[Sequence[RowT]]]:
    """Cut units into chunks of at most `size` rows; a larger unit is a chunk of its own."""
    chunk: list[Sequence[RowT]] = []
    rows = 0
    for unit in units:
        if chunk and rows + len(unit) > size:
            yield chunk
            chunk, rows = [], 0
        chunk.append(unit)
        rows += len(unit)
    if chunk:
        yield chunk


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

    def write_or_halve(self, units: Sequence[Sequence[RowT]]) -> None:
        """Write these units, or halves of them if one of them may be what fails. Raises WriteInterrupted."""
        rows = list(chain.from_iterable(units))
        try:
            self._write_unless_out(rows)
        # A failure that is one row's must not cost the others theirs (docs/api.rst, internal-error).
        except Exception as error:
            if is_lost() or isinstance(error, WriteInterrupted):
                raise
            if len(units) > 1:
                middle = len(units) // 2
                self.write_or_halve(units[:middle])
                self.write_or_halve(units[middle:])
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
            row.renew()
            row.word = Word.INTERNAL_ERROR.value
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
