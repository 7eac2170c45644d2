"""How much a database reads for a statement: what shows, in a test's small tables, a plan that grows with the table."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from django.db import connection
from django.db.models import Model
from django.test.utils import CaptureQueriesContext


def renew_tables(*models: type[Model]) -> None:
    """Give these tables of PostgreSQL files of their own for this test, whose transaction is rolled back at its end.

    Rows that earlier tests rolled back still lie in the files, and change what a plan costs. It also keeps `analyze`
    from changing the plans of later tests.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {_names(models)} CASCADE")


def analyze(*models: type[Model]) -> None:
    """Let PostgreSQL know what is in the tables, as autovacuum does within a minute.

    Before, it takes new tables for empty, and reads them whole.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {_names(models)}")


def _names(models: Iterable[type[Model]]) -> str:
    return ", ".join(model._meta.db_table for model in models)


def count_rows_read(call: Callable[[], object]) -> int:
    """Return how many rows and index entries the database reads in `call`.

    On SQLite, which doesn't count rows, it is the hundreds of instructions that SQLite executes. On PostgreSQL, the
    statements must be SELECTs: each is executed once more, to be explained.
    """
    counters = {"mysql": _count_on_mariadb, "postgresql": _count_on_postgresql, "sqlite": _count_on_sqlite}
    return counters[connection.vendor](call)


def _count_on_mariadb(call: Callable[[], object]) -> int:
    def count() -> int:
        with connection.cursor() as cursor:
            # Its own answer is a table that is read, too.
            cursor.execute("SHOW SESSION STATUS LIKE 'Handler_read%'")
            return sum(int(value) for _, value in cursor.fetchall())

    overhead = -count() + count()
    before = count()
    call()
    return count() - before - overhead


def _count_on_postgresql(call: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as captured:
        call()
    total = 0
    for query in captured.captured_queries:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query['sql']}")
            (explained,) = cursor.fetchone()
        (plan,) = json.loads(explained) if isinstance(explained, str) else explained
        total += _rows_of(plan["Plan"])
    return total


def _rows_of(node: dict[str, Any]) -> int:
    """Return the rows that the scans of a plan read, those that their filters removed included."""
    below = sum(map(_rows_of, node.get("Plans", ())))
    if "Relation Name" not in node and "Index Name" not in node:
        return below
    names = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
    return int(below + round(node["Actual Loops"] * sum(node.get(name, 0) for name in names)))


def _count_on_sqlite(call: Callable[[], object]) -> int:
    counted = 0

    def count() -> None:
        nonlocal counted
        counted += 1

    connection.ensure_connection()
    connection.connection.set_progress_handler(count, 100)
    try:
        call()
    finally:
        connection.connection.set_progress_handler(None, 0)
    return counted
