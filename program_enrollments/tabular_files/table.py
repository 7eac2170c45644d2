"""Tables: a file's columns, and its records one by one."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import BinaryIO, NamedTuple

from django.utils.translation import gettext_noop as _

from program_enrollments.sentences import known
from program_enrollments.tabular_files.cells import SHIELD, unshield
from program_enrollments.tabular_files.header import Header, Required, read_header
from program_enrollments.tabular_files.lines import Lines, too_long, unclosed_quote

ZERO = "\x00"
ZERO_BYTE = _("The line has a zero byte, which no text has. Correct the line, or export the file again.")
TOO_LONG = "field larger than field limit"
MISPLACED_QUOTE = _(
    "A quotation mark stands where none can. Double each quotation mark inside a value, and put one before and one "
    "behind the value."
)

ONE_FIELD = known(_("The line has 1 field, and line 1 names %(columns)d columns."))
OTHER_WIDTH = known(_("The line has %(fields)d fields, and line 1 names %(columns)d columns."))
QUOTE_VALUES = known(_("Put quotation marks around values with a delimiter in them."))
ADD_DELIMITERS = known(_("Add the missing delimiters, also where values are blank."))


class Record(NamedTuple):
    """One record of a file.

    `line` is the line on which it begins; the header is on line 1. `cells` are the values of the columns that
    `open_table` was given, in that order, "" where the file has no such column. `fields` are all values in the file's
    order, for whoever writes the record out again. Shields are taken off both; nothing is trimmed.

    `problem` is "" or a sentence that says why the record cannot be read and what to do. Such a record has no `cells`;
    it has `fields` only if their number is what is wrong. No value ever has a zero byte, which databases refuse.
    """

    line: int
    cells: tuple[str, ...]
    fields: Sequence[str]
    problem: str = ""


class Dialect(NamedTuple):
    """How a file is written: `encoding` is UTF-8 or UTF-16, `delimiter` is a comma, a semicolon or a tab."""

    encoding: str
    delimiter: str


@dataclass(frozen=True, slots=True)
class Table:
    """A file whose header was read.

    `header` are the fields of line 1, `names` the same trimmed and in lower case. `columns` are those of `names` that
    were asked for, `ignored_columns` the others as line 1 has them. All are in the file's order.
    """

    header: Sequence[str]
    names: Sequence[str]
    columns: Sequence[str]
    ignored_columns: Sequence[str]
    dialect: Dialect
    _records: Iterator[Record]

    def records(self) -> Iterator[Record]:
        """Yield the records, once. Blank lines, and those with blank fields alone, are none.

        Raises InvalidFile with the line for what makes the whole file unreadable: a quotation mark that is never
        closed, bytes of another encoding, a line that is far too long. Whatever the file raises when it is
        read goes through.
        """
        return self._records


def open_table(*, file: BinaryIO, columns: Sequence[str], required: Required) -> Table:
    """Read a file's header, and return the table.

    `columns` are the names that mean something here, in lower case. Those in `required` must be there; of a tuple in
    it, one is enough: `required=["status", ("student_key", "email")]`. Column names are compared trimmed and without
    case. The file must stay open while records are read; it is read forward only, in blocks of 64 kB.

    Raises InvalidFile for a file that is no table or lacks a column. Its detail says what was seen and what to do, and
    quotes nothing: line 1 of a file without a header names a student.
    """
    source = Lines(file)
    lines = iter(source)
    header = read_header(source, lines, columns=columns, required=required)
    asked = set(columns)
    return Table(
        header=tuple(header.fields),
        names=tuple(header.names),
        columns=tuple(name for name in header.names if name in asked),
        ignored_columns=tuple(
            field.strip() for field, name in zip(header.fields, header.names, strict=True) if name and name not in asked
        ),
        dialect=Dialect("UTF-8" if source.encoding == "utf-8" else "UTF-16", header.delimiter),
        _records=_read_records(source, lines, header=header, columns=columns),
    )


def _read_records(source: Lines, lines: Iterator[str], *, header: Header, columns: Sequence[str]) -> Iterator[Record]:
    """Yield the records of a table. A hot path: what every record takes is kept to a few steps."""
    reader = csv.reader(lines, delimiter=header.delimiter, strict=True)
    width, pick, make = len(header.names), _picker(header, columns), partial(tuple.__new__, Record)
    line = source.record_line = header.lines + 1
    while True:
        try:
            for fields in reader:
                if source.has_shields:
                    fields[:] = [unshield(field) if field[:1] == SHIELD else field for field in fields]
                if not any(map(str.strip, fields)):
                    pass
                elif len(fields) != width or (source.has_zero_bytes and ZERO in "".join(fields)):
                    yield _read_odd(line, fields, width=width, pick=pick)
                else:
                    yield make((line, pick(fields), fields, ""))
                line = source.record_line = header.lines + reader.line_num + 1
        except csv.Error as error:
            if source.is_at_end:
                raise unclosed_quote(line=line) from None
            if TOO_LONG in str(error):
                is_one_line = header.lines + reader.line_num == line
                raise (too_long(line=line) if is_one_line else unclosed_quote(line=line)) from None
            yield Record(line, (), (), MISPLACED_QUOTE)
            line = source.record_line = header.lines + reader.line_num + 1
        else:
            return


def _picker(header: Header, columns: Sequence[str]) -> Callable[[Sequence[str]], tuple[str, ...]]:
    """Return what takes the cells of `columns` from a record's fields."""
    places = [header.names.index(name) if name in header.names else None for name in columns]
    if len(places) == 1 or None in places:
        return lambda fields: tuple("" if place is None else fields[place] for place in places)
    return itemgetter(*places)


def _read_odd(line: int, fields: list[str], *, width: int, pick: Callable[[Sequence[str]], tuple[str, ...]]) -> Record:
    """Return a record that does not look as most do."""
    if any(ZERO in field for field in fields):
        return Record(line, (), (), ZERO_BYTE)
    while len(fields) > width and not fields[-1].strip():
        fields.pop()
    if len(fields) == width:
        return Record(line, pick(fields), fields)
    seen = ONE_FIELD if len(fields) == 1 else OTHER_WIDTH
    advice = QUOTE_VALUES if len(fields) > width else ADD_DELIMITERS
    return Record(line, (), fields, f"{seen % {'fields': len(fields), 'columns': width}} {advice}")
