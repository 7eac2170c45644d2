"""Signatures: files of other kinds, told by their first bytes."""

from __future__ import annotations

import codecs
import re

from django.utils.translation import gettext_noop as _

from program_enrollments.exceptions import InvalidFile
from program_enrollments.sentences import known

SAVE_AS_CSV = known(_("Save it as CSV in UTF-8 and try again."))
HEAD_BYTES = 512
"""How many bytes `find_encoding` looks at."""

ZIP = b"PK\x03\x04"
WORKBOOK_MEMBERS = (b"[Content_Types].xml", b"_rels/", b"docProps/", b"xl/", b"opendocument.spreadsheet")
OPEN_IN_SPREADSHEET = known(
    _("Open it in the spreadsheet program, choose File, Save as, then the type CSV UTF-8, and send that file.")
)

OLD_WORKBOOK = known(_("This is an old Excel workbook (XLS), not a CSV file."))
WORKBOOK = known(_("This is a spreadsheet (XLSX or ODS), not a CSV file."))
RICH_TEXT = known(_("This is a text document (RTF), not a CSV file."))
UTF_32 = known(_("The file is in UTF-32, which is not read here."))
ZERO_BYTES = known(_("The file has zero bytes, as UTF-16 without a byte order mark has."))

OTHER_KINDS: dict[bytes, str] = {
    ZIP: _("This is a zip archive, not a CSV file. Unpack it, and send the CSV file that is in it."),
    b"PK\x05\x06": _("This is an empty zip archive, not a CSV file. Send the CSV file itself."),
    b"\xd0\xcf\x11\xe0": f"{OLD_WORKBOOK} {OPEN_IN_SPREADSHEET}",
    b"\x1f\x8b": _("This is a gzip archive, not a CSV file. Unpack it, and send the CSV file that is in it."),
    b"%PDF": _("This is a PDF document, not a CSV file. Export the data as CSV and try again."),
    b"{\\rtf": f"{RICH_TEXT} {SAVE_AS_CSV}",
}
ZERO_IN_LINE_1 = re.compile(rb"[^\r\n]*\x00")
MARKUP = (b"<!doctype", b"<html", b"<table", b"<?xml")
"""How web pages and XML begin, in lower case. Some systems name such a file .xls or .csv."""


def find_encoding(head: bytes) -> str:
    """Return the encoding of a text file by its first bytes: UTF-8, or UTF-16 of either byte order.

    UTF-16 is known by its byte order mark. Raises InvalidFile for a file of another kind.
    """
    if head.startswith(ZIP) and any(member in head for member in WORKBOOK_MEMBERS):
        raise InvalidFile(f"{WORKBOOK} {OPEN_IN_SPREADSHEET}")
    for start, seen in OTHER_KINDS.items():
        if head.startswith(start):
            raise InvalidFile(seen)
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise InvalidFile(f"{UTF_32} {SAVE_AS_CSV}")
    if head.startswith(codecs.BOM_UTF16_LE):
        return "utf-16-le"
    if head.startswith(codecs.BOM_UTF16_BE):
        return "utf-16-be"
    text = head.removeprefix(codecs.BOM_UTF8)
    if text.lstrip().lower().startswith(MARKUP):
        raise InvalidFile(_("This is a web page or an XML file, not a CSV file. Export the data as CSV and try again."))
    if text.lstrip().startswith((b"[", b"{")) and b'":' in text:
        raise InvalidFile(_("This is JSON, not a CSV file. Export the data as CSV, or use the calls that take JSON."))
    if ZERO_IN_LINE_1.match(text):
        raise InvalidFile(f"{ZERO_BYTES} {SAVE_AS_CSV}")
    return "utf-8"
