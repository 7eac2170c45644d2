"""Database routers, isolation levels, storage engines and character sets."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Tags, register
from django.db import DEFAULT_DB_ALIAS, connections, router

from program_enrollments import api
from program_enrollments.checks.messages import APP, error, warning

LEAST_SQLITE = (3, 35)
"""The first version with RETURNING in INSERT and DELETE."""
READS_DRAWN = 20
"""How often a router is queried for one model before it counts as sending all reads of it to one database."""


@register()
def check_routers(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return E015 and E016 if routers send one transaction's writes or reads to another database."""
    written = {*apps.get_app_config(APP).get_models(), get_user_model(), *models_of("social_django")}
    # A proxy, or a class that inherits from one of these, writes the same tables; routers see another model.
    writing = [model for model in apps.get_models() if issubclass(model, tuple(written))]
    elsewhere = [model for model in writing if router.db_for_write(model) != DEFAULT_DB_ALIAS]
    # Django's own tables of permissions decide whether a university may sign somebody on.
    stale = [model for model in written | {*models_of("auth")} if model not in elsewhere and _reads_elsewhere(model)]
    problems: list[CheckMessage] = []
    if elsewhere:
        hint = (
            f'Let the routers return "{DEFAULT_DB_ALIAS}" from db_for_write for the models of {APP}, the user model '
            "and the models of social_django: one transaction writes all of them."
        )
        message = f'The database routers send writes elsewhere than to "{DEFAULT_DB_ALIAS}": {_labels(elsewhere)}.'
        problems.append(error(15, message, hint))
    if stale:
        hint = (
            f'Let the routers return "{DEFAULT_DB_ALIAS}" from db_for_read for these models: a replica that is behind '
            "would hide enrollments and sign-ons from the writes that depend on them. Other models may be read from it."
        )
        message = f"The database routers send reads elsewhere than writes: {_labels(stale)}."
        problems.append(error(16, message, hint))
    return problems


def _reads_elsewhere(model: Any) -> bool:
    # Some routers choose one of several databases at random.
    return any(router.db_for_read(model) != DEFAULT_DB_ALIAS for _ in range(READS_DRAWN))


def _labels(models: Sequence[Any]) -> str:
    return ", ".join(sorted(model._meta.label for model in models))


@register()
def check_database_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return E010, E011, W003 and W004: transactions that the settings make unfit for the app's locks."""
    connection = connections[api.get_database_alias()]
    options = connection.settings_dict.get("OPTIONS", {})
    if connection.vendor == "sqlite":
        return _check_sqlite(connection, options)
    if connection.vendor == "mysql":
        level = options.get("isolation_level", "read committed")
        if str(level).lower() != "read committed":
            hint = 'Leave OPTIONS["isolation_level"] out, or set it to "read committed", which is Django\'s default.'
            message = (
                f"MySQL or MariaDB is used with isolation level {level!r}: after waiting for a lock, a write would not "
                "see what the other write committed."
            )
            return [error(11, message, hint)]
    if connection.vendor == "postgresql":
        level = getattr(options.get("isolation_level"), "name", options.get("isolation_level"))
        if level not in {None, "READ_COMMITTED", 2}:
            hint = 'Leave OPTIONS["isolation_level"] out. Otherwise writes are retried whenever a sign-in crosses them.'
            return [warning(4, f"PostgreSQL is used with isolation level {level}.", hint)]
    return []


def _check_sqlite(connection: Any, options: dict[str, Any]) -> list[CheckMessage]:
    problems: list[CheckMessage] = []
    version = connection.Database.sqlite_version_info
    if version < LEAST_SQLITE:
        wanted = ".".join(map(str, LEAST_SQLITE))
        message = f"SQLite {connection.Database.sqlite_version} is too old."
        problems.append(
            error(10, message, f"Use a Python that comes with SQLite {wanted} or later, or another database.")
        )
    if str(options.get("transaction_mode") or "").upper() not in {"IMMEDIATE", "EXCLUSIVE"}:
        hint = (
            'Set OPTIONS["transaction_mode"] to "IMMEDIATE", and a timeout. Then a transaction that reads before it '
            "writes waits for its turn instead of failing."
        )
        problems.append(warning(3, "SQLite is used without immediate transactions.", hint))
    return problems


@register(Tags.database)
def check_database(app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Return E012 and E013 for the storage engines and character sets of MySQL and MariaDB."""
    alias = api.get_database_alias()
    if alias not in (databases or ()) or connections[alias].vendor != "mysql":
        return []
    tables = [model._meta.db_table for model in apps.get_app_config(APP).get_models()]
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT table_name, engine FROM information_schema.tables "
            "WHERE table_schema = DATABASE() AND table_name IN %s UNION ALL SELECT '', @@default_storage_engine",
            [tables],
        )
        engines = dict(cursor.fetchall())
        cursor.execute(
            "SELECT DISTINCT table_name, character_set_name FROM information_schema.columns "
            "WHERE table_schema = DATABASE() AND table_name IN %s AND character_set_name IS NOT NULL "
            "UNION ALL SELECT '', @@character_set_database UNION ALL SELECT '', @@character_set_connection",
            [tables],
        )
        charsets = set(cursor.fetchall())
    return [*judge_engines(engines), *judge_charsets(charsets)]


def judge_engines(engines: dict[str, str]) -> list[CheckMessage]:
    """Return E012 for each engine but InnoDB, given by table; "" names the default of new tables."""
    return [
        error(
            12,
            f"{_named(table)} the storage engine {engine}, which has no transactions.",
            "Make InnoDB the default_storage_engine, and convert existing tables with ALTER TABLE … ENGINE = InnoDB.",
        )
        for table, engine in sorted(engines.items())
        if engine.lower() != "innodb"
    ]


def judge_charsets(charsets: Collection[tuple[str, str]]) -> list[CheckMessage]:
    """Return E013 for each character set but utf8mb4, given as (table, character set).

    The table "" stands for the database or the connection.
    """
    return [
        error(
            13,
            f"{_named(table)} the character set {charset}, which cannot store every name and student ID.",
            'Set OPTIONS["charset"] to "utf8mb4", run ALTER DATABASE … CHARACTER SET utf8mb4, and convert the tables.',
        )
        for table, charset in sorted(charsets)
        if charset.lower() != "utf8mb4"
    ]


def _named(table: str) -> str:
    return f"Table {table} has" if table else "The database or its connection has"


def models_of(app_label: str) -> list[Any]:
    """Return the models of an app that have tables, or none if the app is not installed."""
    try:
        return [model for model in apps.get_app_config(app_label).get_models() if model._meta.managed]
    except LookupError:
        return []
