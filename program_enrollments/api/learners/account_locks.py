"""Locking accounts: linking one and deleting one take its row before any learner's.

See ADR 0002, order of locks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connections, router

from program_enrollments.api.transactions import CrossedByAnother

SHARED = {"postgresql": "FOR SHARE", "mysql": "LOCK IN SHARE MODE"}


def lock_accounts(*, user_ids: Iterable[int], exclusive: bool = False) -> set[int]:
    """Keep these accounts from being deleted until the commit, and return those that exist.

    In ascending order. Waits for a deletion that has begun; what is deleted then is left out. The lock is shared, so
    that writers of one account meet at its learners as ever; who deletes the account, or decides as a person whose it
    is, takes it `exclusive`. Even then others may refer to the account on PostgreSQL, as the seats that a bulk write
    gives it do: a deletion that waits for that write's learners must not be what the write waits for. Without locks of
    rows (SQLite) writers take turns anyway.
    """
    ids = sorted(set(user_ids))
    if not ids:
        return set()
    model: Any = get_user_model()
    alias = router.db_for_write(model)
    connection = connections[alias]
    if exclusive or connection.vendor not in SHARED:
        accounts = model._base_manager.using(alias).filter(pk__in=ids).order_by("pk")
        features = connection.features
        if features.has_select_for_update:
            accounts = accounts.select_for_update(no_key=features.has_select_for_no_key_update)
        return set(accounts.values_list("pk", flat=True))
    name = connection.ops.quote_name
    table, column = name(model._meta.db_table), name(model._meta.pk.column)
    marks = ", ".join(["%s"] * len(ids))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {column} FROM {table} WHERE {column} IN ({marks}) ORDER BY {column} {SHARED[connection.vendor]}",  # noqa: S608  (names come from the model)
            ids,
        )
        return {pk for (pk,) in cursor.fetchall()}


@dataclass(frozen=True, slots=True)
class HeldAccounts:
    """Accounts that stay until the commit; `user_ids` is None where nothing has to be held."""

    user_ids: frozenset[int] | None

    def require(self, user_ids: Iterable[int | None]) -> None:
        """Raise CrossedByAnother if one of these is not held: it was linked since the look."""
        if self.user_ids is not None and not self.user_ids.issuperset(set(user_ids) - {None}):
            raise CrossedByAnother


NOTHING_HELD = HeldAccounts(None)


def hold_accounts(*, user_ids: Iterable[int]) -> HeldAccounts:
    """Keep these accounts from being deleted until the commit.

    Comes before learners are locked to give them anything.

    Does something on MySQL and MariaDB only. There the foreign key of a new seat or identity waits for a deletion of
    the account, while the deletion may wait for the learner.
    """
    if connections[router.db_for_write(get_user_model())].vendor != "mysql":
        return NOTHING_HELD
    ids = frozenset(user_ids)
    lock_accounts(user_ids=ids)
    return HeldAccounts(ids)
