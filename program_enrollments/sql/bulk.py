"""Multi-row statements for the bulk paths: one round trip for a chunk of rows, on every database.

The ORM's `bulk_create` builds an object and an expression a value; at 10,000 rows a second that is most of the time
(ADR 0007). Columns are named by the model's fields and values are given as the database takes them, so callers pass
every column, defaults too. Adapters of a host may use these as well: no signals are sent, and nothing is validated.
"""

# ruff: noqa: S608  (names of tables and columns come from the models, every value goes as a parameter)

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, cast

from django.db import connections, models, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from program_enrollments.sql.conversion import convert_rows
from program_enrollments.sql.lookups import write_among

MAX_PARAMETERS = {"sqlite": 30_000, "mysql": 200_000}
"""Parameters in one statement, by vendor: SQLite counts them (32,766, as it is usually compiled), MySQL limits the
statement's length (16 MB, unless it is told otherwise), PostgreSQL gets one array a column.
"""


def _connection(model: type[models.Model]) -> Any:
    return connections[router.db_for_write(model)]


def _field(model: type[models.Model], name: str) -> Any:
    return model._meta.get_field(name)


def _columns(connection: BaseDatabaseWrapper, model: type[models.Model], names: Iterable[str]) -> list[str]:
    return [connection.ops.quote_name(_field(model, name).column) for name in names]


def can_return_rows(connection: BaseDatabaseWrapper) -> bool:
    """Whether INSERT and DELETE can answer with rows (MySQL, unlike MariaDB, cannot)."""
    return connection.vendor != "mysql" or bool(getattr(connection, "mysql_is_mariadb", False))


def insert_rows(
    model: type[models.Model],
    *,
    fields: Sequence[str],
    rows: Sequence[Sequence[Any]],
    ignore_conflicts: bool = False,
    unique: Sequence[str] = (),
    update: Sequence[str] = (),
    add: Sequence[str] = (),
    returning: Sequence[str] = (),
) -> list[tuple[Any, ...]]:
    """Insert `rows` with as few statements as can hold them, and return columns of what was written.

    These are the columns `returning`. A row has one value per field of `fields`, in that order. Values that all
    rows share are sent once, where the database allows it: most values of a ledger entry are. The answer is in no
    particular order, and it is `[]` on MySQL, which cannot return rows.

    Rows that break a unique constraint are an IntegrityError, unless one of these is given:

    - `ignore_conflicts`: they are left out, whichever constraint it is.
    - `unique`: the fields of one constraint. A stored row with the same values gets the new values of the fields
      `update`, and the new values of the fields `add` are added to its own; without either it is left as it is. Each
      of `rows` must differ from the others in these fields. Stored rows are locked in the order of `rows`. MySQL and
      MariaDB do the same for any other unique constraint of the table.
    """
    if not rows:
        return []
    connection = _connection(model)
    table = connection.ops.quote_name(model._meta.db_table)
    ignore = ignore_conflicts and connection.vendor == "mysql"
    head = f"INSERT {'IGNORE ' if ignore else ''}INTO {table} ({', '.join(_columns(connection, model, fields))}) "
    tail = " ON CONFLICT DO NOTHING" if ignore_conflicts and not ignore else ""
    if unique:
        tail = _on_conflict(connection, model, unique=unique, update=update, add=add)
    answers = bool(returning) and can_return_rows(connection)
    if answers:
        tail += f" RETURNING {', '.join(_columns(connection, model, returning))}"
    columns = _adapted(connection, model, fields, rows)
    answer: list[tuple[Any, ...]] = []
    with connection.cursor() as cursor:
        for source, params in _sources(connection, model, fields, columns):
            cursor.execute(head + source + tail, params)
            if answers:
                answer += cursor.fetchall()
    return answer


def _on_conflict(
    connection: BaseDatabaseWrapper,
    model: type[models.Model],
    *,
    unique: Sequence[str],
    update: Sequence[str],
    add: Sequence[str],
) -> str:
    """Write the end of an INSERT that says what becomes of rows that are there already."""
    table = connection.ops.quote_name(model._meta.db_table)
    keys = _columns(connection, model, unique)
    given = "VALUES({})" if connection.vendor == "mysql" else "excluded.{}"
    changes = [f"{column} = {given.format(column)}" for column in _columns(connection, model, update)]
    changes += [f"{column} = {table}.{column} + {given.format(column)}" for column in _columns(connection, model, add)]
    if connection.vendor == "mysql":
        # Setting a column to itself changes nothing. INSERT IGNORE would, but it hides every other error as well.
        return f" ON DUPLICATE KEY UPDATE {', '.join(changes or [f'{keys[0]} = {keys[0]}'])}"
    return f" ON CONFLICT ({', '.join(keys)}) DO {'UPDATE SET ' + ', '.join(changes) if changes else 'NOTHING'}"


