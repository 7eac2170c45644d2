"""`make_staff_groups`: make ready-made groups for people who work in Django admin.

See docs/operations.rst, Django admin for support staff.
"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from program_enrollments import api
from program_enrollments.exceptions import PermissionMissing


class Command(BaseCommand):
    help = (
        "Makes groups of permissions for people who work in Django admin: support (view), support (act) and "
        "onboarding. A group that exists is left as it is."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--complete",
            action="store_true",
            help="Give groups that exist the permissions that they lack, for example after an upgrade. Nothing is ever "
            "taken from them.",
        )
        parser.add_argument("--dry-run", action="store_true", help="Report what would be done, and write nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            groups = api.make_staff_groups(complete=options["complete"], dry_run=options["dry_run"])
        except PermissionMissing as error:
            raise CommandError(error.detail) from error
        if options["verbosity"] > 0:
            for group in groups:
                self.stdout.write(f"{group.name}: {_outcome(group, dry_run=options['dry_run'])}")


def _outcome(group: api.MadeGroup, *, dry_run: bool) -> str:
    would = "would be " if dry_run else ""
    if group.is_new:
        return f"{would}made with {len(group.added)} permissions."
    if group.added:
        return f"{would}given {', '.join(group.added)}."
    if group.lacking:
        return f"exists and is left as it is. It lacks {', '.join(group.lacking)}; --complete adds them."
    return "exists and has everything."
