"""Templates of migrated SQLite databases: migrating takes seconds, copying a file nothing.

Many tests start processes, and most of those begin with a database of their own. A template belongs to the settings
and to the migrations that made it, so it needs no care: others make another one.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from django.conf import settings
from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader

FOLDER = Path(__file__).resolve().parent.parent / ".cache" / "sqlite_templates"


def copy_template() -> bool:
    """Put a copy of the template where this run's database will be; return whether there is a template."""
    template = _template()
    if template is None or not template.exists():
        return False
    shutil.copyfile(template, _database())
    return True


def save_template() -> None:
    """Keep this run's database, which was just migrated, for the next ones."""
    template = _template()
    if template is None:
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    # Several runs may do so at the same time.
    own = template.with_suffix(f".{os.getpid()}")
    connection.ensure_connection()
    with closing(sqlite3.connect(own)) as copy:
        connection.connection.backup(copy)
    own.replace(template)


def delete_databases() -> None:
    """Delete this run's databases: as one is a copy of a template, Django believes that they are to be kept."""
    for each in connections.all():
        each.close()
        for suffix in ("", "-wal", "-shm"):
            Path(f"{each.settings_dict['TEST']['NAME']}{suffix}").unlink(missing_ok=True)


def _database() -> str:
    return str(connection.settings_dict["TEST"]["NAME"])


def _template() -> Path | None:
    if connection.vendor != "sqlite":
        return None
    key = hashlib.sha256(str(settings.SETTINGS_MODULE).encode())
    for name, migration in sorted(MigrationLoader(None).disk_migrations.items()):
        file = sys.modules[type(migration).__module__].__file__
        key.update(repr(name).encode() + Path(str(file)).read_bytes())
    return FOLDER / f"{key.hexdigest()}.sqlite3"
