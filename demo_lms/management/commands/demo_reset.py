"""Throws the demo's data away."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection


class Command(BaseCommand):
    help = "Delete the demo's database, files, mails and keys. The next `demo` starts with fresh data."

    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        if connection.vendor != "sqlite":
            raise CommandError("The demo's database is not a file here. Drop it with your database's own tools.")
        connection.close()
        database = Path(settings.DATABASES["default"]["NAME"])
        for suffix in ("", "-wal", "-shm", "-journal"):
            database.with_name(database.name + suffix).unlink(missing_ok=True)
        shutil.rmtree(settings.EMAIL_FILE_PATH, ignore_errors=True)
        shutil.rmtree(settings.DEMO_IDP_FOLDER, ignore_errors=True)
        for alias in ("program_enrollments", "program_enrollments_feeds"):
            shutil.rmtree(settings.STORAGES[alias]["OPTIONS"]["location"], ignore_errors=True)
        self.stdout.write(self.style.SUCCESS("The demo's data is gone. `make demo` starts with fresh data."))
