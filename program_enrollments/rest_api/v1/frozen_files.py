"""Frozen files: a version of grades written out, as JSON and as CSV, piece by piece (docs/grades.rst)."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from typing import Any

from rest_framework.renderers import BaseRenderer
from rest_framework.utils.encoders import JSONEncoder

from program_enrollments.api import FrozenGrades

COLUMNS = ("student_key", "letter_grade", "percent", "passed", "error")
SHIELD = "'"
FORMULA_STARTS = frozenset("=+-@\t\r＝＋－＠" + SHIELD)
"""What makes a spreadsheet compute a cell instead of showing it; and the shield itself, so that it can be undone."""


class CsvRenderer(BaseRenderer):
    """Says that an endpoint can answer in CSV; the endpoint writes it."""

    media_type = "text/csv"
    format = "csv"

    def render(
        self, data: object, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        raise NotImplementedError("Whoever offers CSV writes it with write_csv.")


def write_json(frozen: FrozenGrades) -> Iterator[str]:
    """Give the pieces of a JSON object: what `FrozenVersion.describe` tells, and the rows as `results`."""
    head = json.dumps(frozen.version.describe(), cls=JSONEncoder, ensure_ascii=False, separators=(",", ":"))
    yield f'{head[:-1]},"results":['
    for number, row in enumerate(frozen.rows()):
        yield ("," if number else "") + json.dumps(row, ensure_ascii=False, separators=(",", ":"))
    yield "]}"


def write_csv(frozen: FrozenGrades) -> Iterator[str]:
    """Give the lines of a CSV file (RFC 4180), the columns' names first.

    A cell of a row without that member is empty.

    Text that a spreadsheet would take for a formula is shielded: see `shield`.
    """
    writer = csv.writer(_Echo())
    yield writer.writerow(COLUMNS)
    for row in frozen.rows():
        yield writer.writerow([_cell(row.get(column)) for column in COLUMNS])


def shield(text: str) -> str:
    """Return `text` so that no spreadsheet computes it.

    Text that begins as a formula does gets an apostrophe before it. Text that begins with an apostrophe gets another
    one: whoever takes one off every cell that has one has what was frozen.
    """
    return SHIELD + text if text[:1] in FORMULA_STARTS else text


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return shield(value) if isinstance(value, str) else json.dumps(value)


class _Echo:
    """A file that hands back what is written to it, so that `csv` writes a line at a time."""

    def write(self, line: str) -> str:
        return line
