"""`grant_all_schools`: give Django's permission for all schools to clients that acted as host staff.

See docs/operations.rst, Who may use the API.
"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from program_enrollments import api
from program_enrollments.exceptions import PermissionMissing


class Command(BaseCommand):
    help = (
        "Gives staff users that own an API client and have no grants the permission to act for all schools, and names "
        "them. is_staff alone gives no access."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--staff-clients",
            action="store_true",
            help="The staff users that own an OAuth client or an API token, and have no grants.",
        )
        parser.add_argument("--dry-run", action="store_true", help="Only name them.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["staff_clients"]:
            raise CommandError("Give --staff-clients to say who is meant. With --dry-run, they are only named.")
        try:
            clients = api.grant_all_schools(dry_run=options["dry_run"])
        except PermissionMissing as error:
            raise CommandError(error.detail) from error
        if not clients:
            self.stdout.write("No staff user without the permission owns an API client. Nothing was changed.")
        outcome = (
            "would get the permission to act for all schools" if options["dry_run"] else "may act for all schools now"
        )
        for client in clients:
            self.stdout.write(f"{client.username} {outcome}.")
