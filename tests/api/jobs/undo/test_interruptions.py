"""Undos whose workers die, that are canceled, that wait for the platform; each row is put back exactly once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from program_enrollments import api
from program_enrollments.api.transactions import get_connection
from program_enrollments.exceptions import WrongState
from program_enrollments.models import Job, JobRow, LedgerEntry, PreemptiveProgramEnrollment, ProgramCourseEnrollment
from tests.api.jobs.conftest import Office
from tests.api.jobs.hosts import WorkerKilled
from tests.api.jobs.test_interruptions import TAKEOVER, course_file, enroll_with_accounts, people, use_host
from tests.api.jobs.undo.offices import COURSES, REGISTRAR, carry_out, undo


def in_short_slices(settings: Any, size: int = 7) -> None:
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "SLICE_SECONDS": 0, "CHUNK_SIZE": size}


def test_short_slices_come_to_the_same(office: Office, settings: Any) -> None:
    job = office.run(people(30))
    in_short_slices(settings)
    undone = undo(office, job)
    assert (undone.state, undone.total, undone.done, undone.changed) == ("succeeded", 30, 30, 30)
    assert undone.slice > 5
    assert LedgerEntry.objects.filter(job_id=undone.pk, kind="program_enrollment").count() == 30
    assert JobRow.objects.filter(job=undone).count() == 30


def test_a_worker_that_dies_in_the_middle_costs_nothing(office: Office, settings: Any) -> None:
    names = ["A-1", "A-2", "POISON", "A-3", "A-4"]
    enroll_with_accounts(office, *names)
    office.run(course_file(office, *names), kind=COURSES)
    text = course_file(office, *names).replace(",active", ",inactive")
    job = carry_out(office, text, kind=COURSES)
    assert ProgramCourseEnrollment.objects.filter(status="inactive").count() == 5
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "CHUNK_SIZE": 2}
    use_host(settings, "tests.api.jobs.hosts.KillingHost")
    undone = api.undo_job(job=job, origin=REGISTRAR)
    now, killed = timezone.now(), 0
    while True:
        try:
            if not api.run_next_slice(now=now):
                break
        except WorkerKilled:
            killed += 1
            now = max(now, timezone.now()) + TAKEOVER
    undone.refresh_from_db()
    assert (undone.state, undone.done, killed) == ("succeeded", 5, 6)
    assert office.words(undone) == {
        "A-1": "active",
        "A-2": "active",
        "POISON": "internal-error",
        "A-3": "active",
        "A-4": "active",
    }
    assert LedgerEntry.objects.filter(job_id=undone.pk).count() == 4


def test_an_outage_lets_it_wait_and_go_on(office: Office, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("program_enrollments.api.enrollments.halves.PAUSE_SECONDS", 0)
    enroll_with_accounts(office, "A-1", "A-2")
    job = office.run(course_file(office, "A-1", "A-2"), kind=COURSES)
    use_host(settings, "tests.api.failing_hosts.UnreachableHost")
    undone = undo(office, job)
    assert (undone.state, undone.done, undone.refused) == ("waiting", 0, 0)
    use_host(settings, "demo_lms.host.DemoHost")
    api.resume_job(job=undone, origin=REGISTRAR)
    assert (office.work(undone).state, undone.changed) == ("succeeded", 2)
    assert not ProgramCourseEnrollment.objects.exists()


def test_canceled_in_the_middle_it_is_finished_by_another(office: Office, settings: Any) -> None:
    job = office.run(people(30))
    in_short_slices(settings, 10)
    first = api.undo_job(job=job, origin=REGISTRAR)
    while first.done == 0:
        assert api.run_next_slice()
        first.refresh_from_db()
    api.cancel_job(job=first, origin=REGISTRAR)
    office.work(first)
    assert (first.state, first.done, PreemptiveProgramEnrollment.objects.count()) == ("canceled", 10, 20)
    second = undo(office, job)
    assert (second.state, second.changed, second.unchanged, second.refused) == ("succeeded", 20, 10, 0)
    assert not PreemptiveProgramEnrollment.objects.exists()
    # What the first one has done can be taken back as well.
    assert undo(office, second).changed == 20
    assert undo(office, first).changed == 10
    assert PreemptiveProgramEnrollment.objects.count() == 30


def test_of_a_canceled_job_what_it_had_done(office: Office, settings: Any) -> None:
    in_short_slices(settings, 10)
    job = office.send(people(30))
    while job.done == 0:
        assert api.run_next_slice()
        job.refresh_from_db()
    api.cancel_job(job=job, origin=REGISTRAR)
    undone = undo(office, job)
    assert (undone.total, undone.changed, PreemptiveProgramEnrollment.objects.count()) == (10, 10, 0)


def test_a_failed_job_that_was_undone_does_not_go_on(
    office: Office, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("program_enrollments.api.enrollments.halves.PAUSE_SECONDS", 0)
    enroll_with_accounts(office, "A-1")
    use_host(settings, "tests.api.failing_hosts.UnreachableHost")
    job = office.run(course_file(office, "A-1"), kind=COURSES)
    with pytest.raises(WrongState, match="waiting"):
        api.undo_job(job=job, origin=REGISTRAR)
    while job.state == "waiting":
        assert job.next_try is not None
        api.run_next_slice(now=job.next_try)
        job.refresh_from_db()
    api.undo_job(job=job, origin=REGISTRAR)
    with pytest.raises(WrongState, match="undone meanwhile"):
        api.resume_job(job=job, origin=REGISTRAR)
    job.refresh_from_db()
    assert job.state == "failed"


def statements(office: Office, count: int, *, start: int) -> int:
    """Return the statements of the slice that undoes a file of so many lines about learners of many kinds."""
    names = [f"L-{start + number}" for number in range(count)]
    enroll_with_accounts(office, *names)
    rows = "".join(f"{name},{name}@uni.example,suspended\n" for name in names)
    rows += "".join(f"W-{name},w-{name}@uni.example,enrolled\n" for name in names)
    job = carry_out(office, f"student_key,email,status\n{rows}")
    courses = office.run(course_file(office, *names, *(f"W-{name}" for name in names)), kind=COURSES)
    assert (job.refused, courses.refused) == (0, 0)
    total = 0
    for each in (courses, job):
        # The course file first: who is in a course stays in the program.
        undone = api.undo_job(job=each, origin=REGISTRAR)
        with CaptureQueriesContext(get_connection()) as captured:
            assert api.run_slice(job_id=undone.pk, slice_number=undone.slice)
        total += len(captured)
        undone.refresh_from_db()
        assert (undone.state, undone.changed, undone.refused) == ("succeeded", 2 * count, 0)
        office.work(undone)
    return total


def test_the_number_of_statements_does_not_depend_on_that_of_rows(office: Office, settings: Any) -> None:
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "SLICE_SECONDS": 60}
    few = statements(office, 3, start=0)
    many = statements(office, 60, start=100)
    assert many == few < 140


def test_the_seven_days_count_without_what_was_undone(office: Office) -> None:
    office.run(people(40))
    removing = "student_key,status\n" + "".join(f"S-{number:04},canceled\n" for number in range(8))
    job = office.run(removing)
    assert (job.state, job.removed) == ("succeeded", {"0": 8})
    undone = undo(office, job)
    assert undone.removed == {"0": -8}
    again = office.run(removing.replace("canceled", "ended"))
    assert (again.state, again.removals) == ("succeeded", 8)
    # An undo of that undo removes them once more, in the sense of the guard.
    redone = undo(office, undo(office, again))
    assert redone.removed == {"0": 8}
    more = office.send("student_key,status\n" + "".join(f"S-{number:04},ended\n" for number in range(20, 25)))
    assert office.work(more).state == "held"


def test_undos_alone_count_nothing(office: Office) -> None:
    office.run(people(40))
    extra = office.run("student_key,status\n" + "".join(f"X-{number},enrolled\n" for number in range(9)))
    undo(office, extra)
    removing = "student_key,status\n" + "".join(f"S-{number:04},canceled\n" for number in range(9))
    assert office.run(removing).state == "succeeded"


def test_outcomes_go_after_their_time(office: Office) -> None:
    undone = undo(office, office.run(people(3)))
    assert undone.finished is not None
    assert api.has_result(job=undone)
    kept = api.forget_expired(now=undone.finished + timedelta(days=29))
    assert kept.outcomes == 0
    api.forget_expired(now=undone.finished + timedelta(days=30))
    assert not JobRow.objects.filter(job=undone).exists()
    assert Job.objects.filter(pk=undone.pk).exists()
    assert not api.has_result(job=undone, now=undone.finished + timedelta(days=30))
