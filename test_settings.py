"""Settings of the test suite: those of the demo LMS, on the database that the environment names.

In, all from the environment:

``DATABASE``
    ``sqlite`` (default), ``postgresql`` or ``mariadb``.
``TEST_DB_SUFFIX``
    Stands at the end of the test database's name, so that several runs at once don't meet. Letters, digits and ``_``.
``POSTGRES_HOST``, ``_PORT``, ``_USER``, ``_PASSWORD`` and ``MARIADB_HOST``, ``_PORT``, ``_USER``, ``_PASSWORD``
    Where the servers are, and who may create databases there.

Raises `ImproperlyConfigured` for a database or a suffix that cannot be meant.
"""

import os
import re
import tempfile
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from demo_lms.settings import *  # noqa: F403


def _test_database(*, name: str, suffix: str) -> dict[str, Any]:
    """Return the ``DATABASES["default"]`` for the database called `name`; raise `ImproperlyConfigured` if unknown."""
    if not re.fullmatch(r"\w*", suffix, re.ASCII):
        raise ImproperlyConfigured(f"TEST_DB_SUFFIX is {suffix!r}; use letters, digits and _ only.")
    test_name = "_".join(filter(None, ["test_program_enrollments", suffix.lower()]))

    match name:
        case "sqlite":
            # A file, not memory: crossing tests need connections that lock each other as those of a real site do.
            # The process id keeps two runs apart even when nobody thought of a suffix.
            path = Path(tempfile.gettempdir()) / f"{test_name}_{os.getpid()}.sqlite3"
            return {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": ":memory:",  # whatever is run outside of tests must not touch the demo's data
                "OPTIONS": {
                    # IMMEDIATE: a transaction that reads and then writes waits for its turn instead of failing at once.
                    "transaction_mode": "IMMEDIATE",
                    # SQLite serves those who wait in no order, and the machine may be busy.
                    "timeout": 120,
                    # Test data needn't survive a power cut.
                    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;",
                },
                "TEST": {"NAME": str(path)},
            }
        case "postgresql":
            return {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": "program_enrollments",
                "HOST": os.environ.get("POSTGRES_HOST", "127.0.0.1"),
                "PORT": os.environ.get("POSTGRES_PORT", "5432"),
                "USER": os.environ.get("POSTGRES_USER", "postgres"),
                "PASSWORD": os.environ.get("POSTGRES_PASSWORD", ""),
                "OPTIONS": {"connect_timeout": 10},
                "TEST": {"NAME": test_name},
            }
        case "mariadb":
            return {
                "ENGINE": "django.db.backends.mysql",
                "NAME": "program_enrollments",
                "HOST": os.environ.get("MARIADB_HOST", "127.0.0.1"),
                "PORT": os.environ.get("MARIADB_PORT", "3306"),
                "USER": os.environ.get("MARIADB_USER", "root"),
                "PASSWORD": os.environ.get("MARIADB_PASSWORD", ""),
                "OPTIONS": {"charset": "utf8mb4", "connect_timeout": 10},
                # No collation: the server's default takes é for e and ignores trailing spaces, as it does at most
                # sites. Equality must not depend on it, and only so do the tests show that.
                "TEST": {"NAME": test_name, "CHARSET": "utf8mb4"},
            }
        case _:
            raise ImproperlyConfigured(f"DATABASE is {name!r}; it can be sqlite, postgresql or mariadb.")


DATABASES = {
    "default": _test_database(
        name=os.environ.get("DATABASE", "sqlite"),
        suffix=os.environ.get("TEST_DB_SUFFIX", ""),
    )
}

# Nothing that a demo on the same checkout has written is read, and nothing is written among it. The folder appears only
# when a test writes there without one of its own.
_FOLDER = Path(tempfile.gettempdir()) / f"test_program_enrollments_files_{os.getpid()}"
EMAIL_FILE_PATH = str(_FOLDER / "outbox")
for _alias, _name in (("program_enrollments", "files"), ("program_enrollments_feeds", "drop")):
    STORAGES = {
        **STORAGES,
        _alias: {**STORAGES[_alias], "OPTIONS": {**STORAGES[_alias]["OPTIONS"], "location": str(_FOLDER / _name)}},
    }

# Hashing passwords slowly is what production is for.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
