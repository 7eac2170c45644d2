"""The history: files and the writes through the API beside each other, newest first."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from program_enrollments import api
from program_enrollments.api.reads import history
from program_enrollments.data import JobMode, Origin, Permission, ProgramEnrollmentRequest, Verb
from program_enrollments.models import LedgerEntry
from tests.console.conftest import Desk, keep_file
from tests.factories.enrollment import ProgramFactory
from tests.rest_api.callers import Campus

pytestmark = pytest.mark.usefixtures("file_storage")


def write(campus: Campus, request_id: str, *student_keys: str, source: str = "api") -> None:
    api.write_program_enrollments(
        program=campus.program,
        rows=[ProgramEnrollmentRequest(key, key, "", "enrolled") for key in student_keys],
        verb=Verb.UPSERT,
        origin=Origin(source=source, request_id=request_id),
        now=timezone.now(),
    )


def names(desk: Desk, campus: Campus, **query: str) -> list[str]:
    """Return the request of each write and the name of each file, in the order of the page."""
    page = desk.open("files", campus.program.uuid, **query)
    assert page.status == 200
    rows = page.tree.xpath("//tbody/tr/th")
    return [
        row.xpath("string(.//*[@class='pe-note-line'])") if "Write" in row.text_content() else "file" for row in rows
    ]


def test_files_and_writes_stand_beside_each_other_newest_first(registrar: Desk, campus: Campus) -> None:
    write(campus, "request-1", "A-1", "A-2")
    keep_file(campus, "student_key,status\nA-3,enrolled\n")
    write(campus, "request-2", "A-4")
    write(campus, "by-hand", "A-5", source="console")

    assert names(registrar, campus) == ["request-2", "file", "request-1"]
    page = registrar.open("files", campus.program.uuid)
    assert "2 changes" in page.rows()[2]
    assert "1 changed, 0 unchanged" in page.rows()[1]
    link = page.tree.xpath("//tbody/tr[1]/th/a/@href")[0]
    assert registrar.client.get(link).status_code == 200


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({"kind": "api"}, ["request-1"]),
        ({"kind": "program_enrollments"}, ["file", "file"]),
        ({"kind": "course_enrollments"}, []),
        ({"state": "held"}, ["file"]),
    ],
)
def test_filters_are_in_the_address(registrar: Desk, campus: Campus, query: dict[str, str], shown: list[str]) -> None:
    write(campus, "request-1", "A-1")
    keep_file(campus, "student_key,status\nA-1,enrolled\n")
    keep_file(campus, "student_key,status\n", mode=JobMode.SNAPSHOT)

    assert names(registrar, campus, **query) == shown


def test_a_filter_that_is_none(registrar: Desk, campus: Campus) -> None:
    assert registrar.open("files", campus.program.uuid, state="lost").status == 400


# On each database by what is hardest: pages that end in the middle of a window. All the rest once.
@pytest.mark.parametrize(
    ("page_size", "window"),
    [
        (3, 2),
        (2, 7),
        *(
            pytest.param(page_size, window, marks=pytest.mark.once)
            for page_size in (1, 2, 3, 50)
            for window in (2, 7, 5_000)
            if (page_size, window) not in {(3, 2), (2, 7)}
        ),
    ],
)
def test_pages_show_everything_once_and_in_order(
    registrar: Desk, campus: Campus, settings: Any, monkeypatch: pytest.MonkeyPatch, page_size: int, window: int
) -> None:
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "PAGE_SIZE": page_size}
    monkeypatch.setattr(history, "WINDOW", window)
    expected = []
    for number in range(4):
        write(campus, f"request-{number}", *(f"A-{number}-{place}" for place in range(3)))
        keep_file(campus, "student_key,status\n" + "".join(f"F-{number}-{place},enrolled\n" for place in range(9)))
        expected += [f"request-{number}", "file"]

    seen: list[str] = []
    url = ""
    for _ in range(60):
        page = registrar._page(registrar.client.get(f"/console/programs/{campus.program.uuid}/files/{url}"))
        for row in page.tree.xpath("//tbody/tr/th"):
            note = row.xpath("string(.//*[@class='pe-note-line'])")
            seen.append(note if "Write" in row.text_content() else "file")
        following = page.tree.xpath("//a[@rel='next']/@href")
        if not following:
            break
        url = following[0]

    assert seen == expected[::-1]


def test_another_programs_are_not_among_them(registrar: Desk, campus: Campus) -> None:
    other = ProgramFactory(school=campus.school)
    write(campus, "request-1", "A-1")
    keep_file(campus, "student_key,status\nA-1,enrolled\n")

    assert registrar.open("files", other.uuid).rows() == []
    assert "No file has come yet" in registrar.open("files", other.uuid).text


def test_people_who_may_not_read_see_their_own_files_alone(holding: Any, campus: Campus) -> None:
    editor = holding(Permission.WRITE_ENROLLMENTS)
    write(campus, "request-1", "A-1")
    keep_file(campus, "student_key,status\nA-1,enrolled\n")
    keep_file(campus, "student_key,status\nA-2,enrolled\n", user_id=editor.user.pk)

    assert names(editor, campus) == ["file"]
    assert "You see the files that you sent yourself." in editor.open("files", campus.program.uuid).text


def test_a_cursor_of_another_list_is_refused(registrar: Desk, campus: Campus) -> None:
    assert registrar.open("files", campus.program.uuid, cursor="nonsense").status == 404


def test_a_long_file_between_two_writes_is_passed_over(
    registrar: Desk, campus: Campus, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(campus, "request-1", "A-1")
    keep_file(campus, "student_key,status\n" + "".join(f"F-{number},enrolled\n" for number in range(40)))
    monkeypatch.setattr(history, "WINDOW", 5)
    assert LedgerEntry.objects.count() > 40

    page = registrar.open("files", campus.program.uuid, kind="api")

    assert "Nothing here; there may be more further back" in page.text
    assert page.tree.xpath("//a[@rel='next']/@href")
