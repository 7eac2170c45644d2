"""Lists: one order over real and waiting enrollments, the same cost for any page."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from program_enrollments import api
from program_enrollments.api.reads.cursors import MAX_KEY, Cursor
from program_enrollments.data import EnrollmentFilters, Page
from tests.api.conftest import World

KEYS = [f"S-{number}" for number in range(9)]


def fill(world: World) -> None:
    """Nine students in the program and in the course run, of whom every third has an account."""
    world.write_program(*[(key, "enrolled") for key in KEYS])
    world.write_course(*[(key, "active") for key in KEYS])
    for key in KEYS[::3]:
        world.sign_on(key)


def pages(world: World, kind: str, page_size: int) -> list[Page]:
    found: list[Page] = []
    cursor = None
    while True:
        found.append(read(world, kind, cursor, page_size))
        cursor = found[-1].next_cursor
        if cursor is None:
            return found


def read(world: World, kind: str, cursor: str | None, page_size: int, **filters: object) -> Page:
    chosen = EnrollmentFilters(**filters)  # type: ignore[arg-type]
    if kind == "program":
        return api.fetch_program_enrollments(program=world.program, filters=chosen, cursor=cursor, page_size=page_size)
    return api.fetch_course_enrollments(
        program=world.program, course_run=world.course_run, filters=chosen, cursor=cursor, page_size=page_size
    )


def test_walking_a_list_shows_everybody_once_in_one_order(world: World) -> None:
    fill(world)
    for kind in ("program", "course"):
        for page_size in (1, 2, 4, 9, 100):
            rows = [row for page in pages(world, kind, page_size) for row in page.rows]
            assert [row["student_key"] for row in rows] == KEYS
            assert [row["account_exists"] for row in rows] == [number % 3 == 0 for number in range(9)]
            assert {row["curriculum_uuid"] for row in rows} == {str(world.curriculum.uuid)}


def test_walking_back_shows_the_same_pages(world: World) -> None:
    fill(world)
    forward = pages(world, "program", 4)
    back = read(world, "program", forward[-1].previous_cursor, 4)
    assert back.rows == forward[1].rows
    first = read(world, "program", back.previous_cursor, 4)
    assert first.rows == forward[0].rows
    assert first.previous_cursor is None


def test_a_sign_in_between_two_pages_moves_nobody(world: World) -> None:
    fill(world)
    first = read(world, "program", None, 4)
    for key in KEYS:
        world.sign_on(key)
    second = read(world, "program", first.next_cursor, 100)
    assert [row["student_key"] for row in [*first.rows, *second.rows]] == KEYS


def test_filters(world: World) -> None:
    fill(world)
    world.write_program(("S-1", "ended"))

    def keys(**filters: object) -> list[str]:
        return [row["student_key"] for row in read(world, "program", None, 100, **filters).rows]

    assert keys(status="ended") == ["S-1"]
    assert keys(account_exists=True) == ["S-0", "S-3", "S-6"]
    assert len(keys(account_exists=False)) == 6
    assert keys(student_keys=(" s-2", "S-7", "nobody")) == ["S-2", "S-7"]
    assert keys(student_keys=("nobody",)) == []


def test_a_page_takes_two_statements_whatever_is_on_it_and_one_of_the_hosts_for_roles(world: World) -> None:
    fill(world)
    for kind in ("program", "course"):
        for page_size in (1, 100):
            with CaptureQueriesContext(connection) as captured:
                read(world, kind, None, page_size)
            assert len(captured) == (3 if kind == "course" else 2)


def test_filters_of_a_course_list(world: World) -> None:
    fill(world)
    world.write_course(("S-3", "inactive"), ("S-4", "inactive"))

    def keys(cursor: str | None = None, **filters: object) -> list[str]:
        return [row["student_key"] for row in read(world, "course", cursor, 100, **filters).rows]

    assert keys(status="inactive") == ["S-3", "S-4"]
    assert keys(account_exists=True) == ["S-0", "S-3", "S-6"]
    assert keys(account_exists=False, status="inactive") == ["S-4"]
    assert keys(student_keys=("S-8", "s-0", "nobody"), account_exists=True) == ["S-0"]


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("kind", ["program", "course"])
def test_a_list_misses_nobody_who_becomes_real_meanwhile(world: World, kind: str, backward: bool) -> None:
    """They are then found twice, and shown once, as they are now."""
    world.write_program(("S-1", "enrolled"), ("S-2", "enrolled"))
    world.write_course(("S-1", "active"), ("S-2", "active"))
    cursor = Cursor(key=MAX_KEY, backward=True).encode() if backward else None
    done: list[bool] = []

    def sign_on_after_the_first_read(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        answer = execute(sql, params, many, context)
        if not done and "enrollment" in sql.partition("FROM")[2] and sql.startswith("SELECT"):
            done.append(True)
            world.sign_on("S-1")
        return answer

    with connection.execute_wrapper(sign_on_after_the_first_read):
        page = read(world, kind, cursor, 10)
    assert done
    assert [(row["student_key"], row["account_exists"]) for row in page.rows] == [("S-1", True), ("S-2", False)]
