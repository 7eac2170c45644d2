"""Stands: processes that each have a database of their own, so that work on small and on large tables can take turns.

What is to be compared is run alternately: a machine that is busy for a moment then slows down both sides.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

from benchmarks.databases import create_database, database_name, drop_database

P = ParamSpec("P")
T = TypeVar("T")


class Stand:
    """A process with a database in which `others` enrollments are there before anything is measured.

    A context manager: the database is made at the beginning and dropped at the end, whatever happens in between.
    """

    def __init__(self, *, vendor: str, others: int) -> None:
        self.vendor, self.others = vendor, others
        self.database = database_name(vendor=vendor, label=str(others))
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        create_database(vendor=self.vendor, name=self.database)
        self._pool = ProcessPoolExecutor(
            max_workers=1,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_open,
            initargs=(self.vendor, self.database),
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        drop_database(vendor=self.vendor, name=self.database)

    def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work`, a function of a module, in the stand's process and return what it returns."""
        if self._pool is None:
            raise RuntimeError("A stand is entered before it is used.")
        return self._pool.submit(work, *args, **kwargs).result()


def environment(*, vendor: str, database: str) -> dict[str, str]:
    """Return what stands in the environment of a process that works on this database."""
    return {"DJANGO_SETTINGS_MODULE": "benchmarks.settings", "BENCH_VENDOR": vendor, "BENCH_DATABASE": database}


def _open(vendor: str, database: str) -> None:
    os.environ.update(environment(vendor=vendor, database=database))
    import django  # noqa: PLC0415  (it reads the environment that was just set)

    django.setup()
    settle()


def settle() -> None:
    """Load what is loaded at the first call otherwise, and keep it from being collected, as operations.rst advises."""
    from django.urls import get_resolver  # noqa: PLC0415  (needs the settings)

    get_resolver().url_patterns  # noqa: B018  (imports every view)
    gc.collect()
    gc.freeze()
