"""The bare driver: what every floor is measured with. Its connection is opened with the parameters of the app's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any


@cache
def get_driver() -> Driver:
    """Return this process's driver. One for all floors: a connection is slower while it is new."""
    return Driver()


class Driver:
    """A driver's own connection to the stand's database, beside Django's."""

    def __init__(self) -> None:
        from django.db import connection  # noqa: PLC0415  (needs the stand's settings)

        wrapper = connection.copy()
        wrapper.ensure_connection()
        self.vendor: str = wrapper.vendor
        self._wrapper = wrapper
        self.cursor: Any = wrapper.connection.cursor()
        self.statements = 0

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit at the end, or roll back. SQLite takes the write lock at the beginning, as the app does."""
        self.cursor.execute("BEGIN IMMEDIATE" if self.vendor == "sqlite" else "BEGIN")
        try:
            yield
        except BaseException:
            self.cursor.execute("ROLLBACK")
            raise
        self.cursor.execute("COMMIT")

    def execute(self, statement: str, params: Sequence[Any] = ()) -> Any:
        """Send one statement and return the cursor."""
        if self.vendor == "sqlite":
            statement = statement.replace("%s", "?")
        self.statements += 1
        self.cursor.execute(statement, list(params))
        return self.cursor

    def quote(self, name: str) -> str:
        """Return a column's name in this database's quotes (MySQL keeps `before` for itself)."""
        return f"`{name}`" if self.vendor == "mysql" else f'"{name}"'

    def now(self) -> Any:
        """Return the present time as this driver takes it."""
        now = datetime.now(UTC)
        return {"postgresql": now, "mysql": now.replace(tzinfo=None), "sqlite": str(now.replace(tzinfo=None))}[
            self.vendor
        ]

    def upsert(
        self,
        *,
        table: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[Any]],
        unique: Sequence[str] = (),
        update: Sequence[str] = (),
        returning: Sequence[str] = (),
        types: Sequence[str] | None = None,
    ) -> list[tuple[Any, ...]]:
        """Insert rows with one statement; where one is there by its `unique` columns, set the `update` columns.

        With `types` (PostgreSQL) the rows go as one array a column, else as a list of VALUES.
        """
        head = f"INSERT INTO {table} ({', '.join(columns)}) "
        params: list[Any]
        if types is None:
            one = f"({', '.join(['%s'] * len(columns))})"
            body, params = "VALUES " + ", ".join([one] * len(rows)), [value for row in rows for value in row]
        else:
            body = f"SELECT * FROM unnest({', '.join(f'%s::{type_}[]' for type_ in types)})"
            params = [list(values) for values in zip(*rows, strict=True)]
        tail = ""
        if update and self.vendor == "mysql":
            tail = " ON DUPLICATE KEY UPDATE " + ", ".join(f"{name} = VALUES({name})" for name in update)
        elif update:
            changes = ", ".join(f"{name} = excluded.{name}" for name in update)
            tail = f" ON CONFLICT ({', '.join(unique)}) DO UPDATE SET {changes}"
        if returning:
            tail += f" RETURNING {', '.join(returning)}"
        cursor = self.execute(head + body + tail, params)
        return list(cursor.fetchall()) if returning else []

    def copy(self, *, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Load rows by PostgreSQL's COPY."""
        self.statements += 1
        with self.cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
