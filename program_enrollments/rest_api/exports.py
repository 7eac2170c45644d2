"""Exports: lists as CSV files, streamed, in columns that uploads take back (docs/files.rst).

A short export is answered in one piece. Of a longer one the first rows are read before anything is sent, so that what
is wrong from the start still becomes a problem document. What breaks off later can only be made visible: the file ends
in a line that no upload accepts, and the connection is broken off.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.utils.encoders import JSONEncoder

from program_enrollments.conf import get_setting
from program_enrollments.failures import describe_failure
from program_enrollments.rest_api.errors import InvalidParameter
from program_enrollments.rest_api.lists import CURSOR, PAGE_SIZE, read_paging
from program_enrollments.rest_api.renderers import CsvRenderer
from program_enrollments.sentences import in_english
from program_enrollments.tabular_files import write_table

logger = logging.getLogger(__name__)

PROGRAM_COLUMNS = ("student_key", "email", "status", "curriculum_uuid", "account_exists", "username")
COURSE_COLUMNS = ("course_id", "student_key", "email", "status", "course_staff", "account_exists", "curriculum_uuid")
GRADE_COLUMNS = ("student_key", "letter_grade", "percent", "passed", "error")
ATTENDANCE_COLUMNS = ("student_key", "first_attended", "last_attended", "days_attended", "completion", "error")
CHANGE_COLUMNS = (
    "id",
    "at",
    "student_key",
    "course_id",
    "kind",
    "before",
    "after",
    "actor",
    "source",
    "request_id",
    "job_id",
    "reason",
)

JOB_ROW_COLUMNS = ("line", "student_key", "course_id", "word", "changed", "before", "after", "detail")

BROKEN_OFF = b'"This export broke off. It is not complete: do not use it, and ask for it again.\r\n'
"""The last line of an export that failed. Its quotation mark is never closed, so an upload of the file is refused."""

BLOCKS_READ_FIRST = 2
"""An export of fewer blocks is answered in one piece."""


class ExportInterrupted(Exception):
    """An export failed after its first bytes were sent.

    The server that meets this breaks the connection off.
    """


def wants_csv(request: Request) -> bool:
    """Return whether a request is to be answered with an export."""
    return bool(request.accepted_renderer.format == CsvRenderer.format)


def read_export_page_size(request: Request) -> int:
    """Return how many rows an export reads at a time.

    Raises InvalidParameter for a cursor: an export is the whole list.
    """
    if CURSOR in request.query_params:
        raise InvalidParameter(
            parameter=CURSOR, detail="An export is the whole list, from its beginning. Leave cursor out."
        )
    if PAGE_SIZE in request.query_params:
        return read_paging(request).page_size
    return int(get_setting("MAX_PAGE_SIZE"))


def export_blocks(*, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """Return `rows` as the blocks of a CSV file. A cell of a row without that member is blank."""
    return write_table(columns=columns, rows=([_plain(row.get(column)) for column in columns] for row in rows))


def file_response(*, blocks: Iterator[bytes], name: str, report: Callable[[Exception], None]) -> HttpResponseBase:
    """Return the blocks of a CSV file as an answer that is saved under this name.

    Raises what the first blocks raise. `report` is called with what fails after something was sent.
    """
    first = list(islice(blocks, BLOCKS_READ_FIRST))
    response: HttpResponseBase
    if len(first) < BLOCKS_READ_FIRST:
        response = HttpResponse(b"".join(first))
    else:
        response = StreamingHttpResponse(_visibly_broken(first, blocks, report))
    response["Content-Type"] = f"{CsvRenderer.media_type}; charset=utf-8"
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def _visibly_broken(
    first: list[bytes], blocks: Iterator[bytes], report: Callable[[Exception], None]
) -> Iterator[bytes]:
    """Yield the blocks; if one fails, the line that says so, and then fail."""
    try:
        yield from first
        yield from _in_english(blocks)
    # Any failure must be visible in the file, because a file that just ends looks complete.
    except Exception as error:  # noqa: BLE001
        logger.error("An export broke off: %s.", describe_failure(error))
        report(error)
        yield BROKEN_OFF
        # The cause may name students, and servers log what they meet.
        raise ExportInterrupted from None


def _in_english(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the blocks. Each is made in English: a stream outlives the call that began it."""
    try:
        while True:
            with in_english():
                block = next(blocks, None)
            if block is None:
                return
            yield block
    finally:
        if close := getattr(blocks, "close", None):
            close()


def _plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    return JSONEncoder().default(value) if isinstance(value, datetime) else value
