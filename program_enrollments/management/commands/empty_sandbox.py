"""`empty_sandbox`: delete what was practised at a school for practice (docs/sandbox.rst)."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from program_enrollments import api
from program_enrollments.exceptions import ProgramEnrollmentsError, SchoolDoesNotExist
from program_enrollments.management.progress_bar import ProgressBar


class Command(BaseCommand):
    help = (
        "Deletes the learners, enrollments, files, frozen grades and ledger of a school for practice. Programs, "
        "grants, feeds and webhook endpoints stay. Refuses any other school. Can be stopped and run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("school", metavar="SCHOOL", help="The sandbox's key.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with ProgressBar(self.stderr, unit=" learners", wanted=options["verbosity"] > 0) as bar:
                emptied = api.empty_sandbox(
                    school_key=options["school"], progress=bar.advance if bar.is_shown else None
                )
        except SchoolDoesNotExist:
            raise CommandError("There is no school with this key. The admin lists them under Schools.") from None
        except ProgramEnrollmentsError as error:
            raise CommandError(error.detail) from None
        if options["verbosity"] > 0:
            self.stdout.write(
                f"Deleted: learners {emptied.learners}, files {emptied.jobs}, entries of the ledger {emptied.changes}."
            )
