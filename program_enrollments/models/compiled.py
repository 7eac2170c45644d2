"""Queries that the ORM writes once a process, and that are run with other values ever after (ADR 0007).

Writing one takes the ORM a millisecond or several, at every save of every account: more than all of the database's
work at a sign-in. Only for queries whose form never changes, on the paths that are counted in milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connections, models, router


class Slot(models.Expression):
    """A place in a query for a value that is given when it runs: an integer or a string, as the database stores it."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        """Write a placeholder, and stay in the parameters as oneself."""
        return "%s", [self]


class CompiledQuery:
    """A query with slots. `write` makes it, with `values_list` or as a union of such, and is called once a database."""

    def __init__(self, *, model: type[models.Model], write: Callable[[], models.QuerySet[Any, Any]]) -> None:
        self._model, self._write = model, write
        self._written: dict[str, tuple[str, tuple[Any, ...]]] = {}

    def fetch(self, **values: int | str) -> list[tuple[Any, ...]]:
        """Return the rows for these values of the slots, as the driver gives them: truth may be 0 and 1.

        Raises KeyError for a slot without a value. Reads where writes go, as a transaction's first look has to.
        """
        alias = router.db_for_write(self._model)
        if alias not in self._written:
            self._written[alias] = self._write().query.get_compiler(using=alias).as_sql()
        sql, params = self._written[alias]
        with connections[alias].cursor() as cursor:
            cursor.execute(sql, [values[param.name] if isinstance(param, Slot) else param for param in params])
            return list(cursor.fetchall())