def _sources(
    connection: Any, model: type[models.Model], fields: Sequence[str], columns: Sequence[Sequence[Any]]
) -> Iterator[tuple[str, list[Any]]]:
    """Write what an INSERT takes its rows from, and the parameters.

    More than one where a statement cannot hold all.
    """
    if connection.vendor == "mysql":
        for batch in _batches(connection, columns):
            yield f"VALUES {_marks(len(batch), len(fields))}", list(chain.from_iterable(batch))
        return
    # The rows must come from somewhere: the first column stays one, even if it holds one value only.
    varying = [place for place, values in enumerate(columns) if not place or len(set(values)) > 1]
    names = {place: f"given.c{number}" for number, place in enumerate(varying)}
    types = [
        f"::{_array_type(connection, model, name)}" if connection.vendor == "postgresql" else "" for name in fields
    ]
    picked = ", ".join(names.get(place, f"%s{type_}") for place, type_ in enumerate(types))
    same = [values[0] for place, values in enumerate(columns) if place not in names]
    given = [columns[place] for place in varying]
    if connection.vendor == "postgresql":
        arrays = ", ".join(f"%s{types[place]}[]" for place in varying)
        named = ", ".join(f"c{number}" for number in range(len(varying)))
        yield f"SELECT {picked} FROM unnest({arrays}) AS given ({named})", [*same, *map(list, given)]
        return
    named = ", ".join(f"column{number + 1} AS c{number}" for number in range(len(varying)))
    for batch in _batches(connection, given):
        # WHERE keeps an ON CONFLICT that follows from being read as part of a join.
        values = f"(SELECT {named} FROM (VALUES {_marks(len(batch), len(varying))}))"
        yield f"SELECT {picked} FROM {values} AS given WHERE true", [*same, *chain.from_iterable(batch)]


def select_rows(
    model: type[models.Model],
    *,
    fields: Sequence[str],
    among: tuple[str, Collection[int] | Collection[str]],
    lock: bool = False,
    **equal: int,
) -> list[tuple[Any, ...]]:
    """Return `fields` of the rows whose field `among[0]` is any of the values `among[1]`.

    Their other fields are `equal`.

    With `lock` they are held until the commit, taken in the order of their primary keys. Reads where writes go, as a
    write's look has to.
    """
    name, values = among
    if not values:
        return []
    connection = _connection(model)
    table = connection.ops.quote_name(model._meta.db_table)
    shown, (column,) = ", ".join(_columns(connection, model, fields)), _columns(connection, model, [name])
    conditions = [f"{other} = %s" for other in _columns(connection, model, equal)]
    params: list[Any] = list(equal.values())
    if connection.vendor == "postgresql" and not lock and _is_unique(model, {name, *equal}):
        # One descent of the index a value, whatever the table's size and whatever PostgreSQL knows of it: OFFSET keeps
        # it from joining the table as a whole, or from reading all rows that are `equal`.
        conditions.append(f"{column} = given.value")
        found = f"SELECT {shown} FROM {table} WHERE {' AND '.join(conditions)} OFFSET 0"
        array = f"unnest(%s::{_array_type(connection, model, name)}[]) AS given (value)"
        sql = f"SELECT found.* FROM {array} CROSS JOIN LATERAL ({found}) AS found"
        params = [list(set(values)), *params]
    else:
        condition, among_params = write_among(connection, _field(model, name), column, values)
        sql = f"SELECT {shown} FROM {table} WHERE {' AND '.join([*conditions, condition])}"
        params += among_params
    if lock:
        sql += f" ORDER BY {_columns(connection, model, [model._meta.pk.name])[0]}"
        sql += f" {connection.ops.for_update_sql()}" if connection.features.has_select_for_update else ""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return _converted(connection, model, fields, cursor.fetchall())


def _is_unique(model: type[models.Model], names: set[str]) -> bool:
    return any(
        isinstance(constraint, models.UniqueConstraint) and set(constraint.fields) == names
        for constraint in model._meta.constraints
    )


