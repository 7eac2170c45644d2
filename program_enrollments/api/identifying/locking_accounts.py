"""Locking accounts: linking one and deleting one take its row before any learner's (ADR 0002, order of locks)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connections, router


def lock_accounts(*, user_ids: Iterable[int]) -> set[int]:
    """Lock these accounts in ascending order until the commit and return those that exist.

    Waits for a deletion that has begun; what is deleted then is left out. On PostgreSQL the lock lets others refer to
    the account, as the seats that a bulk write gives it do: a deletion that waits for that write's learners must not
    be what the write waits for. Without locks of rows (SQLite) writers take turns anyway.
    """
    ids = set(user_ids)
    if not ids:
        return set()
    model: Any = get_user_model()
    alias = router.db_for_write(model)
    accounts = model._base_manager.using(alias).filter(pk__in=ids).order_by("pk")
    features = connections[alias].features
    if features.has_select_for_update:
        accounts = accounts.select_for_update(no_key=features.has_select_for_no_key_update)
    return set(accounts.values_list("pk", flat=True))


def hold_accounts(*, user_ids: Iterable[int]) -> None:
    """Keep these accounts from being deleted until the commit, before learners are locked to give them seats.

    Does something on MySQL and MariaDB only. There a seat's foreign key waits for a deletion of its account, while the
    deletion may wait for the learner.
    """
    model: Any = get_user_model()
    alias = router.db_for_write(model)
    connection = connections[alias]
    ids = sorted(set(user_ids))
    if connection.vendor != "mysql" or not ids:
        return
    name = connection.ops.quote_name
    table, column = name(model._meta.db_table), name(model._meta.pk.column)
    marks = ", ".join(["%s"] * len(ids))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {column} FROM {table} WHERE {column} IN ({marks}) ORDER BY {column} LOCK IN SHARE MODE",  # noqa: S608  (names come from the model)
            ids,
        )
