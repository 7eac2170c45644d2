"""Every bad input: what is seen, on which line, and what to do. Nothing of the file is quoted."""

from __future__ import annotations

import io
import zipfile

import pytest

from program_enrollments.exceptions import InvalidFile
from program_enrollments.tabular_files import describe_damage
from tests.tabular_files.files import records

pytestmark = pytest.mark.once

SECRET, ADDRESS = "S-7001", "ann@uni.example"
HEADER = b"student_key,email,status\n"
GOOD = b"S-1,s1@uni.example,enrolled\n"
SAVE_AS_CSV = "Save it as CSV in UTF-8 and try again."
MUST_NAME = "Line 1 must name the columns, with commas, semicolons or tabs between them."
IN_SPREADSHEET = (
    "Open it in the spreadsheet program, choose File, Save as, then the type CSV UTF-8, and send that file."
)
NOT_UTF8 = (
    "has bytes that are not UTF-8, as files in Windows-1252 or Latin-1 have. Save it as CSV in UTF-8 and try again."
)
UNCLOSED = "is never closed. Correct the line, and try again."
TOO_LONG = (
    "is far too long: a quotation mark on it is never closed, or a cell is no plain value. Correct the line, or leave "
    "out the column with the long texts, and try again."
)
MEGABYTE = b"x" * 1_000_000


def zipped(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, HEADER + GOOD)
    return content.getvalue()


