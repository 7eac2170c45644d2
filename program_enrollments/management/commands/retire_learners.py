"""`retire_learners`: remove the identifiers of persons (docs/operations.rst, Retiring a person)."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from program_enrollments import api
from program_enrollments.management.progress_bar import ProgressBar
from program_enrollments.management.reasons import add_reason, reasoned_origin

MAX_ID = 2**63 - 1


def primary_key(text: str) -> int:
    """Parse a primary key. Raises argparse's error if no row can have it."""
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= MAX_ID:
        # The message does not repeat the argument, because it can be a student ID.
        raise argparse.ArgumentTypeError("this is not an ID as it stands in admin; student IDs go with --student-key")
    return int(text)


class DiscreetParser(CommandParser):
    """A parser that repeats no arguments: argparse would print unknown ones, which can be student IDs."""

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        known, unknown = self.parse_known_args(args, namespace)
        if unknown:
            self.error(f"{len(unknown)} of the arguments are not known. See --help for those that there are.")
        return known


class Command(BaseCommand):
    help = (
        "Replaces what identifies persons, in learners, ledger, frozen grades and kept answers, by pseudonyms, and "
        "unlinks their accounts. This cannot be undone. Exits with 1 if somebody was not found or could not be retired."
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.__class__ = DiscreetParser  # Django names the class itself, and leaves no other way
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "learners", nargs="*", type=primary_key, metavar="LEARNER", help="Learners, by their IDs in admin."
        )
        parser.add_argument(
            "--user",
            action="append",
            default=[],
            type=primary_key,
            metavar="ID",
            help="All learners that an account is.",
        )
        parser.add_argument("--school", default="", metavar="KEY", help="The school of --student-key and --email.")
        parser.add_argument(
            "--student-key", action="append", default=[], metavar="X", help="A student ID, in any spelling."
        )
        parser.add_argument(
            "--email", action="append", default=[], metavar="X", help="An e-mail address a school gave."
        )
        parser.add_argument(
            "--keep-seats",
            action="store_true",
            help="Leave course enrollments and roles on the learning platform as they are. Nothing can take them back "
            "later.",
        )
        add_reason(parser, advice="name the request or the rule, not the person.")

    def handle(self, *args: Any, **options: Any) -> None:
        named = bool(options["student_key"] or options["email"])
        if named != bool(options["school"]):
            raise CommandError("Give --school together with --student-key or --email: both name somebody at a school.")
        if not (named or options["learners"] or options["user"]):
            raise CommandError("Say who: by learner ID, --user, or --school with --student-key or --email.")
        origin = reasoned_origin(options)
        with ProgressBar(self.stderr, unit=" learners", wanted=options["verbosity"] > 0) as bar:
            report = api.retire_learners(
                persons=api.Persons(
                    learner_ids=options["learners"],
                    user_ids=options["user"],
                    school_key=options["school"],
                    student_keys=options["student_key"],
                    emails=options["email"],
                ),
                origin=origin,
                keep_seats=options["keep_seats"],
                progress=bar.advance if bar.is_shown else None,
            )
        if options["verbosity"] > 0:
            self._tell(report)
        if not report.is_complete:
            raise CommandError("Not everybody was retired.")

    def _tell(self, report: api.RetiringReport) -> None:
        """Report the outcome in numbers, because retired learners have no names any more."""
        for learner_id in report.retired:
            self.stdout.write(f"Learner {learner_id} was retired.")
        for learner_id in report.retired_before:
            self.stdout.write(f"Learner {learner_id} had been retired before.")
        for learner_id in report.refused:
            self.stderr.write(
                f"Learner {learner_id} was not retired: the learning platform did not take back what this app gave. "
                "See the log, then run this again, or with --keep-seats."
            )
        if report.unknown:
            self.stderr.write(
                f"{report.unknown} of those named were not found. If an account is not linked now, name the learner."
            )
