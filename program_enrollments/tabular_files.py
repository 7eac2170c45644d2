"""Tabular files: CSV as spreadsheets and student information systems write it, read record by record.

Accepted are UTF-8 with or without a byte order mark, and UTF-16 with one; commas, semicolons or tabs between fields,
also announced by a first line such as `sep=;`; lines that end in LF, CRLF or CR. A file is read as a stream and never
held as a whole. Messages say what was seen and what to do. They never quote the file: it may hold student IDs.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from program_enrollments.exceptions import InvalidFile

DELIMITERS: Mapping[str, str] = {",": "commas", ";": "semicolons", "\t": "tabs"}
SEPARATOR_LINE = re.compile(r"sep=(.)\s*", re.IGNORECASE)
MAX_LINE_CHARACTERS = 1_000_000
HEAD_BYTES = 64
ZIP, OLD_EXCEL = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
ADVICE = "Save it as CSV in UTF-8 and try again."


class Record(NamedTuple):
    """One record: the line it starts on, and its cells by column, "" where it has none.

    `width` is the number of its fields, blank ones at the end not counted beyond those that the header has. `problem`
    says why the record cannot be read, in words fit for a log; its cells are empty then.
    """

    line: int
    cells: Mapping[str, str]
    width: int
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A file's columns, trimmed and caseless, in their order, and its records, to be gone through once.

    The header is line 1; a `sep=` line before it is not counted. Blank lines are left out, and counted.
    """

    columns: Sequence[str]
    records: Iterator[Record]


def read_table(stream: BinaryIO, *, required: Collection[str], optional: Collection[str] = ()) -> Table:
    """Read a file's header, and return the table. Other columns than those named are kept.

    Raises InvalidFile for what is no such file, also later, while the records are gone through: bytes of another
    encoding, a quotation mark that is never closed.
    """
    lines = _Lines(stream)
    known = [*required, *optional]
    delimiter, header = _read_header(lines, known)
    missing = [name for name in required if name not in header]
    if missing:
        raise InvalidFile(_describe_lack(header, delimiter=delimiter, known=known, missing=missing))
    twice = sorted({name for name in known if header.count(name) > 1})
    if twice:
        raise InvalidFile(f"Line 1 names the column {_join(twice)} more than once. Keep one of each, and try again.")
    return Table(header, _records(lines, header, delimiter))


def _read_header(lines: _Lines, known: Sequence[str]) -> tuple[str, list[str]]:
    """Return the delimiter, and the names of the columns: those between which most are known."""
    first = next(lines, "")
    announced = SEPARATOR_LINE.fullmatch(first)
    if announced:
        lines.number = 0
        first = next(lines, "")
        if announced[1] not in DELIMITERS:
            seen = "The line that begins with sep= announces another delimiter than a comma, a semicolon or a tab."
            raise InvalidFile(f"{seen} {ADVICE}")
    choices = [announced[1]] if announced else list(DELIMITERS)
    splits = {delimiter: _split(first, delimiter) for delimiter in choices}
    # The first of those that fit equally well: a comma.
    best = max(choices, key=lambda delimiter: sum(name in splits[delimiter] for name in known))
    return best, splits[best]


def _split(line: str, delimiter: str) -> list[str]:
    return [name.strip().casefold() for name in next(csv.reader([line], delimiter=delimiter), [])]


def _records(lines: _Lines, header: Sequence[str], delimiter: str) -> Iterator[Record]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        line = lines.number + 1
        try:
            fields = next(reader, None)
        except csv.Error as error:
            if lines.is_at_end or "field larger" in str(error):
                seen = f"A quotation mark on line {line} is never closed, or a field there is very long."
                raise InvalidFile(f"{seen} Correct the line, and try again.") from None
            yield Record(line, {}, 0, "a quotation mark stands where none can")
            continue
        if fields is None:
            return
        if not any(field.strip() for field in fields):
            continue
        while len(fields) > len(header) and not fields[-1].strip():
            fields.pop()
        padded = [*fields, *[""] * (len(header) - len(fields))]
        yield Record(line, dict(zip(header, padded, strict=False)), len(fields))


def _describe_lack(header: Sequence[str], *, delimiter: str, known: Sequence[str], missing: Sequence[str]) -> str:
    found = [name for name in known if name in header]
    if not any(header):
        seen = "Line 1 is empty"
    elif len(header) == 1:
        seen = "Line 1 has one field"
    else:
        seen = f"Line 1 has {len(header)} fields with {DELIMITERS[delimiter]} between them"
    names = f"among them {_join(found)}" if found else "and none of them is a column that is known here"
    return (
        f"The file lacks the columns {_join(missing)}. {seen}, {names}. Line 1 must name the columns, with commas, "
        "semicolons or tabs between them."
    )


def _join(names: Sequence[str]) -> str:
    return ", ".join(names)


class _Lines:
    """The lines of a file as text, each with its end; `number` is that of the line given last."""

    def __init__(self, stream: BinaryIO) -> None:
        head = stream.read(HEAD_BYTES)
        self.encoding = _find_encoding(head)
        # Bytes that are no UTF-8 are noticed on the line that they stand on.
        errors = "surrogateescape" if self.encoding == "utf-8-sig" else "strict"
        self.text = io.TextIOWrapper(
            io.BufferedReader(_Rejoined(head, stream)), encoding=self.encoding, errors=errors, newline=""
        )
        self.number = 0
        self.is_at_end = False

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        """Return the next line. Raises InvalidFile for one that cannot be read, or that does not end."""
        try:
            line = self.text.readline(MAX_LINE_CHARACTERS + 1)
        except UnicodeError:
            seen = f"From line {self.number + 1} on, there are bytes that are not UTF-16."
            raise InvalidFile(f"{seen} {ADVICE}") from None
        if not line:
            self.is_at_end = True
            raise StopIteration
        self.number += 1
        if len(line) > MAX_LINE_CHARACTERS:
            raise InvalidFile(f"Line {self.number} has more than {MAX_LINE_CHARACTERS} characters. {ADVICE}")
        if not line.isascii() and any("\ud800" <= letter <= "\udfff" for letter in line):
            raise InvalidFile(f"Line {self.number} has bytes that are not UTF-8. {ADVICE}")
        return line


def _find_encoding(head: bytes) -> str:
    """Return the encoding by the byte order mark. Raises InvalidFile for what is no text."""
    if head.startswith((ZIP, OLD_EXCEL)):
        raise InvalidFile(f"This is a spreadsheet or an archive, not a CSV file. {ADVICE}")
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise InvalidFile(f"The file is UTF-32, which is not read here. {ADVICE}")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\x00" in head:
        raise InvalidFile(f"The file has zero bytes, as UTF-16 without a byte order mark has. {ADVICE}")
    return "utf-8-sig"


class _Rejoined(io.RawIOBase):
    """A stream whose first bytes were read already."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self.head, self.rest = head, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # (the stubs ask for any buffer)
        part, self.head = (self.head or self.rest.read(len(buffer)) or b"")[: len(buffer)], self.head[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)
