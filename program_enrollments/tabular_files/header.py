"""Headers: the first record of a file, which names its columns."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_noop as _

from program_enrollments.exceptions import InvalidFile
from program_enrollments.normalization import strip_invisible
from program_enrollments.sentences import known
from program_enrollments.tabular_files.encodings import SAVE_AS_CSV
from program_enrollments.tabular_files.lines import Lines, unclosed_quote

DELIMITERS: Mapping[str, str] = {",": _("commas"), ";": _("semicolons"), "\t": _("tabs")}
QUOTE = '"'
MAX_HEADER_LINES = 100
OTHER_DELIMITER = known(
    _("The line that begins with sep= announces another delimiter than a comma, a semicolon or a tab.")
)
NAMED_TWICE = known(_("Line 1 names the column %(names)s more than once. Keep one of each, and try again."))
LACKS_ONE = known(_("The file lacks the column %(names)s."))
LACKS_MANY = known(_("The file lacks the columns %(names)s."))
LINE_1 = {
    (0, False): known(_("Line 1 is empty.")),
    (1, False): known(_("Line 1 has one field, and none of them is a column that is known here.")),
    (1, True): known(_("Line 1 has one field, among them %(known)s.")),
    (2, False): known(
        _("Line 1 has %(fields)d fields with %(what)s between them, and none of them is a column that is known here.")
    ),
    (2, True): known(_("Line 1 has %(fields)d fields with %(what)s between them, among them %(known)s.")),
}
"""What stands on line 1, by its number of fields (2 for more), and whether any is known here."""
NAME_COLUMNS = known(_("Line 1 must name the columns, with commas, semicolons or tabs between them."))

Required = Collection[str | tuple[str, ...]]
"""Columns that a file must have. Of a tuple's columns, one is enough."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a file's first record says.

    `names` are trimmed and in lower case, `fields` are as the file has them; both in the file's order. `lines` is how
    many lines the header takes: more than one if a quoted name has line breaks.
    """

    delimiter: str
    fields: Sequence[str]
    names: Sequence[str]
    lines: int


def read_header(source: Lines, lines: Iterator[str], *, columns: Sequence[str], required: Required) -> Header:
    """Return the header of a file whose `lines` were not read yet.

    Raises InvalidFile if a required column is missing, or one of `columns` stands there twice.
    """
    taken = _take_record(lines)
    if source.separator and source.separator not in DELIMITERS:
        raise InvalidFile(f"{OTHER_DELIMITER} {SAVE_AS_CSV}")
    # Of delimiters that fit equally well the first: a comma.
    header = max(
        (_split(taken, delimiter) for delimiter in source.separator or DELIMITERS),
        key=lambda header: len(set(columns).intersection(header.names)),
    )
    _check(header, columns=columns, required=required)
    return header


def _take_record(lines: Iterator[str]) -> list[str]:
    """Return the lines of the first record."""
    taken: list[str] = []
    quotes = 0
    for line in lines:
        taken.append(line)
        quotes += line.count(QUOTE)
        if not quotes % 2:
            return taken
        if len(taken) == MAX_HEADER_LINES:
            break
    if quotes % 2:
        raise unclosed_quote(line=1)
    return taken


def _split(lines: list[str], delimiter: str) -> Header:
    try:
        fields = next(csv.reader(lines, delimiter=delimiter), [])
    except csv.Error:
        fields = []
    names = [" ".join(strip_invisible(field).split()).casefold() for field in fields]
    while names and not names[-1]:
        names.pop()
    return Header(delimiter, fields[: len(names)], names, len(lines))


def _check(header: Header, *, columns: Sequence[str], required: Required) -> None:
    groups = [(group,) if isinstance(group, str) else group for group in required]
    missing = [group for group in groups if not set(group).intersection(header.names)]
    if missing:
        raise InvalidFile(_describe_lack(header, columns=columns, missing=missing))
    twice = [name for name in columns if header.names.count(name) > 1]
    if twice:
        raise InvalidFile(NAMED_TWICE % {"names": _join(twice)})


def _describe_lack(header: Header, *, columns: Sequence[str], missing: Sequence[tuple[str, ...]]) -> str:
    """Return what is missing, what was seen, and what to do.

    Only names that are known here are repeated: a file without a header has a student on line 1.
    """
    lacks = _join([" or ".join(group) for group in missing])
    found = [name for name in columns if name in header.names]
    number = min(len(header.names), 2)
    seen = LINE_1[number, bool(found)] % {
        "fields": len(header.names),
        "what": DELIMITERS[header.delimiter],
        "known": _join(found),
    }
    lack = LACKS_ONE if len(missing) == 1 else LACKS_MANY
    return f"{lack % {'names': lacks}} {seen} {NAME_COLUMNS}"


def _join(names: Sequence[str]) -> str:
    return ", ".join(names)
