"""A dry run answers row by row what the real run directly after it answers, and writes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from hypothesis import given
from hypothesis import strategies as st

from demo_lms.models import CourseAccessRole, CourseEnrollment
from program_enrollments import api
from program_enrollments.data import CourseEnrollmentRequest, ProgramEnrollmentRequest, RowOutcome, Verb
from tests.api.conftest import ORIGIN, World
from tests.examples import examples
from tests.factories.enrollment import CurriculumFactory, SchoolEmailDomainFactory

KEYS = ["A", "B", "C", "D", "a", "new", "A\u200b", "x" * 256, "released-" + "0" * 32, ""]
EMAILS = ["", "", "a@uni-a.example", "b@uni-a.example", "new@uni-a.example", "no address", "z@elsewhere.example"]
PROGRAM_STATUSES = ["enrolled", "pending", "suspended", "canceled", "ended", "absent"]
COURSE_STATUSES = ["active", "inactive", "absent"]


def everything() -> dict[str, list[Any]]:
    """Return all rows of the app's tables and of the host's seats and roles."""
    models: list[Any] = [
        *apps.get_app_config("university_enrollments").get_models(),
        CourseEnrollment,
        CourseAccessRole,
    ]
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in models}


@pytest.fixture
def campus(world: World) -> World:
    """Learners in every state: waiting, linked, left, in another program, with an account found by address."""
    SchoolEmailDomainFactory(school=world.school, domain="uni-a.example")
    other = CurriculumFactory(program__school=world.school).program
    world.write_program(("A", "enrolled"), ("B", "pending"), ("b@uni-a.example", "enrolled"), ("D", "ended"))
    world.write_course(("A", "active", True), ("B", "inactive"))
    world.write_program(("C", "enrolled"), program=other)
    world.sign_on("A")
    world.sign_on("D")
    return world


def compare(run: Any) -> None:
    before = everything()
    rehearsed: list[RowOutcome] = run(dry_run=True)
    assert everything() == before
    assert run(dry_run=False) == rehearsed


# One campus is written to again and again: each example meets what the ones before it left.
@examples(60)
@given(
    rows=st.lists(
        st.tuples(st.sampled_from(KEYS), st.sampled_from(EMAILS), st.sampled_from(PROGRAM_STATUSES)), max_size=6
    ),
    verb=st.sampled_from(list(Verb)),
    cascade=st.booleans(),
)
def test_of_program_enrollments(campus: World, rows: list[tuple[str, str, str]], verb: Verb, cascade: bool) -> None:
    requests = [
        ProgramEnrollmentRequest(f"{number}", key, email, status) for number, (key, email, status) in enumerate(rows)
    ]

    def run(dry_run: bool) -> list[RowOutcome]:
        return api.write_program_enrollments(
            program=campus.program, rows=requests, verb=verb, origin=ORIGIN, cascade=cascade, dry_run=dry_run
        )

    compare(run)


@examples(60)
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(KEYS),
            st.sampled_from(EMAILS),
            st.sampled_from(COURSE_STATUSES),
            st.sampled_from([None, True, False]),
        ),
        max_size=6,
    ),
    verb=st.sampled_from(list(Verb)),
)
def test_of_course_enrollments(campus: World, rows: list[tuple[str, str, str, bool | None]], verb: Verb) -> None:
    requests = [CourseEnrollmentRequest(f"{number}", *row) for number, row in enumerate(rows)]

    def run(dry_run: bool) -> list[RowOutcome]:
        return api.write_course_enrollments(
            program=campus.program,
            course_run=campus.course_run,
            rows=requests,
            verb=verb,
            origin=ORIGIN,
            dry_run=dry_run,
        )

    compare(run)


def test_of_releasing(campus: World) -> None:
    before = everything()
    keys = ["A", "nobody", "B"]
    rehearsed = api.release_student_keys(school=campus.school, student_keys=keys, origin=ORIGIN, dry_run=True)
    assert everything() == before
    assert api.release_student_keys(school=campus.school, student_keys=keys, origin=ORIGIN) == rehearsed


def test_every_refusal_has_a_sentence_that_says_what_to_do(campus: World) -> None:
    rows = [
        ("A", "", "absent"),
        ("x" * 256, "", "enrolled"),
        ("", "no address", "enrolled"),
        ("", "z@elsewhere.example", "enrolled"),
        ("released-" + "0" * 32, "", "enrolled"),
        ("\u200b", "", "enrolled"),
        ("D", "b@uni-a.example", "enrolled"),
    ]
    outcomes = api.write_program_enrollments(
        program=campus.program,
        rows=[ProgramEnrollmentRequest(str(number), *row) for number, row in enumerate(rows)],
        verb=Verb.UPSERT,
        origin=ORIGIN,
        dry_run=True,
    )
    details = [outcome.detail for outcome in outcomes]
    for part, detail in zip(
        ("enrolled, pending", "255 characters", "no e-mail", "domains", "made up", "can be seen", "two different"),
        details,
        strict=True,
    ):
        assert part in detail


def test_what_changed_is_told_from_what_was_so_already(campus: World) -> None:
    rows = [
        ProgramEnrollmentRequest("A", "A", "", "enrolled"),
        ProgramEnrollmentRequest("B", "B", "", "enrolled"),
        ProgramEnrollmentRequest("new", "new", "", "enrolled"),
        ProgramEnrollmentRequest("D", "D", "d@uni-a.example", "ended"),
    ]
    outcomes = api.write_program_enrollments(
        program=campus.program, rows=rows, verb=Verb.UPSERT, origin=ORIGIN, dry_run=True
    )
    assert [(outcome.before, outcome.word, outcome.changed) for outcome in outcomes] == [
        ("enrolled", "enrolled", False),
        ("pending", "enrolled", True),
        (None, "enrolled", True),
        ("ended", "ended", True),
    ]
