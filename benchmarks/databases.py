"""Databases of the benchmark's own: where they are, how they are made, and that they are gone afterwards."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

PREFIX = "bench_program_enrollments"
FOLDER = Path(__file__).resolve().parent.parent / "build" / "bench"
TITLES = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mariadb": "MariaDB"}


def database_name(*, vendor: str, label: str) -> str:
    """Return the name of a database of this run: no test, demo or other run has one of that name."""
    name = f"{PREFIX}_{label}_{os.getpid()}"
    return str(FOLDER / f"{name}.sqlite3") if vendor == "sqlite" else name


def database_settings(*, vendor: str, name: str) -> dict[str, Any]:
    """Return Django's settings of the database `name`. Raises KeyError for a vendor that cannot be measured."""
    environ = os.environ
    settings: dict[str, dict[str, Any]] = {
        "sqlite": {
            "ENGINE": "django.db.backends.sqlite3",
            # Those of the demo: every commit reaches the disk.
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 30,
                "init_command": "PRAGMA journal_mode=WAL;",
            },
        },
        "postgresql": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": environ.get("POSTGRES_HOST", "127.0.0.1"),
            "PORT": environ.get("POSTGRES_PORT", "5432"),
            "USER": environ.get("POSTGRES_USER", "postgres"),
            "PASSWORD": environ.get("POSTGRES_PASSWORD", ""),
        },
        "mariadb": {
            "ENGINE": "django.db.backends.mysql",
            "HOST": environ.get("MARIADB_HOST", "127.0.0.1"),
            "PORT": environ.get("MARIADB_PORT", "3306"),
            "USER": environ.get("MARIADB_USER", "root"),
            "PASSWORD": environ.get("MARIADB_PASSWORD", ""),
            "OPTIONS": {"charset": "utf8mb4"},
        },
    }
    return {**settings[vendor], "NAME": name}


def create_database(*, vendor: str, name: str) -> None:
    """Make the database, empty; one of that name is replaced."""
    drop_database(vendor=vendor, name=name)
    if vendor == "sqlite":
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        sqlite3.connect(name).close()
    else:
        charset = " CHARACTER SET utf8mb4" if vendor == "mariadb" else ""
        _administer(vendor, f"CREATE DATABASE {name}{charset}")


def drop_database(*, vendor: str, name: str) -> None:
    """Remove the database, if it is there."""
    if vendor == "sqlite":
        for suffix in ("", "-wal", "-shm"):
            Path(name + suffix).unlink(missing_ok=True)
    else:
        _administer(vendor, f"DROP DATABASE IF EXISTS {name}" + (" WITH (FORCE)" if vendor == "postgresql" else ""))


def _administer(vendor: str, statement: str) -> None:
    settings = database_settings(vendor=vendor, name="")
    if vendor == "postgresql":
        import psycopg  # noqa: PLC0415  (SQLite can be measured without this driver)

        server = {key: settings[key.upper()] for key in ("host", "port", "user", "password")}
        with psycopg.connect(**server, dbname="postgres", autocommit=True) as connection:
            connection.execute(statement)
    else:
        import MySQLdb  # noqa: PLC0415  (as above)

        with closing(
            MySQLdb.connect(
                host=settings["HOST"],
                port=int(settings["PORT"]),
                user=settings["USER"],
                password=settings["PASSWORD"],
            )
        ) as connection:
            connection.cursor().execute(statement)
