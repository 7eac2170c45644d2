"""Which of many values a column has: one descent of an index per value.

Scratch tables have no statistics yet. A planner that thinks them small reads them whole, once per value.
"""

# ruff: noqa: S608  (names of tables and columns come from the models, every value goes as a parameter)

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from django.db import connections, models, router


def find_occurring(
    model: type[models.Model], *, index: str, field: str, values: Collection[str], **equal: int
) -> set[str]:
    """Return those of `values` that the text column `field` has in rows whose other fields are `equal`.

    `index` is the name of the index that has these columns. Reads where writes go. One statement.
    """
    if not values:
        return set()
    connection: Any = connections[router.db_for_write(model)]
    name = connection.ops.quote_name
    table, column = name(model._meta.db_table), name(_column(model, field))
    conditions = " AND ".join(f"{name(_column(model, other))} = %s" for other in equal)
    given = list(values)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # LIMIT keeps it from joining the table as a whole, and the order from reading all rows that are `equal`
            # through another index.
            following = (
                f"SELECT {column} AS value FROM {table} WHERE {conditions} AND {column} >= given.value"
                f" ORDER BY {column} LIMIT 1"
            )
            sql = (
                f"SELECT given.value FROM unnest(%s::varchar[]) AS given (value) CROSS JOIN LATERAL ({following})"
                " AS following WHERE following.value = given.value"
            )
            cursor.execute(sql, [given, *equal.values()])
        elif connection.vendor == "sqlite":
            found = f"SELECT 1 FROM {table} WHERE {conditions} AND {column} = given.value"
            sql = f"SELECT given.value FROM json_each(%s) AS given WHERE EXISTS ({found})"
            cursor.execute(sql, [json.dumps(given), *equal.values()])
        else:
            marks = ", ".join(["%s"] * len(given))
            sql = f"SELECT DISTINCT {column} FROM {table} FORCE INDEX ({name(index)})"
            cursor.execute(f"{sql} WHERE {conditions} AND {column} IN ({marks})", [*equal.values(), *given])
        return {value for (value,) in cursor.fetchall()}


def _column(model: type[models.Model], field: str) -> str:
    return str(model._meta.get_field(field).column)  # type: ignore[union-attr]
