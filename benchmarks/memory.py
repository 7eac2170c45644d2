"""Memory of a process, watched from another one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil  # type: ignore[import-untyped]

MEGABYTE = 1024 * 1024
SECONDS = 0.002


def memory_of(pid: int) -> float:
    """Return the resident memory of a process, in megabytes."""
    return float(psutil.Process(pid).memory_info().rss) / MEGABYTE


@contextmanager
def peak_memory(pid: int) -> Iterator[Callable[[], float]]:
    """Watch the memory of a process, and return a function that tells the highest value seen, in megabytes."""
    highest, done = [memory_of(pid)], threading.Event()

    def watch() -> None:
        while not done.wait(SECONDS):
            highest[0] = max(highest[0], memory_of(pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield lambda: highest[0]
    finally:
        done.set()
        watcher.join()
