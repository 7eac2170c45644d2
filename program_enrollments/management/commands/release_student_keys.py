"""`release_student_keys`: free student IDs that a school gives to other students.

See docs/operations.rst, Student IDs.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from program_enrollments import api
from program_enrollments.exceptions import SchoolDoesNotExist
from program_enrollments.management.reasons import add_reason, reasoned_origin


class Command(BaseCommand):
    help = (
        "Takes student IDs from the learners who have them, so that the school can give them to other students. The "
        "learners keep their accounts and enrollments, but sign on with these IDs no more. Exits with 1 if an ID could "
        "not be released."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("school", metavar="SCHOOL", help="The school's key.")
        parser.add_argument(
            "--student-key", action="append", required=True, metavar="X", help="A student ID, in any spelling."
        )
        add_reason(parser, advice="name no persons.")
        parser.add_argument("--dry-run", action="store_true", help="Say what would be done, and write nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        origin = reasoned_origin(options)
        try:
            words = api.release_student_keys_at(
                school_key=options["school"],
                student_keys=options["student_key"],
                origin=origin,
                dry_run=options["dry_run"],
            )
        except SchoolDoesNotExist:
            raise CommandError("There is no school with this key. The admin lists them under Schools.") from None
        if options["verbosity"] > 0:
            for word, count in sorted(Counter(words).items()):
                self.stdout.write(f"{count} {word.label}")
        # By place, not by ID: what a command prints ends up in logs.
        bad = [(place, word) for place, word in enumerate(words, start=1) if word != api.Released.RELEASED]
        for place, word in bad:
            self.stderr.write(f"--student-key number {place}: {word.label}")
        if bad:
            raise CommandError(f"{len(bad)} of {len(words)} student IDs could not be released.")
