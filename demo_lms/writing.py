"""Writing many rows at once.

Django's `bulk_create(update_conflicts=True)` does the same and is the plainer choice for an adapter that writes little.
Here its batches count: on SQLite it sends a statement for every 166 seats, and ports are asked to keep the number of
statements constant.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from django.db import connection
from django.db.models import Field, Model

MAX_PARAMETERS = 30_000
"""Parameters in one statement; SQLite's own limit, as it is usually compiled, is 32,766."""


def insert_or_update(
    model: type[Model],
    *,
    fields: Sequence[str],
    rows: Sequence[Sequence[Any]],
    unique: Sequence[str],
    update: Sequence[str],
) -> None:
    """Insert `rows` (values in the order of `fields`) into the table of `model`.

    A row that is there already, by its `unique` fields, gets the values of the `update` fields instead; with none of
    them it is left as it is. No two of `rows` may have the same unique values. Sends one statement for every 30,000
    values, and no signals.
    """
    if not rows:
        return
    columns = {name: _column(model, name) for name in fields}
    head = f"INSERT INTO {connection.ops.quote_name(model._meta.db_table)} ({', '.join(columns.values())}) "
    tail = _on_conflict([columns[name] for name in unique], [columns[name] for name in update])
    size = MAX_PARAMETERS // len(fields)
    with connection.cursor() as cursor:
        for start in range(0, len(rows), size):
            batch = rows[start : start + size]
            source, params = _source(model, fields, batch)
            cursor.execute(head + source + tail, params)


def _source(model: type[Model], fields: Sequence[str], rows: Sequence[Sequence[Any]]) -> tuple[str, list[Any]]:
    """Return what an INSERT takes its rows from, and the parameters."""
    if connection.vendor == "postgresql":
        # One array a column: thousands of placeholders are more work for the driver than the rows are for the database.
        types = [model._meta.get_field(name).db_type(connection) for name in fields]
        arrays = ", ".join(f"%s::{type_}[]" for type_ in types)
        return f"SELECT * FROM unnest({arrays})", [list(values) for values in zip(*rows, strict=True)]  # noqa: S608
    place = f"({', '.join(['%s'] * len(fields))})"
    return f"VALUES {', '.join([place] * len(rows))}", [value for row in _adapted(rows) for value in row]


def _column(model: type[Model], name: str) -> str:
    """Return the quoted name of the column in which a field is stored."""
    _attribute, column = cast("Field", model._meta.get_field(name)).get_attname_column()
    return connection.ops.quote_name(column or name)


def _adapted(rows: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]:
    """Return `rows` as this database's driver takes them: some know nothing of time zones."""
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
    for number, values in enumerate(columns):
        if isinstance(values[0], datetime):
            # Nearly always it is one moment, many times.
            adapted = {moment: connection.ops.adapt_datetimefield_value(moment) for moment in set(values)}
            columns[number] = [adapted[moment] for moment in values]
    return list(zip(*columns, strict=True))


def _on_conflict(unique: Sequence[str], update: Sequence[str]) -> str:
    """Return the end of the statement that says what becomes of a row that is there already."""
    if connection.vendor == "mysql":
        # Setting a column to itself changes nothing. INSERT IGNORE would, but it hides every other error as well.
        changes = [f"{column} = VALUES({column})" for column in update] or [f"{unique[0]} = {unique[0]}"]
        return f" ON DUPLICATE KEY UPDATE {', '.join(changes)}"
    changes = [f"{column} = excluded.{column}" for column in update]
    action = f"UPDATE SET {', '.join(changes)}" if changes else "NOTHING"
    return f" ON CONFLICT ({', '.join(unique)}) DO {action}"
