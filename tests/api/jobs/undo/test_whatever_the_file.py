"""Whatever a file did, undoing it restores what the contract names, and undoing the undo brings it back."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from program_enrollments.data import JobMode, ProgramStatus
from program_enrollments.models import CourseRun, Job
from tests.api.jobs.conftest import Office
from tests.api.jobs.undo.offices import (
    COURSES,
    active_seats,
    carry_out,
    course_file,
    course_places,
    identities,
    links,
    program_places,
    undo,
)
from tests.factories.enrollment import CourseRunFactory
from tests.invariants import find_violations

NAMES = st.sampled_from(["A-1", "a-1", "A-2", "A-3", "B-1", "B-2", ""])
ADDRESSES = st.sampled_from(["", "", "one@uni.example", "two@uni.example", "three@uni.example", "four@uni.example"])
STATUSES = st.sampled_from([*ProgramStatus.values, "enrolled", "enrolled"])
LINES = st.lists(st.tuples(NAMES, ADDRESSES, STATUSES), max_size=8)
COURSE_LINES = st.lists(
    st.tuples(
        st.sampled_from(["FIRST", "SECOND"]),
        NAMES,
        ADDRESSES,
        st.sampled_from(["active", "active", "inactive"]),
        st.sampled_from(["", "true", "false"]),
    ),
    max_size=8,
)
SIGNED_ON = st.sets(st.sampled_from(["A-1", "A-2", "B-1"]))
COUNTED = ("total", "done", "changed", "unchanged", "refused", "removals", "counts")


def state() -> dict[str, Any]:
    """Return what the contract names: statuses, curricula, course staff wishes, identities, seats."""
    return {
        "programs": program_places(),
        "courses": course_places(),
        "identities": identities(),
        "seats": active_seats(),
    }


def outcome(job: Job) -> tuple[Any, ...]:
    columns = ("line", "student_key", "course_id", "word", "changed", "before", "after", "detail")
    return list(job.rows.order_by("place").values_list(*columns)), [getattr(job, name) for name in COUNTED]


def check_there_and_back(office: Office, job: Job, before: dict[str, Any], known: set[int]) -> None:
    """Undo a job and undo that: the state is what it was before, and what it was after."""
    after, linked = state(), links()
    dry = undo(office, job, dry_run=True)
    assert state() == after
    undone = undo(office, job)
    assert outcome(undone) == outcome(dry)
    assert (undone.refused, undone.done) == (0, undone.total)
    assert links() == linked
    assert find_violations() == []
    now = state()
    # Whom the file made stays known by one identity, since the ledger names them, and has nothing else.
    made = {pk: row for pk, row in now["identities"].items() if pk not in known}
    assert all(not (row[1] and row[3]) or linked[pk][0] for pk, row in made.items())
    now["identities"] = {pk: row for pk, row in now["identities"].items() if pk in known}
    assert now == before
    again = undo(office, undone)
    assert (again.refused, state(), links()) == (0, after, linked)
    assert find_violations() == []


def text_of(rows: list[tuple[str, ...]]) -> str:
    return "student_key,email,status\n" + "".join(",".join(row) + "\n" for row in rows)


@hypothesis_settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=LINES,
    lines=LINES,
    mode=st.sampled_from(JobMode),
    cascade=st.booleans(),
    size=st.integers(min_value=1, max_value=4),
    signed_on=SIGNED_ON,
)
def test_program_files(
    office: Office,
    settings: Settings,
    before: list[Any],
    lines: list[Any],
    mode: JobMode,
    cascade: bool,
    size: int,
    signed_on: set[str],
) -> None:
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "CHUNK_SIZE": size}
    with transaction.atomic():
        carry_out(office, text_of(before))
        for name in sorted(signed_on):
            office.world.sign_on(name)
        office.world.write_course(("A-1", "active", True), ("A-2", "active"), ("A-3", "inactive", True))
        was = state()
        job = carry_out(office, text_of(lines), mode=mode, cascade=cascade)
        check_there_and_back(office, job, was, set(was["identities"]))
        transaction.set_rollback(True)


@hypothesis_settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=COURSE_LINES,
    lines=COURSE_LINES,
    mode=st.sampled_from(JobMode),
    size=st.integers(min_value=1, max_value=4),
    signed_on=SIGNED_ON,
)
def test_course_files(
    office: Office,
    settings: Settings,
    before: list[Any],
    lines: list[Any],
    mode: JobMode,
    size: int,
    signed_on: set[str],
) -> None:
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "CHUNK_SIZE": size}
    with transaction.atomic():
        second: CourseRun = CourseRunFactory(curricula=[office.world.curriculum], external_key="SECOND")
        names = ("A-1", "A-2", "A-3", "one@uni.example")
        office.world.write_program(*[(name, "enrolled") for name in names])
        for name in sorted(signed_on):
            office.world.sign_on(name)
        carry_out(office, course_file(office, *map(",".join, before)), kind=COURSES)
        was = state()
        job = carry_out(office, course_file(office, *map(",".join, lines)), kind=COURSES, mode=mode)
        check_there_and_back(office, job, was, set(was["identities"]))
        assert second.pk
        transaction.set_rollback(True)
