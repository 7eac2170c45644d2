"""The report of a load of the catalog on a terminal, program by program, for every source."""

from __future__ import annotations

from django.core.management.base import BaseCommand, CommandError

from program_enrollments import api


class CatalogReport:
    """Writes changes to a command's output, and problems and warnings to its errors.

    `verbosity` is Django's: 0 writes problems alone, 1 also changes and warnings, 2 also rows that were kept although
    the source no longer has them.
    """

    def __init__(self, command: BaseCommand, *, dry_run: bool, verbosity: int) -> None:
        self.command, self.dry_run, self.verbosity = command, dry_run, verbosity
        self.new = self.changed = self.unchanged = self.failed = 0
        self.break_off = ""

    def tell(self, outcome: api.CatalogOutcome) -> None:
        """Write one program's outcome."""
        if outcome.problem:
            self.failed += 1
            self.command.stderr.write(f"{outcome.label}: {outcome.problem}")
            return
        if outcome.is_new:
            self.new += 1
        elif outcome.changes:
            self.changed += 1
        else:
            self.unchanged += 1
        for warning in outcome.warnings if self.verbosity > 0 else ():
            self.command.stderr.write(f"{outcome.label}: {warning}")
        lines = (outcome.changes if self.verbosity > 0 else ()) + (outcome.kept if self.verbosity > 1 else ())
        if lines:
            self.command.stdout.write(outcome.label)
        for line in lines:
            self.command.stdout.write(f"  {line}")

    def broke_off(self, reason: str) -> None:
        """Remember why the source could not be read to its end."""
        self.break_off = reason

    def close(self) -> None:
        """Write the numbers.

        Raises CommandError, which is exit status 1, if anything could not be taken over.
        """
        if self.verbosity > 0:
            what = "Dry run, nothing was written" if self.dry_run else "Programs"
            self.command.stdout.write(
                f"{what}: {self.new} new, {self.changed} changed, {self.unchanged} unchanged, {self.failed} failed."
            )
        if self.break_off:
            raise CommandError(self.break_off)
        if self.failed:
            raise CommandError(f"{self.failed} could not be taken over; see above.")
