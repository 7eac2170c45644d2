"""`sweep_enrollments`: link learners, and make left-over enrollments real (docs/operations.rst)."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from program_enrollments import api
from program_enrollments.management.progress_bar import ProgressBar

INTERRUPTED = 130
"""The exit status of a command that was stopped by Ctrl-C."""


class Command(BaseCommand):
    help = (
        "Links every learner who waits to the account that evidence gives them, and makes their enrollments real. "
        "Exits with 0 if nothing is left to look at, with 1 if a learner needs a person or something failed. "
        "Can be stopped at any time, and run beside everything else."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Say how much there is to do, and do nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        verbosity: int = options["verbosity"]
        try:
            with ProgressBar(self.stderr, unit=" records", wanted=verbosity > 0) as bar:
                report = api.sweep(dry_run=options["dry_run"], progress=bar.advance if bar.is_shown else None)
        except KeyboardInterrupt:
            raise CommandError(
                "Stopped. What was done stays done; run the command again to do the rest.", returncode=INTERRUPTED
            ) from None
        if verbosity > 0:
            self._tell(report, dry_run=options["dry_run"])
        if not report.is_clean:
            raise CommandError(f"Not all is well. There are {'; '.join(_troubles(report))}.")

    def _tell(self, report: api.SweepReport, *, dry_run: bool) -> None:
        done = report.done
        self.stdout.write(
            f"Dry run, nothing was written. Learners to be linked or realized: {report.found}."
            if dry_run
            else f"Learners to be linked or realized: {report.found}. Linked: {done.linked}. Made real: program "
            f"enrollments {done.program_enrollments}, course enrollments {done.course_enrollments}."
        )
        mended = report.mended
        if mended.without_account or mended.doubled or mended.seats or mended.honoring_ended:
            self.stdout.write(
                f"{'To be mended' if dry_run else 'Mended'}: learners without account but with real enrollments "
                f"{mended.without_account}, learners with doubled enrollments {mended.doubled}, active course "
                f"enrollments without a seat {mended.seats}. Former student IDs no longer honored: "
                f"{mended.honoring_ended}."
            )


def _troubles(report: api.SweepReport) -> list[str]:
    """Return the problems that are left, each with the place where it is shown."""
    troubles = []
    if report.in_need:
        troubles.append(f"learners who need a person: {report.in_need} (in admin: Learners, filter by problem)")
    if report.done.failures:
        troubles.append(
            f"course enrollments that the learning platform did not accept: {report.done.failures} (in admin: "
            "Preemptive course enrollments, with the reasons)"
        )
    if report.mended.failures:
        troubles.append(
            f"active course enrollments without a seat that the learning platform did not give: "
            f"{report.mended.failures} (see the log)"
        )
    if report.failed_learners:
        troubles.append(f"learners who failed, and are tried again next time: {report.failed_learners} (see the log)")
    return troubles
