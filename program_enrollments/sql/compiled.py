"""Queries that the ORM writes once a process, and that are run with other values ever after.

See ADR 0007.

Writing one takes the ORM a millisecond or several, at every save of every account: more than all of the database's
work at a sign-in, or for a page. Only for queries whose form never changes, on the paths that are counted in
milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connections, models, router

from program_enrollments.sql.conversion import convert_rows


class Slot(models.Expression):
    """A place in a query for a value that is given when it runs.

    An integer or a string, as the database stores it.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        """Write a placeholder, and stay in the parameters as oneself."""
        return "%s", [self]


class CompiledQuery:
    """A query with slots.

    `write` makes it, with `values_list` or as a union of such, and is called once a database.

    Reads where writes go, as a transaction's first look has to; `from_replica`, where the model is read.
    """

    def __init__(
        self,
        *,
        model: type[models.Model],
        write: Callable[[], models.QuerySet[Any, Any]],
        from_replica: bool = False,
    ) -> None:
        self._model, self._write = model, write
        self._choose_database = router.db_for_read if from_replica else router.db_for_write
        self._written: dict[str, tuple[str, tuple[Any, ...], list[Any]]] = {}

    def fetch(self, **values: int | str) -> list[tuple[Any, ...]]:
        """Return the rows for these values of the slots, as the driver gives them: truth may be 0 and 1.

        Raises KeyError for a slot without a value.
        """
        return self._fetch(self._choose_database(self._model), values)

    def fetch_converted(self, **values: int | str) -> list[tuple[Any, ...]]:
        """Do as `fetch`, but answer in Python's types, as the ORM would. Not for unions."""
        alias = self._choose_database(self._model)
        rows = self._fetch(alias, values)
        return convert_rows(connections[alias], self._written[alias][2], rows)

    def _fetch(self, alias: str, values: dict[str, int | str]) -> list[tuple[Any, ...]]:
        if alias not in self._written:
            compiler = self._write().query.get_compiler(using=alias)
            sql, params = compiler.as_sql()
            self._written[alias] = sql, params, [expression for expression, *_ in compiler.select]
        sql, params, _ = self._written[alias]
        with connections[alias].cursor() as cursor:
            cursor.execute(sql, [values[param.name] if isinstance(param, Slot) else param for param in params])
            return list(cursor.fetchall())
