"""`sync_catalog`: take the catalog over from Course Discovery (docs/catalog.rst)."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from program_enrollments import api
from program_enrollments.catalog_sources.discovery import fetch_programs, read_connection
from program_enrollments.exceptions import CatalogUnavailable
from program_enrollments.management.catalog_report import CatalogReport


class Command(BaseCommand):
    help = (
        "Takes programs, curricula and course runs over from Course Discovery and says what changed. "
        "Exits with 1 if a program could not be taken over, or Discovery not be read to the end."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Say what would change, and change nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        report = CatalogReport(self, dry_run=options["dry_run"], verbosity=options["verbosity"])
        try:
            programs = fetch_programs(read_connection())
            for outcome in api.load_catalog(programs=programs, dry_run=options["dry_run"]):
                report.tell(outcome)
        except CatalogUnavailable as error:
            report.broke_off(error.detail)
        report.close()
