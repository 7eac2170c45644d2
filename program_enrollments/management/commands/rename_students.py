"""`rename_students`: take over other student IDs from a table.

See docs/sso.rst, Moving to another identity provider.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from program_enrollments import api
from program_enrollments.exceptions import IdentityProviderDoesNotExist, InvalidFile
from program_enrollments.management.reasons import add_reason, reasoned_origin
from program_enrollments.tabular_files import open_table

COLUMNS = ("old_student_key", "new_student_key")


class Command(BaseCommand):
    help = (
        "Gives the students of a school other IDs, by a CSV file with the columns old_student_key and new_student_key. "
        "Accounts linked by single sign-on get the new identity, too. Exits with 1 if a row could not be done."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="The CSV file.")
        parser.add_argument(
            "--identity-provider",
            required=True,
            metavar="SLUG",
            help="The identity provider that asserts the new IDs; the school is the one it belongs to.",
        )
        add_reason(parser, advice="name no persons.")
        parser.add_argument(
            "--honor-old-until",
            type=date.fromisoformat,
            metavar="YYYY-MM-DD",
            help="Let the old IDs go on meaning the same students to the end of this day. Without it they are free for "
            "other students at once.",
        )
        parser.add_argument("--dry-run", action="store_true", help="Say what would be done, and write nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        origin = reasoned_origin(options)
        renamings, lines = read_renamings(options["file"])
        honored = end_of(options["honor_old_until"])
        try:
            words = api.rename_students_at(
                identity_provider=options["identity_provider"],
                renamings=renamings,
                origin=origin,
                honor_old_until=honored,
                dry_run=options["dry_run"],
            )
        except IdentityProviderDoesNotExist as error:
            raise CommandError(error.detail) from None
        bad = self._tell(words, lines, verbosity=options["verbosity"])
        if bad:
            raise CommandError(f"{bad} of {len(renamings)} rows could not be done.")

    def _tell(self, words: list[api.Renamed], lines: list[int], *, verbosity: int) -> int:
        """Write how many rows came to what, and which ones to look at; return the number of these."""
        done = {api.Renamed.RENAMED, api.Renamed.UNCHANGED}
        if verbosity > 0:
            for word, count in sorted(Counter(words).items()):
                self.stdout.write(f"{count} {word.label}")
        bad = [(line, word) for line, word in zip(lines, words, strict=True) if word not in done]
        for line, word in bad:
            self.stderr.write(f"line {line}: {word.label}")
        return len(bad)


def end_of(day: date | None) -> datetime | None:
    """Return the end of a day in the site's time zone. Raises CommandError for one that is over."""
    if day is None:
        return None
    moment = timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))
    if moment <= timezone.now():
        raise CommandError("--honor-old-until has to be today or later.")
    return moment


def read_renamings(path: Path) -> tuple[list[api.Renaming], list[int]]:
    """Return the renamings that a file asks for, and the line of each.

    Raises CommandError for what is no such file.
    """
    renamings, lines = [], []
    try:
        with path.open("rb") as file:
            table = open_table(file=file, columns=COLUMNS, required=COLUMNS)
            for record in table.records():
                if record.problem:
                    raise CommandError(f"Line {record.line} cannot be read. {record.problem}")
                renamings.append(api.Renaming(*record.cells))
                lines.append(record.line)
    except OSError as error:
        raise CommandError(f"The file cannot be read: {error.strerror}.") from None
    except InvalidFile as error:
        raise CommandError(error.detail) from None
    return renamings, lines
