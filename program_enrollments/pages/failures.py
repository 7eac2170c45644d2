"""Failures: what a page says and answers if something cannot be done."""

from __future__ import annotations

import logging
import secrets
from typing import NamedTuple

from django.db import InterfaceError, OperationalError
from django.http import Http404
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from program_enrollments import exceptions
from program_enrollments.exceptions import ProgramEnrollmentsError
from program_enrollments.failures import describe_failure

logger = logging.getLogger(__name__)

Text = str | Promise


class Failure(NamedTuple):
    """A failure as a page tells it: the HTTP status, what happened, and what to do next."""

    status: int
    title: Text
    advice: Text


NOT_FOUND = Failure(
    404,
    _("There is nothing here"),
    _("Either this does not exist, or it belongs to a school or program that you have no access to."),
)
NO_PERMISSION = Failure(403, _("You have no permission for this"), _("You may see this, but not do what you tried."))
UNAVAILABLE = Failure(
    503,
    _("The platform does not answer just now"),
    _("Nothing is lost. Try again in a few minutes."),
)
UNEXPECTED = Failure(
    500,
    _("Something went wrong on our side"),
    _("Try again. If it stays so, give the reference number to support: our log has it, too."),
)
TABLE: dict[type[Exception], Failure] = {
    exceptions.BadCursor: Failure(
        404, _("This page of the list is gone"), _("The list has changed. Start again at its first page.")
    ),
    exceptions.DoesNotExist: NOT_FOUND,
    exceptions.PermissionDenied: NO_PERMISSION,
    Http404: NOT_FOUND,
    exceptions.InvitationDoesNotExist: Failure(
        404,
        _("This invitation does not count"),
        _("It was used or withdrawn, or has expired. Ask who invited you for a new one."),
    ),
    exceptions.MetadataRequestDoesNotExist: Failure(
        404,
        _("This link does not count any more"),
        _("It was used, or has expired after three days. Ask the university's administrator for a new one."),
    ),
    exceptions.TooManyRows: Failure(413, _("That is too much at once"), _("Send it in several parts.")),
    exceptions.AmbiguousCourse: Failure(
        409, _("Several course runs have this key"), _("Open the course run from the list of courses.")
    ),
    exceptions.HostError: UNAVAILABLE,
    OperationalError: UNAVAILABLE,
    InterfaceError: UNAVAILABLE,
}


def new_reference() -> str:
    """Return a reference number that people can read aloud."""
    return f"{secrets.token_hex(2)}-{secrets.token_hex(2)}".upper()


def find_failure(error: Exception) -> Failure | None:
    """Return how a failure is shown, by the nearest of its classes; None for unforeseen ones."""
    return next((TABLE[cls] for cls in type(error).__mro__ if cls in TABLE), None)


def log_failure(error: Exception, *, route: str, reference: str) -> None:
    """Log a failure under its reference number: its kind and place alone, since messages can name people."""
    if find_failure(error) is None:
        logger.error("A page failed unexpectedly: %s, at %s, reference %s.", describe_failure(error), route, reference)
    else:
        word = error.code if isinstance(error, ProgramEnrollmentsError) else type(error).__name__
        logger.info("A page was refused: %s, at %s, reference %s.", word, route, reference)
