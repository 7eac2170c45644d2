"""The lookup `among`: like `in`, for thousands of values on the bulk paths (ADR 0007).

`in` costs Python several calls and the database a placeholder for every value. `among` sends all values as one
parameter where the database takes them so: an array on PostgreSQL, a JSON list on SQLite, whose limit of parameters
then does not matter either.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from django.core.exceptions import EmptyResultSet
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

if TYPE_CHECKING:
    Lookup = models.Lookup[Any]
else:
    Lookup = models.Lookup


def write_among(
    connection: BaseDatabaseWrapper, field: Any, column: str, values: Collection[int] | Collection[str]
) -> tuple[str, list[Any]]:
    """Return the SQL condition that `column` equals any of `values`, and its parameters.

    `column` is SQL and holds values of `field`. There is at least one value.
    """
    given: list[Any] = list(values)
    if connection.vendor == "postgresql":
        if isinstance(given[0], str):
            # Against an array of strings PostgreSQL prefers reading tables of up to some 100,000 rows whole; a
            # subquery's rows it looks up in the index.
            return f"{column} IN (SELECT unnest(%s::varchar[]))", [given]
        # Values of the column's own type are looked up in a hash table, where PostgreSQL has other conditions decide
        # which rows to read. An `integer` compared with `bigint` goes through the whole array, row by row.
        return f"{column} = ANY(%s::{field.db_type(connection)}[])", [given]
    if connection.vendor == "sqlite":
        return f"{column} IN (SELECT value FROM json_each(%s))", [json.dumps(given)]  # noqa: S608  (a column's name)
    # MySQL and MariaDB look a plain list up in their indexes best.
    return f"{column} IN ({', '.join(['%s'] * len(given))})", given


@models.ForeignObject.register_lookup
@models.Field.register_lookup
class Among(Lookup):
    """Whether a column equals any of the values, in any collation.

    Values are integers or strings as the database stores them.
    """

    lookup_name = "among"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        """Return the condition.

        Raises EmptyResultSet, by which Django sends no query, where there are no values.
        """
        if not self.rhs:
            raise EmptyResultSet
        column, params = self.process_lhs(compiler, connection)
        sql, values = write_among(connection, self.lhs.output_field, column, self.rhs)
        return sql, [*params, *values]
