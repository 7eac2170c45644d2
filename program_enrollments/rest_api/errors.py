"""Errors: one table from exception to status and title, and the problem document.

The document follows RFC 9457.

A new exception in `program_enrollments.exceptions` needs one line in `TABLE`. Without one, the line of its base is
used.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.core import exceptions as django_exceptions
from django.db import InterfaceError, OperationalError
from django.http import Http404, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from rest_framework import exceptions as drf_exceptions
from rest_framework.response import Response

from program_enrollments import exceptions
from program_enrollments.exceptions import ProgramEnrollmentsError
from program_enrollments.failures import describe_failure

logger = logging.getLogger(__name__)

TYPE_PREFIX = "urn:problem-type:program-enrollments:"


class InvalidBody(ProgramEnrollmentsError):
    """The body as a whole is refused; nothing of it was written.

    `errors` are of the form that `bodies.BodyError` has.
    """

    code = "invalid_body"
    detail = "The body cannot be used. Nothing was written."


class InvalidParameter(ProgramEnrollmentsError):
    """A query parameter has a value it cannot have; `parameter` names it."""

    code = "invalid_parameter"

    def __init__(self, *, parameter: str, detail: str) -> None:
        super().__init__(detail, parameter=parameter)


class BodyTooLarge(ProgramEnrollmentsError):
    """The raw body is larger than the setting `MAX_BODY_BYTES`."""

    code = "body_too_large"

    def __init__(self, *, limit: int) -> None:
        super().__init__(f"A body may be at most {limit} bytes. Send it in several calls.", limit=limit)


class TooManyRequests(ProgramEnrollmentsError):
    """The client is over the setting `THROTTLE_RATE`. It may continue after `wait` seconds."""

    code = "throttled"
    detail = "You send more requests than you may. Wait as many seconds as Retry-After says."

    def __init__(self, *, wait: float) -> None:
        self.wait = wait
        super().__init__()


class Entry(NamedTuple):
    """How an exception is shown: the HTTP status and the title.

    Exceptions that are not ours have the code and the detail here too.
    """

    status: int
    title: str
    code: str = ""
    detail: str = ""


DATABASE_DOWN = "The platform's database does not answer just now. Try again in a while."

TABLE: Mapping[type[Exception], Entry] = {
    # Ours.
    exceptions.ProgramDoesNotExist: Entry(404, "No such program"),
    exceptions.SchoolDoesNotExist: Entry(404, "No such school"),
    exceptions.CourseDoesNotExist: Entry(404, "No such course run"),
    exceptions.CourseNotInProgram: Entry(404, "Course run of another program"),
    exceptions.LearnerDoesNotExist: Entry(404, "No such learner"),
    exceptions.FreezeDoesNotExist: Entry(404, "No such version"),
    exceptions.JobDoesNotExist: Entry(404, "No such job"),
    exceptions.DoesNotExist: Entry(404, "Not found"),
    exceptions.BadCursor: Entry(404, "Unusable cursor"),
    exceptions.PermissionDenied: Entry(403, "Permission denied"),
    exceptions.AmbiguousCourse: Entry(409, "Ambiguous course run"),
    exceptions.AlreadyFrozen: Entry(409, "Already frozen"),
    exceptions.NotFrozen: Entry(409, "Not frozen"),
    exceptions.TooManyRows: Entry(413, "Too many rows"),
    exceptions.InvalidFile: Entry(400, "Unusable file"),
    exceptions.FileIncomplete: Entry(422, "Incomplete file"),
    exceptions.DayIsOver: Entry(400, "Unusable parameter"),
    exceptions.ResultExpired: Entry(410, "Result expired"),
    exceptions.AlreadyUndone: Entry(409, "Already undone"),
    exceptions.WrongState: Entry(409, "Wrong state"),
    exceptions.StaleEffects: Entry(409, "Stale effects"),
    exceptions.RequestInProgress: Entry(409, "Request in progress"),
    exceptions.IdempotencyKeyReused: Entry(422, "Idempotency key reused"),
    exceptions.LinkRefused: Entry(409, "Link refused"),
    exceptions.HostRefused: Entry(502, "Refused by the learning platform"),
    exceptions.HostAnswerUnusable: Entry(503, "Learning platform unavailable"),
    exceptions.HostDeadlinePassed: Entry(503, "Learning platform unavailable"),
    exceptions.WriteInterrupted: Entry(503, "Learning platform unavailable"),
    exceptions.StorageUnavailable: Entry(503, "Storage unavailable"),
    exceptions.HostError: Entry(503, "Learning platform unavailable"),
    InvalidBody: Entry(400, "Unusable body"),
    InvalidParameter: Entry(400, "Unusable parameter"),
    BodyTooLarge: Entry(413, "Body too large"),
    TooManyRequests: Entry(429, "Too many requests"),
    # Django's and Django REST framework's.
    OperationalError: Entry(503, "Database unavailable", "host_unavailable", DATABASE_DOWN),
    InterfaceError: Entry(503, "Database unavailable", "host_unavailable", DATABASE_DOWN),
    drf_exceptions.NotAuthenticated: Entry(
        401, "Not authenticated", "not_authenticated", "Send an access token in the Authorization header."
    ),
    drf_exceptions.AuthenticationFailed: Entry(401, "Not authenticated", "not_authenticated"),
    drf_exceptions.PermissionDenied: Entry(403, "Permission denied", "permission_denied"),
    django_exceptions.PermissionDenied: Entry(
        403, "Permission denied", "permission_denied", exceptions.PermissionDenied.detail
    ),
    drf_exceptions.NotFound: Entry(404, "Not found", "not_found", "There is nothing at this path."),
    Http404: Entry(404, "Not found", "not_found", "There is nothing at this path."),
    drf_exceptions.MethodNotAllowed: Entry(405, "Method not allowed", "method_not_allowed"),
    drf_exceptions.NotAcceptable: Entry(406, "Not acceptable", "not_acceptable"),
    drf_exceptions.UnsupportedMediaType: Entry(415, "Unsupported media type", "unsupported_media_type"),
    drf_exceptions.ParseError: Entry(400, "Unusable body", "invalid_body"),
    MultiPartParserError: Entry(400, "Unusable body", "invalid_body", "The body is not a multipart form."),
    UnreadablePostError: Entry(
        400, "Unusable body", "invalid_body", "The body ended early, or its chunks cannot be read."
    ),
    django_exceptions.RequestDataTooBig: Entry(413, "Body too large", "body_too_large", "The body is too large."),
    django_exceptions.SuspiciousOperation: Entry(
        400, "Unusable request", "invalid_parameter", "The request has too many parameters, or one that cannot be read."
    ),
    django_exceptions.BadRequest: Entry(400, "Unusable request", "invalid_parameter", "The request cannot be read."),
}

UNEXPECTED = Entry(
    500,
    "Unexpected error",
    "internal_error",
    "Something went wrong here. Try again; if it stays so, tell support the X-Request-ID of this answer.",
)


def find_entry(error: Exception) -> Entry | None:
    """Return the entry of the nearest of `error`'s classes that is in the table, or None if there is none."""
    return next((TABLE[cls] for cls in type(error).__mro__ if cls in TABLE), None)


def problem_document(error: Exception) -> dict[str, Any]:
    """Return the problem document for an exception. For unexpected ones, it reveals nothing about them."""
    entry = find_entry(error)
    extra: Mapping[str, Any] = {}
    if entry is None:
        entry = UNEXPECTED
        code, detail = entry.code, entry.detail
    elif isinstance(error, ProgramEnrollmentsError):
        code, detail, extra = error.code, error.detail, error.extra
    else:
        code, detail = entry.code, entry.detail or str(error)
    return {
        "type": f"{TYPE_PREFIX}{code}",
        "title": entry.title,
        "status": entry.status,
        "detail": detail,
        "developer_message": detail,
        "error_code": code,
        **extra,
    }


def problem_response(error: Exception) -> Response:
    """Return `problem_document` as a response.

    Unexpected exceptions are logged by type and place only, because messages and tracebacks can contain personal data.
    """
    if find_entry(error) is None:
        logger.error("A request failed unexpectedly: %s.", describe_failure(error))
    document = problem_document(error)
    return Response(document, status=document["status"])
