"""Uploads: a file from a multipart form or from the raw body, kept on disk and not in memory."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable
from tempfile import TemporaryFile
from typing import Any, BinaryIO, cast

from django.conf import settings
from django.http import HttpRequest, UnreadablePostError
from rest_framework.exceptions import UnsupportedMediaType

from program_enrollments.api import SentFile
from program_enrollments.exceptions import StorageUnavailable
from program_enrollments.failures import describe_failure
from program_enrollments.rest_api.bodies import BodyError, refuse
from program_enrollments.rest_api.raw_bodies import stream_raw_body

logger = logging.getLogger(__name__)

SIZE_SETTING = "MAX_FILE_BYTES"
PART = "file"
RAW_TYPES = frozenset({"text/csv", "application/csv", "text/tab-separated-values"})
UNNAMED = "upload.csv"
CHUNK_BYTES = 256 * 1024


def receive_file(request: HttpRequest) -> SentFile:
    """Return the file that a request brings: the part `file` of a form, or the body itself.

    Raises UnsupportedMediaType, InvalidBody if there is not exactly one file, BodyTooLarge, UnreadablePostError,
    StorageUnavailable if the disk is full.
    """
    media_type = str(request.content_type or "").lower()
    try:
        if media_type == "multipart/form-data":
            return _receive_form(request)
        if media_type in RAW_TYPES:
            return _receive_body(request)
    except UnreadablePostError:
        # An OSError, too, but the client's doing.
        raise
    except OSError as error:
        logger.error("An upload could not be written to disk: %s.", describe_failure(error))
        raise StorageUnavailable from error
    raise UnsupportedMediaType(
        media_type, detail="Send the file as the part file of a form (multipart/form-data), or as text/csv."
    )


def _receive_form(request: HttpRequest) -> SentFile:
    files: list[Any] = request.FILES.getlist(PART)
    if len(files) != 1:
        seen = "has no part named file" if not files else "has several parts named file"
        raise refuse(BodyError(None, "", "not_one_file", f"The form {seen}. Send exactly one."))
    (file,) = files
    digest = hashlib.sha256()
    for chunk in file.chunks(CHUNK_BYTES):
        digest.update(chunk)
    return SentFile(cast("BinaryIO", file.file), str(file.name or UNNAMED), int(file.size or 0), digest.hexdigest())


def _receive_body(request: HttpRequest) -> SentFile:
    file: BinaryIO = TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR)  # noqa: SIM115
    try:
        digest, size = hashlib.sha256(), 0
        pieces: Iterable[bytes] = stream_raw_body(request, setting=SIZE_SETTING)
        for piece in pieces:
            file.write(piece)
            digest.update(piece)
            size += len(piece)
    except BaseException:
        file.close()
        raise
    return SentFile(file, UNNAMED, size, digest.hexdigest())
