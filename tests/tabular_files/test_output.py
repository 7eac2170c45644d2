"""What is written as CSV is read back as it was, and no spreadsheet computes any of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from program_enrollments.tabular_files import open_table, shield, unshield, write_table
from tests.tabular_files.files import Dripping

pytestmark = pytest.mark.once

COLUMNS = ("a", "b", "c")
TEXT = st.text(alphabet=st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=8) | st.text(
    alphabet="'=+-@\t\r\n＝\"，,; \ufeff\x1aé", max_size=4
)


def written(rows: list[tuple[object, ...]]) -> bytes:
    return b"".join(write_table(columns=COLUMNS, rows=rows))


@given(st.lists(st.tuples(TEXT, TEXT, TEXT), max_size=5))
@example([("'=1", "''", "'"), ("\r", "", "x"), ("'\t", "''=1", "＝")])
def test_what_is_written_is_read_back_cell_by_cell(rows: list[tuple[str, str, str]]) -> None:
    file = Dripping(written(list(rows)), size=64)
    table = open_table(file=file, columns=COLUMNS, required=COLUMNS)  # type: ignore[arg-type]
    # Records of blank cells are none.
    assert [record.cells for record in table.records()] == [row for row in rows if any(map(str.strip, row))]


@given(TEXT)
def test_no_cell_begins_as_a_formula(text: str) -> None:
    assert shield(text)[:1] not in set("=+-@\t\r＝＋－＠")
    assert unshield(shield(text)) == text


def test_a_file_is_utf_8_with_crlf_and_without_a_byte_order_mark() -> None:
    assert written([("é", 'x,"y"', None), (True, False, 0.75), (-1, 0, "-1")]) == (
        b"a,b,c\r\n" + 'é,"x,""y""",\r\n'.encode() + b"true,false,0.75\r\n-1,0,'-1\r\n"
    )


def test_a_header_stands_over_no_rows() -> None:
    assert written([]) == b"a,b,c\r\n"


def test_rows_are_taken_as_blocks_are_asked_for() -> None:
    taken = 0

    def rows() -> Iterator[tuple[int, int, int]]:
        nonlocal taken
        while True:
            taken += 1
            yield taken, taken, taken

    blocks = write_table(columns=COLUMNS, rows=rows())
    content = next(blocks) + next(blocks)
    assert taken == 1000
    assert len(list(csv.reader(io.StringIO(content.decode())))) == 1001


def test_a_failure_among_the_rows_is_raised() -> None:
    def rows() -> Iterator[tuple[int, int, int]]:
        yield 1, 2, 3
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        list(write_table(columns=COLUMNS, rows=rows()))
