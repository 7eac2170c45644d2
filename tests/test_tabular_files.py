"""Tabular files as spreadsheets and student information systems write them."""

from __future__ import annotations

import contextlib
import io
import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from program_enrollments.exceptions import InvalidFile
from program_enrollments.tabular_files import Record, Table, read_table

REQUIRED = ("old", "new")
pytestmark = pytest.mark.once


def read(content: bytes, **options: Any) -> Table:
    return read_table(io.BytesIO(content), required=REQUIRED, **options)


def rows(content: bytes, **options: Any) -> list[Record]:
    return list(read(content, **options).records)


def cells(content: bytes, **options: Any) -> list[tuple[int, dict[str, str]]]:
    return [(record.line, dict(record.cells)) for record in rows(content, **options)]


class Dripping(io.RawIOBase):
    """A stream that gives few bytes at a time, and cannot go back."""

    def __init__(self, content: bytes) -> None:
        self.inner = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        return self.inner.read(3 if size is None or size < 0 else min(size, 3))


@pytest.mark.parametrize(
    ("encoding", "delimiter", "end", "announced"),
    list(
        itertools.product(
            ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"], [",", ";", "\t"], ["\n", "\r\n", "\r"], [False, True]
        )
    ),
)
def test_every_form_that_is_accepted(encoding: str, delimiter: str, end: str, announced: bool) -> None:
    lines = [f"sep={delimiter}"] * announced
    lines += [
        f" OLD {delimiter}remark{delimiter}New",
        f'é-1{delimiter}{delimiter}"a{delimiter}""b"',
        "",
        f"2{delimiter}x{delimiter}",
    ]
    text = end.join(lines)
    content = (("\ufeff" if encoding == "utf-16-be" else "") + text).encode(encoding)

    for stream in (io.BytesIO(content), Dripping(content)):
        table = read_table(stream, required=REQUIRED)  # type: ignore[arg-type]
        assert list(table.columns) == ["old", "remark", "new"]
        assert list(table.records) == [
            Record(2, {"old": "é-1", "remark": "", "new": f'a{delimiter}"b'}, 3),
            Record(4, {"old": "2", "remark": "x", "new": ""}, 3),
        ]


def test_a_record_over_several_lines_carries_the_first_of_them() -> None:
    assert cells(b'old,new\n"a\nb\r\nc",1\n\nd,2\n') == [
        (2, {"old": "a\nb\r\nc", "new": "1"}),
        (6, {"old": "d", "new": "2"}),
    ]


def test_fields_that_are_too_few_or_too_many_are_told() -> None:
    assert [(record.line, record.width) for record in rows(b"old,new\n1\n1,2\n1,2,\n1,2,3\n")] == [
        (2, 1),
        (3, 2),
        (4, 2),
        (5, 3),
    ]


def test_a_quotation_mark_in_the_wrong_place_is_a_problem_of_its_record() -> None:
    one, bad, three = rows(b'old,new\n1,2\n"x"y,2\n3,4\n')
    assert (one.line, bad.line, three.line) == (2, 3, 4)
    assert (one.problem, three.problem) == ("", "")
    assert (bad.problem, dict(bad.cells)) == ("a quotation mark stands where none can", {})


SECRET = "S-7001"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "The file lacks the columns old, new. Line 1 is empty"),
        (b"\n", "Line 1 is empty"),
        (b"S-7001", "Line 1 has one field, and none of them is a column"),
        (b"S-7001;ann@uni.example;x\n", "The file lacks the columns old, new. Line 1 has"),
        (
            b"old;S-7001\n",
            "The file lacks the columns new. Line 1 has 2 fields with semicolons between them, among them old.",
        ),
        (b"old|new\n", "Line 1 has one field"),
        (b"old,new,old\n", "Line 1 names the column old more than once"),
        (b"sep=|\nold|new\n", "announces another delimiter"),
        (b"x" * 1_500_000, "Line 1 has more than 1000000 characters"),
        ("old,new\n1,2\nS-7001,Z\xfcrich\n".encode("latin-1"), "Line 3 has bytes that are not UTF-8"),
        (b"old,new\n" + b"1,2\n" * 5000 + b"S-7001,\xff\n", "Line 5002 has bytes that are not UTF-8"),
        ("old,new\nS-7001,2\n".encode("utf-16-le"), "zero bytes, as UTF-16 without a byte order mark"),
        ("old,new\nS-7001,2\n".encode("utf-16") + b"\x00", "bytes that are not UTF-16"),
        ("old,new\n".encode("utf-32"), "UTF-32"),
        (b"PK\x03\x04S-7001", "a spreadsheet or an archive"),
        (b"\xd0\xcf\x11\xe0S-7001", "a spreadsheet or an archive"),
        (b'old,new\n1,2\n"S-7001,2\n3,4\n', "A quotation mark on line 3 is never closed"),
        (b'old,new\n1,2\n"S-7001' + b"x" * 200_000, "A quotation mark on line 3 is never closed"),
        (b"old,new\n1,2\nS-7001" + b"x" * 1_500_000, "Line 3 has more than 1000000 characters"),
    ],
)
def test_what_is_no_such_file_is_refused_in_words_that_quote_nothing(content: bytes, told: str) -> None:
    with pytest.raises(InvalidFile) as refusal:
        rows(content)
    assert told in refusal.value.detail
    assert SECRET not in refusal.value.detail
    assert "uni.example" not in refusal.value.detail
    assert refusal.value.code == "invalid_file"


def test_a_large_file_is_never_held_as_a_whole() -> None:
    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int | None = -1, /) -> bytes:
            assert size is not None
            assert 0 < size < 1_000_000
            part = (b"old,new\n" if not self.given else b"1,2\n" * 1000)[:size]
            self.given += len(part)
            return part

    stream = Endless()
    table = read_table(stream, required=REQUIRED)  # type: ignore[arg-type]
    for _ in range(10):
        next(table.records)
    assert stream.given < 100_000


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_nothing_but_a_refusal_comes_of_any_bytes(content: bytes) -> None:
    for before in (b"", b"old,new\n", b"\xff\xfe"):
        # Any other exception is a failure.
        with contextlib.suppress(InvalidFile):
            rows(before + content)