REFUSED_FILES = {
    "empty": (b"", f"The file lacks the columns status, student_key or email. Line 1 is empty. {MUST_NAME}"),
    "only a byte order mark": (b"\xef\xbb\xbf", "Line 1 is empty"),
    "only line ends": (b"\r\n\r\n", "Line 1 is empty"),
    "line 1 is blank": (b"\n" + HEADER + GOOD, "Line 1 is empty"),
    "no header": (
        f"{SECRET},{ADDRESS},enrolled\n".encode(),
        f"Line 1 has 3 fields with commas between them, {{none}} {MUST_NAME}",
    ),
    "one field without header": (SECRET.encode(), "Line 1 has one field, {none}"),
    "wrong header": (
        b"Student ID;E-Mail;status\n",
        (
            "The file lacks the column student_key or email. Line 1 has 3 fields with semicolons between them, among "
            f"them status. {MUST_NAME}"
        ),
    ),
    "missing header": (
        b"student_key,email\n",
        (
            "The file lacks the column status. Line 1 has 2 fields with commas between them, among them student_key, "
            f"email. {MUST_NAME}"
        ),
    ),
    "doubled header": (
        b"student_key,status, Status\n",
        "Line 1 names the column status more than once. Keep one of each, and try again.",
    ),
    "another delimiter": (b"student_key|status\n", "Line 1 has one field, {none}"),
    "another delimiter announced": (
        b"sep=|\nstudent_key|status\n",
        f"The line that begins with sep= announces another delimiter than a comma, a semicolon or a tab. {SAVE_AS_CSV}",
    ),
    "quotation mark of the header": (b'student_key,"status\nS-7001,x\n', f"begins on line 1 {UNCLOSED}"),
    "Latin-1": (HEADER + GOOD + "S-7001,,Zürich\n".encode("latin-1"), f"Line 3 {NOT_UTF8}"),
    "Latin-1 in line 1": ("student_key,status,Größe\n".encode("latin-1") + GOOD, f"Line 1 {NOT_UTF8}"),
    "Latin-1 far below": (HEADER + GOOD * 50_000 + b"S-7001,\xfc,x\n", f"Line 50002 {NOT_UTF8}"),
    "Latin-1 with lone CR": (b"student_key,status\r1,2\r\xfc,x\r", f"Line 3 {NOT_UTF8}"),
    "Latin-1 behind a sep= line": (b"sep=;\nstudent_key;status\n1;2\n\xfc;x\n", f"Line 3 {NOT_UTF8}"),
    "cut within a letter": (HEADER + GOOD + "S-7001,,ü".encode()[:-1], f"Line 3 {NOT_UTF8}"),
    "surrogates as UTF-8": (HEADER + b"S-7001,\xed\xa0\x80,x\n", f"Line 2 {NOT_UTF8}"),
    "UTF-16 without a mark": (
        (HEADER + GOOD).decode().encode("utf-16-le"),
        f"The file has zero bytes, as UTF-16 without a byte order mark has. {SAVE_AS_CSV}",
    ),
    "half of UTF-16": (
        (HEADER + GOOD).decode().encode("utf-16") + b"x",
        f"Line 3 has bytes that are not UTF-16. {SAVE_AS_CSV}",
    ),
    "UTF-32": (HEADER.decode().encode("utf-32"), f"The file is in UTF-32, which is not read here. {SAVE_AS_CSV}"),
    "unclosed quotation mark": (HEADER + GOOD + b'"S-7001,,x\n' + GOOD, f"begins on line 3 {UNCLOSED}"),
    "unclosed quotation mark, large": (HEADER + GOOD + b'"S-7001,,x\n' + GOOD * 50_000, f"begins on line 3 {UNCLOSED}"),
    "unclosed at the very end": (HEADER + GOOD + b'S-7001,,"', f"begins on line 3 {UNCLOSED}"),
    "10 MB in one cell": (HEADER + GOOD + b"S-7001," + MEGABYTE * 10 + b",x\n" + GOOD, f"Line 3 {TOO_LONG}"),
    "10 MB in one quoted cell": (HEADER + GOOD + b'S-7001,"' + MEGABYTE * 10 + b'",x\n' + GOOD, f"Line 3 {TOO_LONG}"),
    "200 kB in one cell": (HEADER + GOOD + b"S-7001," + b"x" * 200_000 + b",x\n" + GOOD, f"Line 3 {TOO_LONG}"),
    "10 MB without a line end": (MEGABYTE * 10, f"Line 1 {TOO_LONG}"),
    "zip": (
        zipped("students.csv"),
        "This is a zip archive, not a CSV file. Unpack it, and send the CSV file that is in it.",
    ),
    "empty zip": (zipped(), "This is an empty zip archive, not a CSV file. Send the CSV file itself."),
    "XLSX": (
        zipped("[Content_Types].xml", "xl/workbook.xml"),
        f"This is a spreadsheet (XLSX or ODS), not a CSV file. {IN_SPREADSHEET}",
    ),
    "XLS": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + SECRET.encode(),
        f"This is an old Excel workbook (XLS), not a CSV file. {IN_SPREADSHEET}",
    ),
    "gzip": (b"\x1f\x8b\x08\x00" + SECRET.encode(), "This is a gzip archive, not a CSV file."),
    "PDF": (b"%PDF-1.7 " + SECRET.encode(), "This is a PDF document, not a CSV file."),
    "web page": (
        b"\r\n <!DOCTYPE html><table><tr><td>S-7001",
        "This is a web page or an XML file, not a CSV file. Export the data as CSV and try again.",
    ),
    "JSON": (b'[{"student_key": "S-7001"}]', "This is JSON, not a CSV file."),
}
"""Files that are refused as a whole."""


@pytest.mark.parametrize("name", REFUSED_FILES)
def test_a_file_that_is_no_table_is_refused_as_a_whole(name: str) -> None:
    content, said = REFUSED_FILES[name]
    with pytest.raises(InvalidFile) as refusal:
        records(content)
    detail = refusal.value.detail
    assert said.replace("{none}", "and none of them is a column that is known here.") in detail
    assert [secret for secret in (SECRET, ADDRESS, "uni.example") if secret in detail] == []
    assert refusal.value.code == "invalid_file"


MISPLACED = (
    "A quotation mark stands where none can. Double each quotation mark inside a value, and put one before and one "
    "behind the value."
)
TOO_FEW = "Add the missing delimiters, also where values are blank."
TOO_MANY = "Put quotation marks around values with a delimiter in them."

