"""From what drivers answer to Python's types, for queries that bypass the ORM's own reading of rows.

See ADR 0007.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def convert_rows(connection: Any, columns: Sequence[Any], rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Turn what the driver answered into Python's types, as the ORM would.

    `columns` are expressions, one a value.
    """
    if not rows:
        return []
    converters = [
        (place, function, column)
        for place, column in enumerate(columns)
        for function in (*connection.ops.get_db_converters(column), *column.get_db_converters(connection))
    ]
    # Truth, moments and UUIDs of a few things are what needs converting: few different values, and often none at all.
    values_of = {place: {row[place] for row in rows} for place, _function, _column in converters}
    converters = [converter for converter in converters if values_of[converter[0]] != {None}]
    if not converters:
        return list(rows)
    by_column: list[Sequence[Any]] = list(zip(*rows, strict=True))
    for place, function, column in converters:
        known = {value: function(value, column, connection) for value in set(by_column[place])}
        by_column[place] = [known[value] for value in by_column[place]]
    return list(zip(*by_column, strict=True))
