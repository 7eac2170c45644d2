"""CSV files: rows streamed, with cells that no spreadsheet computes."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from django.http import StreamingHttpResponse

from program_enrollments.tabular_files import shield


def write_csv(*, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Give the lines of a CSV file (RFC 4180), the header first."""
    writer = csv.writer(_Echo())
    yield writer.writerow(header)
    for row in rows:
        yield writer.writerow([_cell(value) for value in row])


def csv_response(
    *,
    name: str,
    header: Sequence[str],
    rows: Iterable[Sequence[Any]],
    when_sent: Callable[[int], None] = lambda count: None,
) -> StreamingHttpResponse:
    """Return a CSV file as a download.

    `when_sent` gets the number of rows that were sent, also if the reader went away.
    """

    def counted() -> Iterator[str]:
        count = -1  # the header
        try:
            for line in write_csv(header=header, rows=rows):
                count += 1
                yield line
        finally:
            when_sent(max(count, 0))

    response = StreamingHttpResponse(counted(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return shield(str(value)) if not isinstance(value, (int, float)) else str(value)


class _Echo:
    """A file that hands back what is written to it, so that `csv` writes a line at a time."""

    def write(self, line: str) -> str:
        return line