REFUSED_LINES = {
    "one field too few": (b"S-7001,enrolled", f"The line has 2 fields, and line 1 names 3 columns. {TOO_FEW}"),
    "a single field": (b"S-7001", f"The line has 1 field, and line 1 names 3 columns. {TOO_FEW}"),
    "one field too many": (
        b"Doe, Ann,ann@uni.example,enrolled",
        f"The line has 4 fields, and line 1 names 3 columns. {TOO_MANY}",
    ),
    "a blank before the quotation mark": (
        b'S-7001, "Doe, Ann",enrolled',
        f"The line has 4 fields, and line 1 names 3 columns. {TOO_MANY}",
    ),
    "letters behind a closed quotation mark": (b'"S-7001"x,,enrolled', MISPLACED),
    "an undoubled quotation mark": (b'S-7001,"a"b"c",enrolled', MISPLACED),
    "a quotation mark escaped by a backslash": (b'S-7001,"a\\"b",enrolled', MISPLACED),
    "a zero byte": (
        b"S-7001,\x00,enrolled",
        "The line has a zero byte, which no text has. Correct the line, or export the file again.",
    ),
    "a zero byte in a line that is too short": (b"S-7001\x00", "The line has a zero byte"),
    "semicolons in a file of commas": (b"S-7001;;enrolled", "The line has 1 field"),
}
"""Lines that cannot be read, in a file that can."""


@pytest.mark.parametrize("name", REFUSED_LINES)
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_a_line_that_cannot_be_read_is_a_problem_of_its_own(name: str, end: bytes) -> None:
    content, said = REFUSED_LINES[name]
    before, bad, after = records(end.join([HEADER.strip(), GOOD.strip(), content, GOOD.strip()]))
    assert [before.line, bad.line, after.line] == [2, 3, 4]
    assert [before.problem, after.problem] == ["", ""]
    assert bad.cells == ()
    assert said in bad.problem
    assert SECRET not in bad.problem
    assert ADDRESS not in bad.problem


def test_the_lines_behind_a_bad_record_over_several_lines_are_right() -> None:
    content = HEADER + b'"S-1\n1"x,,enrolled\n' + GOOD + b'"a\nb\nc",,d\n"e"f\n' + GOOD
    assert [(record.line, bool(record.problem)) for record in records(content)] == [
        (2, True),
        (4, False),
        (5, False),
        (8, True),
        (9, False),
    ]


ACCEPTED = {
    "headers only": (HEADER, []),
    "a byte order mark twice": (b"\xef\xbb\xbf" * 2 + HEADER + GOOD, [2]),
    "Control-Z behind the last line": (HEADER + GOOD + b"\x1a", [2]),
    "the same learner a hundred thousand times": (HEADER + GOOD * 100_000, [*range(2, 100_002)]),
    "formulas": (HEADER + b"=1+1,@x,+1\n", [2]),
    "control characters, which the check of the row refuses": (HEADER + b"S\x07,\x1b,x\n", [2]),
    "line ends of other alphabets, which are letters": (HEADER + "a\u2028b,\x0b,\x85\n".encode() + GOOD, [2, 3]),
}
"""Files that are odd, and read."""


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_is_odd_and_still_a_table_is_read(name: str) -> None:
    content, lines = ACCEPTED[name]
    read = records(content)
    assert [record.line for record in read] == lines
    assert {record.problem for record in read} <= {""}


@pytest.mark.parametrize("value", ["1E+05", "1,23E+11", "1.23457e+11", " 2E+6 ", "-1E5", "1E-5"])
def test_an_id_that_a_spreadsheet_made_a_number_of_is_seen(value: str) -> None:
    assert "Format the column as text before the IDs are put in" in describe_damage(value)


@pytest.mark.parametrize("value", ["", "S-7001", "100000", "E+05", "1E+", "1E+05x", "0012", "１E+05"])
def test_other_ids_are_not(value: str) -> None:
    assert describe_damage(value) == ""
