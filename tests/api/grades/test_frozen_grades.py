"""Reading what was frozen: pages, versions, and whose they are."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from program_enrollments import api
from program_enrollments.exceptions import BadCursor, FreezeDoesNotExist
from program_enrollments.models import CourseRun, Program
from tests.api.conftest import World
from tests.api.grade_freezes import freeze, reopen
from tests.api.grades.test_final_grades import assert_pages_meet, enroll, read
from tests.factories.enrollment import CourseRunFactory, CurriculumFactory


def test_frozen_pages_go_both_ways_and_meet(world: World) -> None:
    keys = [f"S-{number}" for number in range(7)]
    for key in reversed(keys):
        enroll(world, key, grade=("A", "0.9", True))
    freeze(world)

    assert_pages_meet(world, keys)
    assert read(world, cursor="1.bjkyMjMzNzIwMzY4NTQ3NzU4MDc").page.rows == []  # behind the largest number there is
    with CaptureQueriesContext(connection) as captured:
        read(world, page_size=3)
    assert len(captured) == 2


def test_pages_of_different_lists_cannot_be_put_together(world: World) -> None:
    for number in range(4):
        enroll(world, f"S-{number}", grade=("A", "0.9", True))

    live = read(world, page_size=2).page.next_cursor
    freeze(world)
    frozen = read(world, page_size=2).page.next_cursor
    with pytest.raises(BadCursor):
        read(world, cursor=live)
    reopen(world)
    with pytest.raises(BadCursor):
        read(world, cursor=frozen)
    freeze(world)
    with pytest.raises(BadCursor):
        read(world, cursor=frozen)


def test_versions_are_listed_page_by_page(world: World) -> None:
    for _ in range(5):
        freeze(world)
        reopen(world)

    def page(cursor: str | None) -> Any:
        return api.fetch_freezes(program=world.program, course_run=world.course_run, cursor=cursor, page_size=2)

    first = page(None)
    second = page(first.next_cursor)
    third = page(second.next_cursor)
    assert [[row["version"] for row in each.rows] for each in (first, second, third)] == [[1, 2], [3, 4], [5]]
    assert third.next_cursor is None
    assert [row["version"] for row in page(third.previous_cursor).rows] == [3, 4]


@pytest.mark.parametrize("version", [0, -1, 2, 2**31, 10**30])
def test_versions_that_are_not_there(world: World, version: int) -> None:
    freeze(world)
    with pytest.raises(FreezeDoesNotExist):
        api.get_freeze(program=world.program, course_run=world.course_run, version=version)


def test_a_version_belongs_to_its_run_and_program(world: World) -> None:
    other_run = CourseRunFactory(curricula=[world.curriculum])
    other_program = CurriculumFactory(program__school=world.school).program
    freeze(world)

    def get(program: Program, course_run: CourseRun) -> api.FrozenGrades:
        return api.get_freeze(program=program, course_run=course_run, version=1)

    assert get(world.program, world.course_run).version.version == 1
    with pytest.raises(FreezeDoesNotExist):
        get(world.program, other_run)
    with pytest.raises(FreezeDoesNotExist):
        get(other_program, world.course_run)
