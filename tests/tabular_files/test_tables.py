"""Tables as spreadsheets and student information systems write them."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from program_enrollments.exceptions import InvalidFile
from program_enrollments.tabular_files import Dialect, Record, open_table, unshield
from tests.tabular_files.files import COLUMNS, REQUIRED, Dripping, cells, read, records

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("encoding", "delimiter", "end", "announced"),
    list(
        itertools.product(
            ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"],
            [",", ";", "\t"],
            ["\n", "\r\n", "\r"],
            ["", "sep={}", '"SEP={}"'],
        )
    ),
)
def test_every_form_that_is_accepted(encoding: str, delimiter: str, end: str, announced: str) -> None:
    lines = [announced.format(delimiter)] * bool(announced)
    lines += [
        f" Student_KEY {delimiter}Remark{delimiter}status",
        f'é-1{delimiter}{delimiter}"a{delimiter}""b"',
        "",
        f"2{delimiter}x{delimiter}",
    ]
    content = (("\ufeff" if encoding == "utf-16-be" else "") + end.join(lines)).encode(encoding)

    for file in (io.BytesIO(content), Dripping(content)):
        table = open_table(file=file, columns=COLUMNS, required=REQUIRED)  # type: ignore[arg-type]
        assert table.columns == ("student_key", "status")
        assert table.ignored_columns == ("Remark",)
        assert table.header == (" Student_KEY ", "Remark", "status")
        assert table.dialect == Dialect("UTF-8" if encoding.startswith("utf-8") else "UTF-16", delimiter)
        assert list(table.records()) == [
            Record(2, ("é-1", "", f'a{delimiter}"b'), ["é-1", "", f'a{delimiter}"b']),
            Record(4, ("2", "", ""), ["2", "x", ""]),
        ]


def test_cells_come_in_the_order_asked_for_and_fields_in_that_of_the_file() -> None:
    (record,) = records(b"note,status,email,student_key\nx,enrolled,s@uni.example,S-1\n")
    assert record.cells == ("S-1", "s@uni.example", "enrolled")
    assert record.fields == ["x", "enrolled", "s@uni.example", "S-1"]


def test_a_single_column_is_a_table() -> None:
    assert cells(b"status\nx\n\ny", columns=["status"], required=["status"]) == [(2, ("x",)), (4, ("y",))]


def test_a_header_alone_is_a_table_without_records() -> None:
    assert records(b"student_key,status") == records(b"student_key,status\r\n\r\n") == []


@pytest.mark.parametrize("marks", ["\ufeff\ufeff", "\ufeff\ufeff\ufeff"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
def test_byte_order_marks_that_programs_piled_up_are_taken_off(marks: str, encoding: str) -> None:
    assert cells(f'{marks}"status",email\nx,y'.encode(encoding)) == [(2, ("", "y", "x"))]


def test_line_ends_may_be_mixed() -> None:
    content = b"student_key,status\r\n1,a\n2,b\r3,c\r\r\n4,d\n\r5,e"
    expected = [(2, "1"), (3, "2"), (4, "3"), (6, "4"), (8, "5")]
    assert [(line, key) for line, (key, _, _) in cells(content)] == expected


def test_a_record_over_several_lines_carries_the_first_of_them() -> None:
    assert cells(b'student_key,status\n"a\nb\r\nc",1\n\nd,2\n') == [(2, ("a\nb\r\nc", "", "1")), (6, ("d", "", "2"))]


def test_the_header_may_take_several_lines_itself() -> None:
    table = read(b'"Remark\n(long)",student_key,"status"\nx,S-1,enrolled\n')
    assert table.names == ("remark (long)", "student_key", "status")
    assert [record.line for record in table.records()] == [3]


def test_lines_are_right_where_blocks_meet() -> None:
    """Blocks of 64 kB end in the middle of quoted cells, of line ends and of letters."""
    for shift in range(8):
        rows = [f'"S-{number}\r\né",enrolled\r\n' for number in range(20_000)]
        found = cells(("student_key,status" + "," * shift + "\r\n" + "".join(rows)).encode())
        assert [line for line, _ in found] == list(range(2, 40_002, 2))
        assert found[-1][1] == ("S-19999\r\né", "", "enrolled")


def test_blank_records_are_left_out_and_their_lines_counted() -> None:
    assert [line for line, _ in cells(b"student_key,status\n\n,\n \t, \n1,2\n  ,x\n,,,\n3,4")] == [5, 6, 8]


def test_blank_fields_beyond_the_header_are_nothing() -> None:
    assert cells(b"student_key,status,,\n1,2\n1,2,\n1,2,,,, \n") == [(line, ("1", "", "2")) for line in (2, 3, 4)]


def test_a_shield_is_taken_off_once_and_only_before_what_it_shields() -> None:
    content = "student_key,status\n'=1,'+\n'-x,'@\n'\tx,\"'\rx\"\n''=1,'x\n',''\n\"'=2\",x'=1\n'＝1,'1\n"
    assert [pair[::2] for _, pair in cells(content.encode())] == [
        ("=1", "+"),
        ("-x", "@"),
        ("\tx", "\rx"),
        ("'=1", "'x"),
        ("'", "'"),
        ("=2", "x'=1"),
        ("＝1", "'1"),
    ]


def test_quotation_marks_inside_an_unquoted_value_are_letters() -> None:
    assert cells(b'student_key,status\n5" disk,a"b"\n') == [(2, ('5" disk', "", 'a"b"'))]


def test_a_million_records_take_no_memory_of_their_number() -> None:
    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int | None = -1, /) -> bytes:
            assert size is not None
            assert 0 < size < 1_000_000
            part = (b"student_key,status\n" if not self.given else b"1,2\n" * 1000)[:size]
            self.given += len(part)
            return part

    stream = Endless()
    table = open_table(file=stream, columns=COLUMNS, required=REQUIRED)  # type: ignore[arg-type]
    for _ in itertools.islice(table.records(), 1000):
        pass
    assert stream.given < 100_000


def test_what_a_storage_raises_goes_through() -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            part = super().read(size)
            if not part:
                raise OSError(5, "Input/output error")
            return part

    content = b"student_key,status\n" + b"1,2\n" * 1000
    table = open_table(file=Failing(content), columns=COLUMNS, required=REQUIRED)
    with pytest.raises(OSError, match="Input/output error"):
        list(table.records())


@pytest.fixture
def unlimited_fields() -> Iterator[None]:
    """The host, or another of its apps, lets fields of CSV files have any length."""
    before = csv.field_size_limit(2**31 - 1)
    yield
    csv.field_size_limit(before)


@pytest.mark.usefixtures("unlimited_fields")
def test_an_unclosed_quote_is_not_followed_to_the_end_of_a_large_file() -> None:
    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int | None = -1, /) -> bytes:
            part = b'student_key,status\n1,"2\n' if not self.given else b"1,2\n" * 4000
            self.given += len(part)
            return part

    stream = Endless()
    with pytest.raises(InvalidFile, match="begins on line 2 is never closed"):
        list(open_table(file=stream, columns=COLUMNS, required=REQUIRED).records())  # type: ignore[arg-type]
    assert stream.given < 4_000_000


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_nothing_but_a_refusal_comes_of_any_bytes(content: bytes) -> None:
    for before in (b"", b"student_key,status\n", b"\xff\xfe"):
        # Any other exception is a failure.
        with contextlib.suppress(InvalidFile):
            records(before + content)


@given(
    st.lists(st.lists(st.text(alphabet="a,;'\"\n\r\x1a \t=\u2028é", max_size=5), min_size=3, max_size=3)),
    st.sampled_from([3, 7, 64]),
)
def test_records_are_what_python_reads_wherever_blocks_end(rows: list[list[str]], size: int) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([COLUMNS, *rows])
    content = text.getvalue().encode()
    table = open_table(file=Dripping(content, size=size), columns=COLUMNS, required=REQUIRED)  # type: ignore[arg-type]
    expected = [tuple(map(unshield, row)) for row in rows]
    assert [record.cells for record in table.records()] == [row for row in expected if any(map(str.strip, row))]
