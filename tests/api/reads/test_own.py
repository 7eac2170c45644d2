"""The programs of whoever is signed in."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from program_enrollments import api
from program_enrollments.exceptions import BadCursor
from tests.api.conftest import World
from tests.factories.enrollment import CourseRunFactory, CurriculumFactory, IdentityProviderFactory
from tests.factories.host import UserFactory


def test_a_learner_sees_programs_and_course_runs(world: World) -> None:
    world.school.name, world.school.logo_url = "University A", "https://uni-a.example/logo.svg"
    world.school.save()
    world.program.url = "https://uni-a.example/msc"
    world.program.save()
    start = datetime(2026, 9, 1, tzinfo=UTC)
    run = CourseRunFactory(curricula=[world.curriculum], start=start, end=None, url="https://lms.example/run")
    world.write_program(("S-1", "enrolled"))
    world.write_course(("S-1", "inactive"))
    world.write_course(("S-1", "active"), course_run=run)
    user = world.sign_on("S-1")

    page = api.fetch_own_programs(user_id=user.pk, cursor=None, page_size=10)

    assert page.rows == [
        {
            "uuid": str(world.program.uuid),
            "program_title": world.program.title,
            "program_url": "https://uni-a.example/msc",
            "school": {"key": "uni-a", "name": "University A", "logo_url": "https://uni-a.example/logo.svg"},
            "status": "enrolled",
            "courses": [
                {
                    "course_id": run.course_id,
                    "course_title": run.title,
                    "course_url": "https://lms.example/run",
                    "start": start,
                    "end": None,
                    "status": "active",
                },
                {
                    "course_id": world.course_run.course_id,
                    "course_title": world.course_run.title,
                    "course_url": "",
                    "start": None,
                    "end": None,
                    "status": "inactive",
                },
            ],
        }
    ]


def test_nobody_sees_anothers(world: World) -> None:
    world.write_program(("S-1", "enrolled"), ("S-2", "enrolled"))
    world.sign_on("S-1")
    assert api.fetch_own_programs(user_id=UserFactory().pk, cursor=None, page_size=10).rows == []


def test_programs_of_several_schools_come_together(world: World) -> None:
    elsewhere = CurriculumFactory()
    provider = IdentityProviderFactory(school=elsewhere.program.school)
    world.write_program(("S-1", "enrolled"))
    world.write_program(("T-1", "ended"), program=elsewhere.program)
    user = world.sign_on("S-1")
    world.sign_on("T-1", user=user, slug=provider.slug)

    rows = api.fetch_own_programs(user_id=user.pk, cursor=None, page_size=10).rows

    assert {(row["uuid"], row["status"]) for row in rows} == {
        (str(world.program.uuid), "enrolled"),
        (str(elsewhere.program.uuid), "ended"),
    }


def test_a_run_that_the_host_has_not_accepted_is_left_out(world: World) -> None:
    refused = CourseRunFactory(curricula=[world.curriculum], in_host=False)
    world.write_program(("S-1", "enrolled"))
    world.write_course(("S-1", "active"), course_run=refused)
    user = world.sign_on("S-1")

    [row] = api.fetch_own_programs(user_id=user.pk, cursor=None, page_size=10).rows

    assert row["courses"] == []


def test_pages_forth_and_back_in_two_statements_each(world: World) -> None:
    for _ in range(5):
        curriculum = CurriculumFactory(program__school=world.school)
        run = CourseRunFactory(curricula=[curriculum])
        world.write_program(("S-1", "enrolled"), program=curriculum.program)
        world.write_course(("S-1", "active"), program=curriculum.program, course_run=run)
    user = world.sign_on("S-1")

    with CaptureQueriesContext(connection) as captured:
        first = api.fetch_own_programs(user_id=user.pk, cursor=None, page_size=2)
    second = api.fetch_own_programs(user_id=user.pk, cursor=first.next_cursor, page_size=2)
    third = api.fetch_own_programs(user_id=user.pk, cursor=second.next_cursor, page_size=2)
    back = api.fetch_own_programs(user_id=user.pk, cursor=third.previous_cursor, page_size=2)

    assert len(captured) == 2
    assert [len(page.rows) for page in (first, second, third)] == [2, 2, 1]
    assert third.next_cursor is None
    assert back.rows == second.rows
    assert all(len(row["courses"]) == 1 for page in (first, second, third) for row in page.rows)


def test_what_is_no_cursor_is_refused(world: World) -> None:
    with pytest.raises(BadCursor):
        api.fetch_own_programs(user_id=1, cursor="nonsense", page_size=2)
