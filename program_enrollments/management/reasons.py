"""The option `--reason` of commands, which goes into the ledger."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from program_enrollments.data import Origin, Source

MAX_REASON_LENGTH = 500


def add_reason(parser: CommandParser, *, advice: str) -> None:
    """Add the option `--reason` to a command."""
    parser.add_argument("--reason", default="", help=f"Kept in the ledger forever: {advice}")


def reasoned_origin(options: dict[str, Any]) -> Origin:
    """Return the origin of a command's changes. Raises CommandError if the reason is too long."""
    if len(options["reason"]) > MAX_REASON_LENGTH:
        raise CommandError(f"A reason can have {MAX_REASON_LENGTH} characters.")
    return Origin(source=Source.COMMAND.value, reason=options["reason"])
