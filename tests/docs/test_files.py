"""The guide for registrar's offices: its templates can be read, and its mistakes end as it says."""

from __future__ import annotations

import io
import zipfile

import pytest

from demo_lms.demo_data.sample_files import FOLDER
from program_enrollments import api
from program_enrollments.data import (
    CourseStatus,
    Origin,
    ProgramEnrollmentRequest,
    ProgramStatus,
    Source,
    Verb,
    Word,
)
from program_enrollments.exceptions import InvalidFile
from program_enrollments.rest_api.exports import BROKEN_OFF
from program_enrollments.tabular_files import Record, describe_damage, open_table
from tests.docs.snippets import ROOT, snippets
from tests.factories.enrollment import CurriculumFactory

PAGE = "docs/files.rst"
FILES = {snippet.name: snippet.text for snippet in snippets(PAGE) if snippet.name}
IDENTITY = ("student_key", "email")


@pytest.fixture(scope="module")
def page() -> str:
    """The page as one line."""
    return " ".join((ROOT / PAGE).read_text(encoding="utf-8").split())


def records(name: str, *columns: str) -> list[Record]:
    return read(FILES[name].encode(), *columns)


def read(content: bytes, *columns: str) -> list[Record]:
    asked = columns or ("student_key", "email", "status")
    table = open_table(file=io.BytesIO(content), columns=asked, required=columns or ("status", IDENTITY))
    return list(table.records())


def refusal_of(content: bytes) -> str:
    with pytest.raises(InvalidFile) as refusal:
        read(content)
    return refusal.value.detail


@pytest.mark.once
@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("program.csv", ("student_key", "email", "status", "curriculum_uuid")),
        ("courses.csv", ("course_id", "student_key", "email", "status", "course_staff")),
        ("student_keys.csv", ("old_student_key", "new_student_key")),
    ],
)
def test_a_template_is_a_whole_table(name: str, columns: tuple[str, ...]) -> None:
    found = records(name, *columns)
    assert len(found) > 1
    assert {record.problem for record in found} == {""}
    assert FILES[name].splitlines()[0] == ",".join(columns)


@pytest.mark.once
def test_files_that_are_refused_are_refused_in_the_words_of_the_page(page: str) -> None:
    workbook = io.BytesIO()
    with zipfile.ZipFile(workbook, "w") as archive:
        archive.writestr("[Content_Types].xml", "")
    zoe = "student_key,status\nA-7001,enrolled\nZoë,enrolled\n".encode("cp1252")
    for content in (workbook.getvalue(), zoe, FILES["other-names.csv"].encode(), FILES["quote.csv"].encode()):
        assert f"*{refusal_of(content)}*" in page


@pytest.mark.once
def test_lines_that_cannot_be_read_are_told_in_the_words_of_the_page(page: str) -> None:
    for name, columns, bad in (("comma.csv", ("student_key", "name", "status"), 2), ("short.csv", (), 3)):
        problems = {record.line: record.problem for record in records(name, *columns) if record.problem}
        assert list(problems) == [bad]
        assert f"*{problems[bad]}*" in page


@pytest.mark.once
def test_what_a_spreadsheet_did_to_an_id_is_told_in_the_words_of_the_page(page: str) -> None:
    advice = [describe_damage(record.cells[0]) for record in records("zeros.csv")]
    assert advice[0] == ""
    assert f"*{advice[1]}*" in page


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "word"), [("status.csv", Word.INVALID_STATUS), ("twice.csv", Word.DUPLICATED)])
def test_lines_that_are_refused_get_the_word_of_the_page(page: str, name: str, word: Word) -> None:
    rows = [
        ProgramEnrollmentRequest(str(record.line), student_key, email, status)
        for record in records(name)
        for student_key, email, status in [record.cells]
    ]
    outcomes = api.write_program_enrollments(
        program=CurriculumFactory().program,
        rows=rows,
        verb=Verb.UPSERT,
        origin=Origin(source=Source.COMMAND.value),
        dry_run=True,
    )
    assert [outcome.word for outcome in outcomes] == [word.value] * 2
    assert f"oth lines are ``{word.value}``" in page


@pytest.mark.once
@pytest.mark.parametrize("word", [*ProgramStatus.values, *CourseStatus.values, *(word.value for word in Word)])
def test_every_word_is_there(page: str, word: str) -> None:
    assert f"``{word}``" in page


@pytest.mark.once
def test_the_sample_files_are_where_the_page_says(page: str) -> None:
    assert f"``{FOLDER.relative_to(ROOT)}/``" in page
    assert "``…-mistakes.csv``" in page
    assert list(FOLDER.glob("*-mistakes.csv"))


@pytest.mark.once
def test_what_a_broken_export_ends_in_is_there(page: str) -> None:
    told = "This export broke off"
    assert f"``{told}``" in page
    assert told in BROKEN_OFF.decode()
    assert BROKEN_OFF.decode().strip() in (ROOT / "docs/api.rst").read_text(encoding="utf-8")
