"""Transacting: short transactions that are tried again when the database gives one up in favour of another."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from django.db import OperationalError, connection, transaction

from program_enrollments.conf import get_setting
from program_enrollments.failures import describe_failure

logger = logging.getLogger(__name__)
T = TypeVar("T")

# SQLSTATE of PostgreSQL; error numbers of MySQL and MariaDB; words of SQLite, which has no codes before Python 3.11.
POSTGRESQL_PASSING = frozenset({"40001", "40P01", "55P03"})
MYSQL_PASSING = frozenset({1205, 1213, 1020})
FIRST_PAUSE_SECONDS = 0.02


class CrossedByAnother(Exception):
    """What was read no longer holds because another writer came first: the transaction must start anew."""


def is_passing(error: BaseException) -> bool:
    """Whether `error` only says that another transaction was in the way (deadlock, lock time-out, serialization)."""
    if isinstance(error, CrossedByAnother):
        return True
    if not isinstance(error, OperationalError):
        return False
    cause = error.__cause__
    # psycopg says `sqlstate`, psycopg2 `pgcode`.
    if getattr(cause, "sqlstate", getattr(cause, "pgcode", None)) in POSTGRESQL_PASSING:
        return True
    if error.args and error.args[0] in MYSQL_PASSING:
        return True
    return getattr(cause, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


def in_transaction(work: Callable[[], T]) -> T:
    """Run `work` in a transaction and return what it returns; run it again, after a pause, where `is_passing` holds.

    Inside a transaction that somebody else opened it runs in a savepoint, and again only for `CrossedByAnother`: after
    a deadlock only the owner could start anew. Raises what `work` raised on the last try, but not what the host's own
    callbacks raise after the commit: what is committed has happened, and that is what callers have to hear. `work` must
    not have effects outside the database.
    """
    inside, tries = connection.in_atomic_block, get_setting("TRANSACTION_TRIES")
    for attempt in range(1, tries + 1):
        answers: list[T] = []
        committed: list[bool] = []
        try:
            with transaction.atomic():
                if not inside:
                    # The first to be registered is the first to be called.
                    transaction.on_commit(partial(committed.append, True))
                answers.append(work())
        except Exception as error:
            if committed:
                logger.error("What follows a commit failed: %s.", describe_failure(error))
            elif attempt == tries or not (isinstance(error, CrossedByAnother) if inside else is_passing(error)):
                raise
            else:
                time.sleep(FIRST_PAUSE_SECONDS * attempt * random.uniform(0.5, 1.5))  # noqa: S311  (spreads retries)
                continue
        return answers[0]
    raise AssertionError("unreachable: the last try returns or raises")


def is_lost() -> bool:
    """Whether the transaction that this runs in can only be rolled back, as after a deadlock on MariaDB and MySQL: what
    was written before is gone, and nothing more can be.
    """
    return connection.in_atomic_block and transaction.get_rollback()
