"""`rename_students`: take over other student IDs from a table.

See docs/sso.rst, Moving to another identity provider.
"""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError, CommandParser

from program_enrollments import api
from program_enrollments.data import JobState
from program_enrollments.exceptions import ProgramEnrollmentsError
from program_enrollments.management.progress_bar import ProgressBar
from program_enrollments.management.reasons import add_reason, reasoned_origin

CHUNK_BYTES = 256 * 1024


class Command(BaseCommand):
    help = (
        "Gives the students of a school other IDs, by a CSV file with the columns old_student_key and new_student_key. "
        "Accounts linked by single sign-on get the new identity, too. The file becomes a job, which this command "
        "carries on; files of the school that were sent before come first. Exits with 1 if a row could not be done."
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
            help="Let the old IDs go on meaning the same students to the end of this day in the school's time zone. "
            "Without it they are free for other students at once.",
        )
        parser.add_argument("--dry-run", action="store_true", help="Say what would be done, and write nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        origin = reasoned_origin(options)
        wish = api.RekeyOptions(dry_run=options["dry_run"], honor_old_until=options["honor_old_until"])
        try:
            with options["file"].open("rb") as file:
                job = api.upload_rekeys_by(
                    identity_provider=options["identity_provider"],
                    sent=read_file(file, name=options["file"].name),
                    options=wish,
                    origin=origin,
                )
        except OSError as error:
            raise CommandError(f"The file cannot be read: {error.strerror}.") from None
        except ProgramEnrollmentsError as error:
            raise CommandError(error.detail) from None
        try:
            with ProgressBar(self.stderr, unit=" students", wanted=options["verbosity"] > 0) as bar:
                job = api.follow_job(job=job, progress=bar.advance if bar.is_shown else None)
        except KeyboardInterrupt:
            raise CommandError(f"Job {job.pk} stays in the queue. To stop it, cancel it in the admin.") from None
        self._report(job, verbosity=options["verbosity"])

    def _report(self, job: api.Job, *, verbosity: int) -> None:
        """Write what came of the job, and which lines to look at. Raises CommandError if not all was done."""
        if job.state != JobState.SUCCEEDED:
            raise CommandError(f"Job {job.pk} is {job.state}. {job.message}".strip())
        if verbosity > 0:
            self.stdout.write(f"{job.changed} changed, {job.unchanged} unchanged, {job.refused} refused (job {job.pk})")
        for line, reason in api.walk_refused_lines(job=job):
            self.stderr.write(f"line {line}: {reason}")
        if job.refused:
            raise CommandError(f"{job.refused} of {job.total} rows could not be done.")


def read_file(file: BinaryIO, *, name: str) -> api.SentFile:
    """Return a file as uploads are given to the domain."""
    digest, size = hashlib.sha256(), 0
    while chunk := file.read(CHUNK_BYTES):
        digest.update(chunk)
        size += len(chunk)
    return api.SentFile(file, name, size, digest.hexdigest())
