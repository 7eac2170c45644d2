"""Signatures: files of other kinds, told by their first bytes."""

from __future__ import annotations

import codecs
import re

from program_enrollments.exceptions import InvalidFile

SAVE_AS_CSV = "Save it as CSV in UTF-8 and try again."
HEAD_BYTES = 512
"""How many bytes `find_encoding` looks at."""

ZIP = b"PK\x03\x04"
WORKBOOK_MEMBERS = (b"[Content_Types].xml", b"_rels/", b"docProps/", b"xl/", b"opendocument.spreadsheet")
OPEN_IN_SPREADSHEET = (
    "Open it in the spreadsheet program, choose File, Save as, then the type CSV UTF-8, and send that file."
)

OTHER_KINDS: dict[bytes, str] = {
    ZIP: "This is a zip archive, not a CSV file. Unpack it, and send the CSV file that is in it.",
    b"PK\x05\x06": "This is an empty zip archive, not a CSV file. Send the CSV file itself.",
    b"\xd0\xcf\x11\xe0": f"This is an old Excel workbook (XLS), not a CSV file. {OPEN_IN_SPREADSHEET}",
    b"\x1f\x8b": "This is a gzip archive, not a CSV file. Unpack it, and send the CSV file that is in it.",
    b"%PDF": "This is a PDF document, not a CSV file. Export the data as CSV and try again.",
    b"{\\rtf": f"This is a text document (RTF), not a CSV file. {SAVE_AS_CSV}",
}
ZERO_IN_LINE_1 = re.compile(rb"[^\r\n]*\x00")
MARKUP = (b"<!doctype", b"<html", b"<table", b"<?xml")
"""How web pages and XML begin, in lower case. Some systems name such a file .xls or .csv."""


def find_encoding(head: bytes) -> str:
    """Return the encoding of a text file by its first bytes: UTF-8, or UTF-16 of either byte order.

    UTF-16 is known by its byte order mark. Raises InvalidFile for a file of another kind.
    """
    if head.startswith(ZIP) and any(member in head for member in WORKBOOK_MEMBERS):
        raise InvalidFile(f"This is a spreadsheet (XLSX or ODS), not a CSV file. {OPEN_IN_SPREADSHEET}")
    for start, seen in OTHER_KINDS.items():
        if head.startswith(start):
            raise InvalidFile(seen)
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise InvalidFile(f"The file is in UTF-32, which is not read here. {SAVE_AS_CSV}")
    if head.startswith(codecs.BOM_UTF16_LE):
        return "utf-16-le"
    if head.startswith(codecs.BOM_UTF16_BE):
        return "utf-16-be"
    text = head.removeprefix(codecs.BOM_UTF8)
    if text.lstrip().lower().startswith(MARKUP):
        raise InvalidFile("This is a web page or an XML file, not a CSV file. Export the data as CSV and try again.")
    if text.lstrip().startswith((b"[", b"{")) and b'":' in text:
        raise InvalidFile("This is JSON, not a CSV file. Export the data as CSV, or use the calls that take JSON.")
    if ZERO_IN_LINE_1.match(text):
        raise InvalidFile(f"The file has zero bytes, as UTF-16 without a byte order mark has. {SAVE_AS_CSV}")
    return "utf-8"
