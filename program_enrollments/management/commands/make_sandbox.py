"""`make_sandbox`: make a school for practice beside another (docs/sandbox.rst)."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from program_enrollments import api
from program_enrollments.exceptions import ProgramEnrollmentsError, SchoolDoesNotExist


class Command(BaseCommand):
    help = (
        "Makes a school for practice with a copy of another school's programs, or brings that copy up to date. Its "
        "learners are never linked to accounts, and nobody is mailed. Prints the UUIDs of the copied programs. Exits "
        "with 1 if a program could not be copied."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("school", metavar="SCHOOL", help="The key of the school whose programs are copied.")
        parser.add_argument("--key", default="", metavar="KEY", help="The sandbox's key; SCHOOL-sandbox by default.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            made = api.make_sandbox(school_key=options["school"], sandbox_key=options["key"])
        except SchoolDoesNotExist:
            raise CommandError("There is no school with this key. The admin lists them under Schools.") from None
        except ProgramEnrollmentsError as error:
            raise CommandError(error.detail) from None
        if options["verbosity"] > 0:
            state = "made" if made.is_new else "was there"
            self.stdout.write(f"{made.school.name} ({made.school.key}): {state}")
            for outcome in made.programs:
                self.stdout.write(f"{outcome.label}: {', '.join(outcome.changes) or 'up to date'}")
            if made.is_new:
                self.stdout.write("Give people and API clients grants on it in the admin.")
        problems = [outcome for outcome in made.programs if outcome.problem]
        for outcome in problems:
            self.stderr.write(f"{outcome.label}: {outcome.problem}")
        if problems:
            raise CommandError(f"{len(problems)} of {len(made.programs)} programs could not be copied.")
