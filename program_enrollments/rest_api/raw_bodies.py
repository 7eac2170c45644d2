"""Raw bodies: read once, and never further than the limit on their size."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, UnreadablePostError

from program_enrollments.conf import get_setting
from program_enrollments.failures import describe_failure
from program_enrollments.rest_api.errors import BodyTooLarge

logger = logging.getLogger(__name__)

CHUNK_BYTES = 64 * 1024


def refuse_declared_size(request: HttpRequest, *, setting: str = "MAX_BODY_BYTES") -> None:
    """Raise BodyTooLarge if `Content-Length` is more than a setting. Nothing is read."""
    limit: int = get_setting(setting)
    if _declared_size(request) > limit:
        raise BodyTooLarge(limit=limit)


def _declared_size(request: HttpRequest) -> int:
    """Return `Content-Length`, or 0 if it is missing or not a number.

    Long numbers are cut to 20 digits, which are still too many bytes.
    """
    declared = request.META.get("CONTENT_LENGTH") or ""
    return int(declared[:20]) if declared.isascii() and declared.isdecimal() else 0


def read_raw_body(request: HttpRequest) -> bytes:
    """Return the body's bytes.

    Raises BodyTooLarge, also for a body without `Content-Length`, and UnreadablePostError if the client ended it early
    or sent malformed chunks.

    `request.body` is not used, because it has a limit of its own that is meant for forms
    (`DATA_UPLOAD_MAX_MEMORY_SIZE`). The request keeps the bytes for later readers, such as Django's form parser.
    """
    if hasattr(request, "_body"):
        return request.body
    limit: int = get_setting("MAX_BODY_BYTES")
    raw = _read_up_to(_stream_of(request), limit)
    if len(raw) < _declared_size(request):
        raise UnreadablePostError
    request._body = raw  # noqa: SLF001  (where Django itself keeps it)
    return raw


def _stream_of(request: HttpRequest) -> Any:
    """Return the stream to read, usually the request.

    A chunked body is read from the server's own stream, if the server marks its end: Django takes a request without
    `Content-Length` for one without a body.
    """
    undeclared = not request.META.get("CONTENT_LENGTH")
    if undeclared and request.META.get("wsgi.input_terminated"):
        request._read_started = True  # type: ignore[attr-defined]  # noqa: SLF001
        return request.META["wsgi.input"]
    return request


def stream_raw_body(request: HttpRequest, *, setting: str) -> Iterator[bytes]:
    """Yield the body's bytes in pieces, for bodies that are not held in memory.

    Raises BodyTooLarge over the setting, UnreadablePostError if the client ended the body early.
    """
    limit: int = get_setting(setting)
    size = 0
    for part in _parts_up_to(_stream_of(request), limit):
        size += len(part)
        yield part
    if size < _declared_size(request):
        raise UnreadablePostError


def _read_up_to(stream: Any, limit: int) -> bytes:
    return b"".join(_parts_up_to(stream, limit))


def _parts_up_to(stream: Any, limit: int) -> Iterator[bytes]:
    size = 0
    while part := _read_part(stream, min(CHUNK_BYTES, limit + 1 - size)):
        size += len(part)
        if size > limit:
            raise BodyTooLarge(limit=limit)
        yield part


def _read_part(stream: Any, size: int) -> bytes:
    """Return the next bytes of the server's stream. Raises UnreadablePostError if that fails."""
    try:
        part: bytes = stream.read(size)
    except Exception as error:
        # A malformed chunk is an exception of the server's own, which need not be an OSError.
        logger.info("A body could not be read: %s.", describe_failure(error))
        raise UnreadablePostError from error
    return part
