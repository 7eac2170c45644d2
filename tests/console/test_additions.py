"""Adding learners by hand: typed, or pasted from a spreadsheet, with a preview first."""

from __future__ import annotations

from typing import Any

import pytest

from program_enrollments.console.pasted_lines import read_lines
from program_enrollments.data import ProgramStatus
from program_enrollments.models import LedgerEntry, PreemptiveCourseEnrollment, PreemptiveProgramEnrollment
from tests.console.conftest import Desk, enroll
from tests.factories.enrollment import CurriculumFactory, SchoolEmailDomainFactory
from tests.rest_api.callers import Campus

FORM = {"status": "enrolled", "verb": "create"}


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("A-1", ("A-1", "", "")),
        ("  A-1  ", ("A-1", "", "")),
        ("kim@uni.example", ("", "kim@uni.example", "")),
        ("A-1, kim@uni.example", ("A-1", "kim@uni.example", "")),
        ("kim@uni.example;A-1;pending", ("A-1", "kim@uni.example", "pending")),
        ("A-1\t\tPending", ("A-1", "", "pending")),
        ('"A-1","kim@uni.example"', ("A-1", "kim@uni.example", "")),
        ("pending", ("pending", "", "")),
    ],
)
@pytest.mark.once
def test_a_line_is_read_as_people_write_it(text: str, read: tuple[str, str, str]) -> None:
    (line,) = read_lines(text, statuses=ProgramStatus.values)
    assert (line.student_key, line.email, line.status) == read


@pytest.mark.once
def test_blank_lines_and_a_header_name_nobody() -> None:
    assert [line.number for line in read_lines("student_key,email\n\nA-1\n ,\n", statuses=())] == [3]


def test_a_preview_says_what_would_happen_and_writes_nothing(registrar: Desk, campus: Campus) -> None:
    SchoolEmailDomainFactory(school=campus.school, domain="uni.example")
    enroll(campus, "S-1")

    page = registrar.send("add", campus.program.uuid, lines="S-1\nS-2\nS-3, kim@mail.example\nS-4\nS-4", **FORM)

    assert "1 learner would be changed. 4 lines would be refused" in page.text
    assert page.rows() == [
        "S-1 Is here already, and was left as is.",
        "S-3, kim@mail.example The address is in none of the school's e-mail domains.",
        "S-4 Two lines name this learner. Keep one of them.",
        "S-4 Two lines name this learner. Keep one of them.",
        "S-2 new: enrolled",
    ]
    assert PreemptiveProgramEnrollment.objects.count() == 1


def test_confirmed_they_are_added(registrar: Desk, campus: Campus) -> None:
    page = registrar.send(
        "add", campus.program.uuid, lines="S-1\nS-2;;pending", confirm="1", reason="Late admission", **FORM
    )

    assert page.messages() == ["2 learners were changed."]
    assert page.heading == "Learners"
    stored = PreemptiveProgramEnrollment.objects.values_list("learner__student_key", "status")
    assert sorted(stored) == [("S-1", "enrolled"), ("S-2", "pending")]
    assert set(LedgerEntry.objects.values_list("source", "reason")) == {("console", "Late admission")}


def test_existing_ones_change_only_if_asked(registrar: Desk, campus: Campus) -> None:
    enroll(campus, "S-1", status="pending")

    registrar.send("add", campus.program.uuid, lines="S-1", confirm="1", **FORM)
    assert PreemptiveProgramEnrollment.objects.get().status == "pending"

    registrar.send("add", campus.program.uuid, lines="S-1", confirm="1", status="enrolled", verb="upsert")
    assert PreemptiveProgramEnrollment.objects.get().status == "enrolled"


@pytest.mark.parametrize("lines", ["", " \n;;\n", "student_key,email,status"])
def test_naming_nobody_is_said(registrar: Desk, campus: Campus, lines: str) -> None:
    page = registrar.send("add", campus.program.uuid, lines=lines, **FORM)

    assert page.status == 400
    assert page.errors()


def test_too_many_lines_are_said(registrar: Desk, campus: Campus, settings: Any) -> None:
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "MAX_ROWS": 2}

    page = registrar.send("add", campus.program.uuid, lines="S-1\nS-2\nS-3", **FORM)

    assert page.errors() == ["At most 2 lines at once. Upload larger files."]


def test_a_program_with_two_curricula_asks_which(registrar: Desk, campus: Campus) -> None:
    assert "Curriculum" not in registrar.open("add", campus.program.uuid).text
    other = CurriculumFactory(program=campus.program, name="Part-time")

    assert "Curriculum" in registrar.open("add", campus.program.uuid).text
    registrar.send("add", campus.program.uuid, lines="S-1", confirm="1", curriculum=str(other.uuid), **FORM)

    assert PreemptiveProgramEnrollment.objects.get().curriculum == other


def test_learners_of_the_program_are_added_to_a_course(registrar: Desk, campus: Campus) -> None:
    enroll(campus, "S-1")
    place = (campus.program.uuid, campus.course_run.course_id)
    form = {"status": "active", "verb": "create"}

    preview = registrar.send("course-add", *place, lines="S-1\nS-2", **form)
    page = registrar.send("course-add", *place, lines="S-1\nS-2", confirm="1", **form)

    assert preview.rows()[0] == "S-2 Is not in the program yet. Add the learner to the program first."
    assert page.messages() == ["1 learner was changed. 1 was refused."]
    assert PreemptiveCourseEnrollment.objects.get().learner.student_key == "S-1"
