"""Output: rows as CSV in UTF-8, a block at a time."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from program_enrollments.tabular_files.cells import shield

ROWS_PER_BLOCK = 500


def write_table(*, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """Yield a CSV file (RFC 4180) in UTF-8 without byte order mark: the columns' names, then the rows.

    Rows are taken one after the other and given out in blocks. None is written as a blank cell, a truth value as `true`
    or `false`, a number as JSON has it. Text that a spreadsheet would compute is shielded (`cells.shield`).

    Raises what `rows` raises, where it does: the file is then cut off after whole lines.
    """
    block = io.StringIO(newline="")
    writer = csv.writer(block)
    writer.writerow(columns)
    for number, row in enumerate(rows, start=1):
        writer.writerow([show(value) for value in row])
        if not number % ROWS_PER_BLOCK:
            yield _take(block)
    if block.tell():
        yield _take(block)


def show(value: Any) -> str:
    """Return a value as a cell."""
    if isinstance(value, str):
        return shield(value)
    if value is None:
        return ""
    return json.dumps(value)


def _take(block: io.StringIO) -> bytes:
    content = block.getvalue().encode()
    block.seek(0)
    block.truncate()
    return content
