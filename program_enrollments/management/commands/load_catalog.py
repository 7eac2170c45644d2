"""`load_catalog`: take the catalog over from a file (docs/catalog.rst)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from program_enrollments import api
from program_enrollments.catalog_sources.files import read_file
from program_enrollments.exceptions import CatalogUnavailable
from program_enrollments.management.catalog_report import CatalogReport


class Command(BaseCommand):
    help = (
        "Takes programs, curricula and course runs over from a CSV file, or from a JSON file in the shape of Course "
        "Discovery, and says what changed. Exits with 1 if a program, or the file, could not be taken over."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="A file ending in .csv or .json; docs/catalog.rst has the columns.")
        parser.add_argument("--dry-run", action="store_true", help="Say what would change, and change nothing.")
        parser.add_argument(
            "--partial",
            action="store_true",
            help="The file doesn't describe its programs whole: what it doesn't name stays as it is.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        report = CatalogReport(self, dry_run=options["dry_run"], verbosity=options["verbosity"])
        try:
            for outcome in api.load_catalog(
                programs=read_file(options["file"]), dry_run=options["dry_run"], complete=not options["partial"]
            ):
                report.tell(outcome)
        except CatalogUnavailable as error:
            report.broke_off(error.detail)
        report.close()