def update_rows(model: type[models.Model], *, fields: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Set `fields` of many rows to values of each row's own, with as few calls as can hold them.

    A row is (primary key, value per field …). Rows that no longer exist are passed over. On SQLite, the calls are one
    transaction if there is none yet.
    """
    if not rows:
        return
    connection = _connection(model)
    table = connection.ops.quote_name(model._meta.db_table)
    names = [model._meta.pk.name, *fields]
    key, *columns = _columns(connection, model, names)
    if connection.vendor == "sqlite":
        # SQLite runs one small statement for each row faster than it joins a table of values.
        changes = ", ".join(f"{column} = %s" for column in columns)
        values = _adapted(connection, model, names, rows)
        with transaction.atomic(using=connection.alias, savepoint=False), connection.cursor() as cursor:
            cursor.executemany(
                f"UPDATE {table} SET {changes} WHERE {key} = %s", zip(*values[1:], values[0], strict=True)
            )
        return
    if connection.vendor == "mysql":
        assignments = ", ".join(f"{table}.{column} = given.{column}" for column in columns)
        head, tail = f"UPDATE {table} JOIN ", f" ON {table}.{key} = given.{key} SET {assignments}"
    else:
        assignments = ", ".join(f"{column} = given.{column}" for column in columns)
        head, tail = f"UPDATE {table} SET {assignments} FROM ", f" WHERE {table}.{key} = given.{key}"
    with connection.cursor() as cursor:
        for source, params in _derived_tables(connection, model, names, rows):
            cursor.execute(head + source + tail, params)


def _derived_tables(
    connection: Any, model: type[models.Model], names: Sequence[str], rows: Sequence[Sequence[Any]]
) -> Iterator[tuple[str, list[Any]]]:
    """Write `rows` as a table `given` with the columns of these fields, and the parameters.

    In batches as `_sources`. Not for SQLite.
    """
    columns = _columns(connection, model, names)
    if connection.vendor == "postgresql":
        arrays = ", ".join(f"%s::{_array_type(connection, model, name)}[]" for name in names)
        yield f"unnest({arrays}) AS given ({', '.join(columns)})", [list(each) for each in zip(*rows, strict=True)]
        return
    for batch in _batches(connection, _adapted(connection, model, names, rows)):
        named = ", ".join(f"%s AS {column}" for column in columns)
        others = f" UNION ALL SELECT {', '.join(['%s'] * len(columns))}" * (len(batch) - 1)
        yield f"(SELECT {named}{others}) AS given", list(chain.from_iterable(batch))


def delete_rows(
    model: type[models.Model], *, field: str, values: Collection[int], returning: Sequence[str]
) -> list[tuple[Any, ...]]:
    """Delete the rows whose integer column `field` is among `values` and return their columns `returning`."""
    if not values:
        return []
    connection = _connection(model)
    table = connection.ops.quote_name(model._meta.db_table)
    (column,) = _columns(connection, model, [field])
    answer = ", ".join(_columns(connection, model, returning))
    condition, params = write_among(connection, _field(model, field), column, values)
    with connection.cursor() as cursor:
        if can_return_rows(connection):
            cursor.execute(f"DELETE FROM {table} WHERE {condition} RETURNING {answer}", params)
            return _converted(connection, model, returning, cursor.fetchall())
        cursor.execute(f"SELECT {answer} FROM {table} WHERE {condition} FOR UPDATE", params)
        rows = _converted(connection, model, returning, cursor.fetchall())
        cursor.execute(f"DELETE FROM {table} WHERE {condition}", params)
        return rows


def _batches(connection: Any, columns: Sequence[Sequence[Any]]) -> Iterator[list[tuple[Any, ...]]]:
    """Turn columns, which are not empty, into rows, and cut them into what one statement can hold."""
    rows = list(zip(*columns, strict=True))
    size = MAX_PARAMETERS[connection.vendor] // len(columns)
    return (rows[start : start + size] for start in range(0, len(rows), size))


def _marks(rows: int, columns: int) -> str:
    """Write the placeholders of so many rows."""
    return ", ".join([f"({', '.join(['%s'] * columns)})"] * rows)


def _array_type(connection: BaseDatabaseWrapper, model: type[models.Model], name: str) -> str:
    """The type of a field's array.

    Without the length of a varchar, so that a value too long fails instead of being cut.
    """
    type_ = _field(model, name).db_type(connection) or ""
    return "varchar" if type_.startswith("varchar") else type_


def _adapted(
    connection: Any, model: type[models.Model], fields: Sequence[str], rows: Sequence[Sequence[Any]]
) -> list[Sequence[Any]]:
    """Return the columns of `rows` as a driver takes them that does not know Python's types.

    There is at least one row.
    """
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
    for place, name in enumerate(fields):
        if (convert := _converter(connection, model, name)) is not None:
            # Nearly always it is one moment in all rows.
            known = {value: None if value is None else convert(value) for value in set(columns[place])}
            columns[place] = [known[value] for value in columns[place]]
    return columns


def _converter(connection: Any, model: type[models.Model], name: str) -> Callable[[Any], Any] | None:
    field = _field(model, name)
    kind = field.get_internal_type()
    if kind == "UUIDField" and not connection.features.has_native_uuid_field:
        return lambda value: value.hex
    if kind == "DateTimeField" and connection.vendor != "postgresql":
        return cast("Callable[[Any], Any]", connection.ops.adapt_datetimefield_value)
    return None


def _converted(
    connection: BaseDatabaseWrapper, model: type[models.Model], fields: Sequence[str], rows: Sequence[Any]
) -> list[tuple[Any, ...]]:
    return convert_rows(connection, [_field(model, name).get_col(model._meta.db_table) for name in fields], rows)
