"""Hanging storages: a look that gets no answer is cut off, so that other schools have their turn."""

from __future__ import annotations

import signal
import threading
from types import TracebackType
from typing import Any, Self

ONCE_MORE_SECONDS = 1.0
"""Until the alarm rings again, should the first one have been swallowed."""


class LookCutOff(BaseException):
    """The storage has not answered for too long.

    Not an Exception: one that a storage raises fails only its file, and the next file would hang as well.
    """


class Alarm:
    """Raises LookCutOff in the `with` block if `seconds` pass without `renew`.

    Only in the main thread of a process, on systems that have interval timers, and if nobody else uses that timer; as
    in `run_jobs`, `collect_feeds` and Celery's processes. Elsewhere it does nothing. A call into the kernel that cannot
    be interrupted, such as a dead NFS mount's, is not cut off.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._former: Any = None
        self._is_set = False

    def __enter__(self) -> Self:
        is_possible = threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer")
        if is_possible and signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0):
            self._former = signal.signal(signal.SIGALRM, _cut_off)
            self._is_set = True
            self.renew()
        return self

    def renew(self) -> None:
        """Begin to count anew: the storage has answered."""
        if self._is_set:
            signal.setitimer(signal.ITIMER_REAL, self._seconds, ONCE_MORE_SECONDS)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Ring no more. Again changes nothing: the alarm may have rung on the way out of the block."""
        if self._is_set:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._former)
            self._is_set = False


def _cut_off(number: int, frame: Any) -> None:
    raise LookCutOff
