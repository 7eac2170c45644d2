"""Idempotency: the header `Idempotency-Key` of POST (docs/api.rst, Repeating a request)."""

from __future__ import annotations

import hashlib
import logging
import re

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse

from program_enrollments import api
from program_enrollments.api import Claim, RequestAnswer
from program_enrollments.failures import describe_failure
from program_enrollments.rest_api.errors import InvalidParameter
from program_enrollments.rest_api.raw_bodies import read_raw_body

logger = logging.getLogger(__name__)

HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotency-Replayed"
USABLE = re.compile(r"[\x21-\x7e]{1,255}")
KEPT_HEADERS = ("Content-Type", "Content-Disposition", "Location")
NOT_KEPT = frozenset({401, 403, 404})


def read_key(request: HttpRequest) -> str | None:
    """Return the request's idempotency key, if it has one. Raises InvalidParameter for an unusable key."""
    key = request.headers.get(HEADER)
    if request.method != "POST" or key is None:
        return None
    if not USABLE.fullmatch(key):
        raise InvalidParameter(
            parameter=HEADER, detail=f"{HEADER} must be 1 to 255 printable ASCII characters without blanks."
        )
    return key


def fingerprint_of(request: HttpRequest) -> str:
    """Return a digest that identifies the request: SHA-256 over path, query and body.

    Reads the body; raises BodyTooLarge.
    """
    digest = hashlib.sha256(request.get_full_path().encode())
    digest.update(b"\0")
    digest.update(read_raw_body(request))
    return digest.hexdigest()


def replay(answer: RequestAnswer) -> HttpResponse:
    """Return the kept answer, marked as such."""
    return HttpResponse(answer.content, status=answer.status, headers={**answer.headers, REPLAYED_HEADER: "true"})


def forget(response: HttpResponseBase) -> None:
    """Mark an answer as one that is not kept: a retry under the same key is executed again."""
    response.is_kept = False  # type: ignore[attr-defined]


def settle(claim: Claim, response: HttpResponseBase) -> None:
    """Keep the answer to a request, or release its claim if a retry may get another answer.

    A retry may get another answer after 401, 403, 404 and 5xx. The request has been carried out at this point, so a
    failure to keep its answer is logged and the answer is still returned.
    """
    try:
        passing = response.status_code >= 500 or not getattr(response, "is_kept", True)
        if passing or response.status_code in NOT_KEPT or not isinstance(response, HttpResponse):
            api.release_claim(claim=claim)
            return
        if isinstance(response, SimpleTemplateResponse):
            response.render()
        headers = {name: response[name] for name in KEPT_HEADERS if name in response}
        api.keep_answer(claim=claim, answer=RequestAnswer(response.status_code, headers, response.content))
    except DatabaseError as error:
        logger.error("An answer could not be kept: %s.", describe_failure(error))
