"""`refresh_metadata`: compare providers' published metadata with what is stored (docs/sso.rst)."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from program_enrollments import api


class Command(BaseCommand):
    help = (
        "Fetches the metadata of each enabled identity provider that has a metadata URL. New certificates are proposed "
        "in the admin, never taken over. Exits with 1 if a provider needs a person. Can be run daily, and at any time."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Report what would be done, and do nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        dry_run: bool = options["dry_run"]
        refreshed = []
        for metadata in api.refresh_metadata(now=timezone.now(), dry_run=dry_run):
            refreshed.append(metadata)
            if options["verbosity"] > 0 or metadata.needs_person:
                stream = self.stderr if metadata.needs_person else self.stdout
                detail = f": {metadata.detail}" if metadata.detail else "."
                stream.write(f"{metadata.slug}: {metadata.outcome.value}, {metadata.outcome.label}{detail}")
        if dry_run and options["verbosity"] > 0:
            self.stdout.write("Dry run, nothing was written.")
        needing = sum(metadata.needs_person for metadata in refreshed)
        if needing:
            raise CommandError(f"Identity providers that need a person: {needing}, each named above.")
