"""Samples: what one run of a piece of work took, and what is said of several of them."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Sample:
    """One run: seconds, and statements that read or write (None where they were not counted)."""

    seconds: float
    statements: int | None = None


class StatementCounter:
    """Counts what goes through Django's connection, but for what opens and closes transactions."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if not sql.startswith(("BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK")):
            self.count += 1
        return execute(sql, params, many, context)


def measure(work: Callable[[], object]) -> Sample:
    """Run `work` once through Django's connection."""
    from django.db import connection  # noqa: PLC0415  (needs the stand's settings)

    counter = StatementCounter()
    connection.ensure_connection()
    with connection.execute_wrapper(counter), quiet_collector():
        started = time.perf_counter()
        work()
        seconds = time.perf_counter() - started
    return Sample(seconds, counter.count)


@contextmanager
def quiet_collector() -> Iterator[None]:
    """Collect garbage before, so that none of earlier work's is collected on this one's time."""
    gc.collect()
    yield


@dataclass(slots=True)
class Series:
    """Samples of one piece of work: on which database and how many other enrollments, through which door, how many rows
    a sample.
    """

    vendor: str
    others: int
    work: str
    through: str
    rows: int = 1
    samples: list[Sample] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """The median time of a sample."""
        return median(sample.seconds for sample in self.samples)

    @property
    def statements(self) -> float | None:
        """The median number of statements of a sample."""
        counted = [sample.statements for sample in self.samples if sample.statements is not None]
        return median(counted) if counted else None

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds


class Results:
    """All series of a run, in the order in which they were begun."""

    def __init__(self) -> None:
        self.series: dict[tuple[str, int, str, str, int], Series] = {}
        self.figures: list[dict[str, Any]] = []

    def add(self, *, vendor: str, others: int, work: str, through: str, rows: int, sample: Sample) -> None:
        """Keep a sample with its like."""
        key = (vendor, others, work, through, rows)
        self.series.setdefault(key, Series(*key)).samples.append(sample)

    def find(self, *, vendor: str, others: int, work: str, through: str, rows: int) -> Series | None:
        """Return the samples of one piece of work, None if there are none."""
        return self.series.get((vendor, others, work, through, rows))

    def note(
        self, *, vendor: str, others: int, what: str, value: float, unit: str, at_most: float | None = None
    ) -> None:
        """Keep a figure that is no time of a piece of work: memory, a longest wait."""
        self.figures.append(
            {"vendor": vendor, "others": others, "what": what, "value": value, "unit": unit, "at_most": at_most}
        )
