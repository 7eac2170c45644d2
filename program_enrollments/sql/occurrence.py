"""Whether a column has a value, for many values: one descent of an index per value.

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


class Occurs(models.Func):
    """An expression that is 1 if a text occurs in a column of another table, else NULL.

    `value` names the text's field, as in F(); `field` is the other table's column, of which rows count whose other
    fields are `equal`. `index` is the name of the index that has these columns.
    """

    def __init__(self, value: Any, *, model: type[models.Model], index: str, field: str, **equal: int) -> None:
        super().__init__(value, output_field=models.IntegerField(null=True))
        self.model, self.index, self.column, self.equal = model, index, _column(model, field), equal

    def as_sql(self, compiler: Any, connection: Any, *, hint: str = "", **context: Any) -> Any:  # type: ignore[override]
        """Return a scalar subquery: EXISTS could become a join, which reads all rows without statistics."""
        name = connection.ops.quote_name
        value, params = compiler.compile(self.source_expressions[0])
        table = name(self.model._meta.db_table)
        conditions = [f"{table}.{name(_column(self.model, other))} = %s" for other in self.equal]
        conditions.append(f"{table}.{name(self.column)} = {value}")
        sql = f"(SELECT 1 FROM {table}{hint} WHERE {' AND '.join(conditions)} LIMIT 1)"
        return sql, [*self.equal.values(), *params]

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Return the subquery with the first text that is not less: the order keeps other indexes out of it."""
        name = connection.ops.quote_name
        value, params = compiler.compile(self.source_expressions[0])
        table, column = name(self.model._meta.db_table), name(self.column)
        conditions = [f"{name(_column(self.model, other))} = %s" for other in self.equal]
        conditions.append(f"{table}.{column} >= {value}")
        following = f"SELECT {column} AS value FROM {table} WHERE {' AND '.join(conditions)} ORDER BY {column} LIMIT 1"
        sql = f"(SELECT 1 FROM ({following}) AS following WHERE following.value = {value})"
        return sql, [*self.equal.values(), *params, *params]

    def as_mysql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Return the subquery with the index, which MariaDB does not choose for a table without statistics."""
        hint = f" FORCE INDEX ({connection.ops.quote_name(self.index)})"
        return self.as_sql(compiler, connection, hint=hint)


def _column(model: type[models.Model], field: str) -> str:
    return str(model._meta.get_field(field).column)  # type: ignore[union-attr]
