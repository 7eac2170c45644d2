"""Addresses change hands between the rows of one call: the call is judged by its result."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import Settings

from program_enrollments import api
from program_enrollments.data import ChangeKind, CourseEnrollmentRequest, ProgramEnrollmentRequest, RowOutcome, Verb
from program_enrollments.models import Learner, LedgerEntry, PreemptiveProgramEnrollment
from tests.api.conftest import ORIGIN, World

MANY = 12


def write(world: World, *rows: tuple[str, str], status: str = "enrolled", **options: Any) -> list[RowOutcome]:
    """Write (student ID, address) rows."""
    return api.write_program_enrollments(
        program=world.program,
        rows=[ProgramEnrollmentRequest(key, key, email, status) for key, email in rows],
        verb=options.pop("verb", Verb.UPSERT),
        origin=ORIGIN,
        **options,
    )


def words(outcomes: list[RowOutcome]) -> dict[str, str]:
    return {outcome.key: outcome.word for outcome in outcomes}


def addresses() -> dict[str, str]:
    return dict(Learner.objects.order_by("student_key").values_list("student_key", "email"))


@pytest.fixture
def two(world: World) -> World:
    write(world, ("S-1", "one@uni.example"), ("S-2", "two@uni.example"))
    return world


def test_two_students_swap_their_addresses(two: World) -> None:
    outcomes = write(two, ("S-1", "two@uni.example"), ("S-2", "one@uni.example"))

    assert words(outcomes) == {"S-1": "enrolled", "S-2": "enrolled"}
    assert all(outcome.changed for outcome in outcomes)
    assert addresses() == {"S-1": "two@uni.example", "S-2": "one@uni.example"}
    assert Learner.objects.get(student_key="S-1").email_normalized == "two@uni.example"
    entries = LedgerEntry.objects.filter(kind=ChangeKind.EMAIL).order_by("student_key")
    assert list(entries.values_list("student_key", "before", "after")) == [
        ("S-1", "one@uni.example", "two@uni.example"),
        ("S-2", "two@uni.example", "one@uni.example"),
    ]


def test_the_same_swap_again_changes_nothing(two: World) -> None:
    rows = ("S-1", "two@uni.example"), ("S-2", "one@uni.example")
    write(two, *rows)
    entries = LedgerEntry.objects.count()

    assert not any(outcome.changed for outcome in write(two, *rows))
    assert LedgerEntry.objects.count() == entries


@pytest.mark.parametrize("order", [1, -1])
def test_a_newcomer_takes_the_address_that_another_gives_up(two: World, order: int) -> None:
    rows = [("S-3", "one@uni.example"), ("S-1", "new@uni.example")][::order]
    assert words(write(two, *rows)) == {"S-1": "enrolled", "S-3": "enrolled"}
    assert addresses() == {"S-1": "new@uni.example", "S-2": "two@uni.example", "S-3": "one@uni.example"}


def test_a_chain_is_written_together_however_small_the_chunks_are(world: World, settings: Settings) -> None:
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "CHUNK_SIZE": 2}
    before = [(f"S-{number}", f"{number}@uni.example") for number in range(MANY)]
    write(world, *before)
    shifted = [(f"S-{number}", f"{number + 1}@uni.example") for number in range(MANY)]

    assert set(words(write(world, *shifted)).values()) == {"enrolled"}
    assert addresses() == dict(shifted)


def test_a_circle_and_a_chain_in_one_call(world: World) -> None:
    write(world, *[(f"S-{number}", f"{number}@uni.example") for number in range(5)])
    rows = [
        ("S-0", "1@uni.example"),
        ("S-1", "2@uni.example"),
        ("S-2", "0@uni.example"),
        ("S-3", "4@uni.example"),
        ("S-4", "5@uni.example"),
    ]
    assert set(words(write(world, *rows)).values()) == {"enrolled"}
    assert addresses() == dict(rows)


class TestWhoDoesNotGiveItUp:
    def test_keeps_it_if_their_row_is_refused(self, two: World) -> None:
        rows = [
            ProgramEnrollmentRequest("S-3", "S-3", "one@uni.example", "enrolled"),
            ProgramEnrollmentRequest("S-1", "S-1", "new@uni.example", "gone"),
        ]
        outcomes = api.write_program_enrollments(program=two.program, rows=rows, verb=Verb.UPSERT, origin=ORIGIN)
        assert words(outcomes) == {"S-3": "invalid-identity", "S-1": "invalid-status"}
        assert addresses() == {"S-1": "one@uni.example", "S-2": "two@uni.example"}

    def test_keeps_it_all_along_the_chain(self, world: World) -> None:
        """S-2 was linked by its address, which therefore stays; so nobody behind it gets theirs."""
        write(world, ("S-0", "0@uni.example"), ("S-1", "1@uni.example"), ("S-2", "2@uni.example"))
        user = world.sign_on("S-2")
        Learner.objects.filter(student_key="S-2", user=user).update(link_how="email")

        outcomes = write(world, ("S-0", "1@uni.example"), ("S-1", "2@uni.example"), ("S-2", "new@uni.example"))

        assert set(words(outcomes).values()) == {"invalid-identity"}
        assert "row first" in outcomes[0].detail
        assert addresses() == {"S-0": "0@uni.example", "S-1": "1@uni.example", "S-2": "2@uni.example"}

    def test_keeps_it_if_the_call_does_not_name_another_one(self, two: World) -> None:
        outcomes = write(two, ("S-3", "one@uni.example"), ("S-1", ""))
        assert words(outcomes) == {"S-3": "invalid-identity", "S-1": "enrolled"}


def test_a_dry_run_foresees_the_swap_and_writes_nothing(two: World) -> None:
    rows = ("S-1", "two@uni.example"), ("S-2", "one@uni.example")
    foreseen = write(two, *rows, dry_run=True)
    assert addresses() == {"S-1": "one@uni.example", "S-2": "two@uni.example"}
    assert foreseen == write(two, *rows)


def test_a_swap_in_a_course_run(two: World) -> None:
    rows = [
        CourseEnrollmentRequest("S-1", "S-1", "two@uni.example", "active"),
        CourseEnrollmentRequest("S-2", "S-2", "one@uni.example", "active"),
    ]
    outcomes = api.write_course_enrollments(
        program=two.program, course_run=two.course_run, rows=rows, verb=Verb.UPSERT, origin=ORIGIN
    )
    assert words(outcomes) == {"S-1": "active", "S-2": "active"}
    assert addresses() == {"S-1": "two@uni.example", "S-2": "one@uni.example"}


def test_too_many_that_depend_on_each_other_are_refused_with_the_reason(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("program_enrollments.api.enrollments.calls.MAX_TOGETHER", 3)
    write(world, *[(f"S-{number}", f"{number}@uni.example") for number in range(4)])
    rows = [(f"S-{number}", f"{(number + 1) % 4}@uni.example") for number in range(4)]

    outcomes = write(world, *rows, ("S-9", "9@uni.example"))

    assert words(outcomes) == {**dict.fromkeys(["S-0", "S-1", "S-2", "S-3"], "invalid-identity"), "S-9": "enrolled"}
    assert "two steps" in outcomes[0].detail
    assert PreemptiveProgramEnrollment.objects.count() == 5
