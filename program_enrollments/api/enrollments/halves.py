"""Halves: what becomes of a chunk that fails.

One bad row costs no other row anything, and an outage is no bad row.
"""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, TypeVar

from django.db import InterfaceError, OperationalError

from program_enrollments.api.transactions import is_lost
from program_enrollments.exceptions import HostAnswerUnusable, HostError, HostRefused
from program_enrollments.failures import describe_failure
from program_enrollments.host.deadline import is_time_up

logger = logging.getLogger(__name__)
T = TypeVar("T")

PAUSE_SECONDS = 0.5
"""Before a chunk that met an outage is tried once more: restarts of a pool or a proxy are over by then."""

ROWS_OF_AN_OUTAGE = 3
"""Rows that fail alone, one after the other and in the same way, before the cause is taken to be none of them."""


class ChunkWriter(ABC, Generic[T]):
    """Writes chunks of rows, each in a transaction, and keeps failures to the rows that fail.

    A subclass says how rows are written and blamed, and where they may be parted.
    """

    fatal: tuple[type[Exception], ...]
    """What is raised about the write as a whole, by `commit` and by what `interrupted` returns: no row's fault."""

    def __init__(self) -> None:
        self._failed_alone: list[str] = []

    @abstractmethod
    def commit(self, rows: Sequence[T]) -> None:
        """Write these rows in a transaction of their own."""

    @abstractmethod
    def blame(self, rows: Sequence[T]) -> None:
        """Make these rows an `internal-error`: they fail whenever they are written, and can't be parted."""

    @abstractmethod
    def part(self, rows: Sequence[T]) -> int | None:
        """Return the number of rows in the first half, or None if these rows belong together."""

    @abstractmethod
    def interrupted(self) -> Exception:
        """Return what is raised if an outage goes on."""

    def write(self, rows: Sequence[T]) -> None:
        """Write these rows, or halves of them if one of them may be what fails.

        After an outage they are tried once more. If it goes on, or one row after the other fails in the same way,
        raises what `interrupted` returns. Raises also what made the database give up a transaction that the caller
        opened.
        """
        try:
            self._commit_unless_out(rows)
        except self.fatal:
            raise
        # A failure that is one row's must not cost the others theirs (docs/api.rst, internal-error).
        except Exception as error:
            if is_lost():
                raise
            first = self.part(rows)
            if first is None:
                self._blame(rows, error)
            else:
                self.write(rows[:first])
                self.write(rows[first:])
        else:
            self._failed_alone.clear()

    def _commit_unless_out(self, rows: Sequence[T]) -> None:
        try:
            self.commit(rows)
            return
        except self.fatal:
            raise
        # Only an outage is dealt with here; everything else goes on to where chunks are halved.
        except Exception as error:
            if is_lost() or not (is_outage(error) or is_time_up()):
                raise
            logger.error("A chunk met an outage: %s.", describe_failure(error))
        if is_time_up():
            raise self.interrupted()
        time.sleep(PAUSE_SECONDS)
        try:
            self.commit(rows)
        except self.fatal:
            raise
        # The same: what is no outage the second time is a row's.
        except Exception as error:
            if not is_outage(error):
                raise
            raise self.interrupted() from error

    def _blame(self, rows: Sequence[T], error: Exception) -> None:
        # The exception's text may hold what the row held.
        failure = describe_failure(error)
        logger.error("A row failed: %s.", failure)
        self._failed_alone.append(failure)
        if len(self._failed_alone) >= ROWS_OF_AN_OUTAGE and len(set(self._failed_alone)) == 1:
            raise self.interrupted() from error
        self.blame(rows)


def is_outage(error: BaseException) -> bool:
    """Whether the host or the database is away, rather than a row unusable."""
    if isinstance(error, HostRefused | HostAnswerUnusable):
        return False
    return isinstance(error, HostError | OperationalError | InterfaceError)
