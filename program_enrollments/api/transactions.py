"""Short transactions, which are tried again if the database gives one up in favour of another."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from typing import Any, TypeVar

from django.db import OperationalError, connections, router, transaction

from program_enrollments.conf import get_setting
from program_enrollments.failures import describe_failure
from program_enrollments.models import Learner

logger = logging.getLogger(__name__)
T = TypeVar("T")

# SQLSTATE of PostgreSQL; error numbers of MySQL and MariaDB; words of SQLite, which has no codes before Python 3.11.
POSTGRESQL_PASSING = frozenset({"40001", "40P01", "55P03"})
MYSQL_PASSING = frozenset({1205, 1213, 1020})
FIRST_PAUSE_SECONDS = 0.02


def get_database_alias() -> str:
    """Return the alias of the database that holds the app's tables and the accounts (ADR 0015)."""
    return router.db_for_write(Learner)


def get_connection() -> Any:
    """Return this thread's connection to that database."""
    return connections[get_database_alias()]


def atomic() -> transaction.Atomic:
    """Return a block that is a savepoint inside a transaction, and a transaction outside of one."""
    return transaction.atomic(using=get_database_alias())


def roll_back() -> None:
    """Let the innermost `atomic` block be rolled back at its end, without an exception."""
    transaction.set_rollback(True, using=get_database_alias())


class CrossedByAnother(Exception):
    """What was read no longer holds because another writer came first: the transaction must start anew."""


def is_passing(error: BaseException) -> bool:
    """Whether `error` only says that another transaction was in the way.

    That is a deadlock, a lock time-out or a serialization failure.
    """
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


class Followups:
    """What follows the commit of one transaction of the app, in the order in which it was registered."""

    def __init__(self) -> None:
        self.works: list[Callable[[], object]] = []
        self.committed = False

    def run(self) -> None:
        """Do it all, each by itself."""
        self.committed = True
        for work in self.works:
            _follow(work)


_followups: ContextVar[Followups | None] = ContextVar("program_enrollments_followups", default=None)


def in_transaction(work: Callable[[], T]) -> T:
    """Run `work` in a transaction and return what it returns.

    If `is_passing` holds for what it raises, it is run again after a pause. Inside a transaction that somebody else
    opened it runs in a savepoint, and again only for `CrossedByAnother`: after a deadlock only the owner could
    start anew. Raises what `work` raised on the last try, but not what the host's own callbacks raise after the
    commit: what is committed has happened, and that is what callers have to hear. `work` must not have effects
    outside the database; what it has to do after the commit goes through `after_commit`.
    """
    alias, tries = get_database_alias(), get_setting("TRANSACTION_TRIES")
    inside = connections[alias].in_atomic_block
    followups = _followups.get() or Followups()
    if inside and _followups.get() is None:
        # Before `work`, in which the host may register callbacks that raise.
        transaction.on_commit(followups.run, using=alias, robust=True)
    registered = len(followups.works)
    for attempt in range(1, tries + 1):
        answers: list[T] = []
        try:
            with transaction.atomic(using=alias):
                if not inside:
                    # The first to be registered is the first to be called.
                    transaction.on_commit(followups.run, using=alias, robust=True)
                answers.append(_collecting(followups, work))
        # Everything: whatever `work` raised, its follow-ups must not run. What may not pass is raised again.
        except Exception as error:
            if followups.committed:
                # The commit stands, so the error is a callback's of the host. Its text may hold personal data.
                logger.error("What follows a commit failed: %s.", describe_failure(error))
                return answers[0]
            # What was rolled back has nothing that follows it.
            del followups.works[registered:]
            if attempt == tries or not (isinstance(error, CrossedByAnother) if inside else is_passing(error)):
                raise
            time.sleep(FIRST_PAUSE_SECONDS * attempt * random.uniform(0.5, 1.5))  # noqa: S311  (spreads retries)
            continue
        return answers[0]
    raise AssertionError("unreachable: the last try returns or raises")


_rehearsing: ContextVar[bool] = ContextVar("program_enrollments_rehearsing", default=False)


class _TakenBack(Exception):
    """Rolls a rehearsal back, and carries its answer out of the transaction."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        super().__init__()


def rehearse(work: Callable[[], T]) -> T:
    """Run `work` as `in_transaction` does, take back what it wrote, and return what it returned.

    Nothing follows it, and the host is asked but not told (`is_rehearsal`). Locks are held as long as by the real run.
    """

    def take_back() -> T:
        raise _TakenBack(work())

    token = _rehearsing.set(True)
    try:
        return in_transaction(take_back)
    except _TakenBack as taken:
        answer: T = taken.answer
        return answer
    finally:
        _rehearsing.reset(token)


def is_rehearsal() -> bool:
    """Whether what runs now is taken back at its end."""
    return _rehearsing.get()


def after_commit(work: Callable[[], object], *, using: str | None = None) -> None:
    """Call `work` once the transaction has committed, at once if there is none.

    What it raises is logged, not raised. The transaction is that of the database `using`, the app's own if it is None.

    Django calls callbacks in the order of their registration and drops all behind the first that raises. In
    `in_transaction`, `work` comes before any callback that the host registers there. A callback that the host
    registered earlier, in a transaction of its own, can still raise and drop it: the sweep has to find what was lost.
    A savepoint that is rolled back inside `in_transaction` does not take `work` back, so it must look at the data anew.
    """
    followups, alias = _followups.get(), get_database_alias()
    if followups is not None and (using or alias) == alias:
        followups.works.append(work)
    else:
        transaction.on_commit(partial(_follow, work), using=using or alias, robust=True)


def _collecting(followups: Followups, work: Callable[[], T]) -> T:
    token = _followups.set(followups)
    try:
        return work()
    finally:
        _followups.reset(token)


def _follow(work: Callable[[], object]) -> None:
    try:
        work()
    # Django would log the message, which may hold personal data; and what follows next must not be lost.
    except Exception as error:  # noqa: BLE001
        logger.error("What follows a commit failed: %s.", describe_failure(error))


def is_lost() -> bool:
    """Whether the transaction that this runs in can only be rolled back.

    So it is after a deadlock on MariaDB and MySQL. What was written before is gone, and nothing more can be written.
    """
    alias = get_database_alias()
    return connections[alias].in_atomic_block and transaction.get_rollback(using=alias)
