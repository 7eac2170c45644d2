"""A program's feed of changes, read by one reader."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from program_enrollments import api
from program_enrollments.data import CourseEnrollmentRequest, Origin, ProgramEnrollmentRequest, Source, Verb
from program_enrollments.exceptions import BadCursor
from program_enrollments.models import LedgerEntry, LedgerPosition
from tests.api.conftest import World
from tests.factories.enrollment import CurriculumFactory
from tests.factories.host import ServiceUserFactory


def read_all(world: World, *, after: str | None = None, page_size: int = 3) -> tuple[list[dict[str, Any]], str]:
    """Read to the end as a client does, and return the entries and the cursor to keep."""
    rows = []
    while True:
        page = api.fetch_changes(program=world.program, after=after, page_size=page_size)
        rows += page.rows
        after = page.cursor
        if not page.has_more:
            return rows, after


def test_an_entry_has_every_member(world: World) -> None:
    actor = ServiceUserFactory(username="sis")
    origin = Origin(
        source=Source.UPLOAD.value, actor_id=actor.pk, request_id="request-7", job_id=12, reason="Late admission"
    )
    api.write_program_enrollments(
        program=world.program,
        rows=[ProgramEnrollmentRequest("S-1", "S-1", "", "enrolled")],
        verb=Verb.UPSERT,
        origin=origin,
    )
    api.write_course_enrollments(
        program=world.program,
        course_run=world.course_run,
        rows=[CourseEnrollmentRequest("S-1", "S-1", "", "active")],
        verb=Verb.UPSERT,
        origin=origin,
    )

    program_entry, course_entry = api.fetch_changes(program=world.program, after=None, page_size=10).rows

    stored = LedgerEntry.objects.get(kind="program_enrollment")
    assert program_entry == {
        "id": stored.pk,
        "at": stored.at,
        "student_key": "S-1",
        "course_id": None,
        "kind": "program_enrollment",
        "before": None,
        "after": "enrolled",
        "actor": "sis",
        "source": "upload",
        "request_id": "request-7",
        "job_id": 12,
        "reason": "Late admission",
    }
    assert course_entry["course_id"] == world.course_run.course_id
    assert course_entry["after"] == "active"
    assert course_entry.keys() == program_entry.keys()


def test_the_actor_is_who_bears_the_account_now(world: World) -> None:
    actor = ServiceUserFactory(username="old-name")
    world.write_program(("S-1", "enrolled"))
    LedgerEntry.objects.update(actor_id=actor.pk)

    actor.username = "new-name"
    actor.save()
    assert read_all(world)[0][0]["actor"] == "new-name"

    actor.delete()
    assert read_all(world)[0][0]["actor"] is None


def test_pages_put_together_are_all_entries_in_their_order(world: World) -> None:
    for number in range(10):
        world.write_program((f"S-{number}", "enrolled"))

    for page_size in (1, 3, 10, 11):
        rows, _ = read_all(world, page_size=page_size)
        assert [row["student_key"] for row in rows] == [f"S-{number}" for number in range(10)]


def test_a_kept_cursor_gives_what_came_after_it(world: World) -> None:
    world.write_program(("S-1", "enrolled"))
    _, cursor = read_all(world)

    assert read_all(world, after=cursor) == ([], cursor)
    world.write_program(("S-1", "ended"))

    rows, later = read_all(world, after=cursor)
    assert [row["after"] for row in rows] == ["ended"]
    assert later != cursor


def test_the_cursor_of_an_empty_feed_gives_its_first_entry(world: World) -> None:
    page = api.fetch_changes(program=world.program, after=None, page_size=5)
    assert (page.rows, page.has_more) == ([], False)
    assert page.cursor

    world.write_program(("S-1", "enrolled"))
    assert [row["after"] for row in read_all(world, after=page.cursor)[0]] == ["enrolled"]


def test_writing_the_same_again_adds_nothing(world: World) -> None:
    world.write_program(("S-1", "enrolled"))
    _, cursor = read_all(world)
    world.write_program(("s-1", "enrolled"))
    assert read_all(world, after=cursor)[0] == []


def test_entries_of_other_programs_and_links_are_in_no_feed_but_theirs(world: World) -> None:
    other = CurriculumFactory(program__school=world.school).program
    world.write_program(("S-1", "enrolled"))
    world.write_program(("S-1", "pending"), program=other)
    world.sign_on("S-1")

    assert [row["kind"] for row in read_all(world)[0]] == ["program_enrollment", "program_realized"]


def test_the_cursor_of_another_feed_is_refused(world: World) -> None:
    other = CurriculumFactory(program__school=world.school).program
    world.write_program(("S-1", "enrolled"))
    world.write_program(("S-1", "pending"), program=other)
    theirs = api.fetch_changes(program=other, after=None, page_size=1).cursor

    with pytest.raises(BadCursor):
        api.fetch_changes(program=world.program, after=theirs, page_size=1)


def encode(plain: str) -> str:
    return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


@pytest.mark.parametrize("after", ["x", "====", "é", "\x00", "c1.1", encode("n1"), encode("c1"), encode("é")])
def test_what_is_no_cursor_is_refused(world: World, after: str) -> None:
    with pytest.raises(BadCursor):
        api.fetch_changes(program=world.program, after=after, page_size=1)


@pytest.mark.parametrize(
    "position", ["-1", "9999999999999999999", "99999999999999999999", "1.0", "١", " 1", "1", str(2**63 - 1)]
)
def test_a_place_that_was_never_handed_out_is_refused(world: World, position: str) -> None:
    with pytest.raises(BadCursor):
        api.fetch_changes(program=world.program, after=encode(f"c{world.program.pk}.{position}"), page_size=1)


def test_a_cursor_ahead_of_a_feed_that_was_set_back_is_refused(world: World) -> None:
    """As after a restored backup: the entries written next would take positions that this reader believes to have
    read.
    """
    world.write_program(("S-1", "enrolled"))
    before = LedgerPosition.objects.get(pk=world.program.pk)
    _, early = read_all(world)
    world.write_program(("S-1", "ended"))
    _, late = read_all(world)

    LedgerEntry.objects.filter(after="ended").delete()
    before.save()

    assert read_all(world, after=early) == ([], early)
    with pytest.raises(BadCursor):
        read_all(world, after=late)


def test_entries_that_went_to_an_archive_are_passed_over(world: World) -> None:
    for number in range(6):
        world.write_program((f"S-{number}", "enrolled"))
    LedgerEntry.objects.filter(student_key__in=["S-1", "S-2"]).delete()

    rows, cursor = read_all(world, page_size=2)

    assert [row["student_key"] for row in rows] == ["S-0", "S-3", "S-4", "S-5"]
    assert read_all(world, after=cursor)[0] == []


def test_a_page_costs_the_same_anywhere(world: World) -> None:
    actor = ServiceUserFactory()
    world.write_program(*[(f"S-{number}", "enrolled") for number in range(30)])
    LedgerEntry.objects.update(actor_id=actor.pk, at=timezone.now())

    counts = []
    after = None
    for _ in range(3):
        with CaptureQueriesContext(connection) as captured:
            page = api.fetch_changes(program=world.program, after=after, page_size=10)
        after = page.cursor
        counts.append(len(captured))

    # At the end one more: whether it is the end.
    assert counts == [1, 1, 2]
