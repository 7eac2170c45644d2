"""Interruptions: workers that die, meet or are told twice, a platform that is away, a line that kills."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from program_enrollments import api
from program_enrollments.data import JobKind, Origin
from program_enrollments.exceptions import WrongState
from program_enrollments.models import Job, JobRow, LedgerEntry, ProgramCourseEnrollment
from tests.api.jobs.conftest import Office
from tests.api.jobs.hosts import WorkerKilled
from tests.factories.enrollment import LinkedLearnerFactory, ProgramEnrollmentFactory
from tests.factories.host import UserFactory

STAFF = Origin(source="staff", reason="The platform is back")
TAKEOVER = timedelta(seconds=31)


def people(count: int) -> str:
    return "student_key,status\n" + "".join(f"S-{number:04},enrolled\n" for number in range(count))


def use_host(settings: Settings, path: str) -> None:
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "HOST": path}


def course_file(office: Office, *names: str) -> str:
    run_id = office.world.course_run.course_id
    return "course_id,student_key,status\n" + "".join(f"{run_id},{name},active\n" for name in names)


def enroll_with_accounts(office: Office, *names: str) -> None:
    for name in names:
        learner = LinkedLearnerFactory(
            school=office.world.school, student_key=name, user=UserFactory(username=name.lower())
        )
        ProgramEnrollmentFactory(curriculum=office.world.curriculum, learner=learner)


def test_a_message_that_is_past_does_nothing(office: Office) -> None:
    job = office.send(people(3))
    assert api.run_slice(job_id=job.pk, slice_number=0)
    assert not api.run_slice(job_id=job.pk, slice_number=0)
    assert not api.run_slice(job_id=job.pk, slice_number=7)
    assert not api.run_slice(job_id=job.pk + 1, slice_number=0)


def test_a_job_whose_worker_died_is_carried_on_after_a_while(office: Office) -> None:
    job = office.send(people(3))
    now = timezone.now()
    # As a worker leaves it that is killed right after it has begun.
    Job.objects.filter(pk=job.pk).update(
        state="checking", slice=1, attempts=1, busy_until=now + timedelta(seconds=30), started=now
    )
    assert not api.run_next_slice(now=now)
    assert api.run_next_slice(now=now + TAKEOVER)
    assert office.work(job).state == "succeeded"


def test_short_slices_come_to_the_same(office: Office, settings: Settings) -> None:
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "SLICE_SECONDS": 0, "CHUNK_SIZE": 7}
    job = office.run(people(30) + "S-0003,enrolled\n")
    assert (job.state, job.done, job.changed, job.refused) == ("succeeded", 31, 29, 2)
    assert job.slice > 8
    assert LedgerEntry.objects.count() == 29


def test_another_process_reads_on_where_the_first_one_stopped(office: Office, settings: Settings) -> None:
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "SLICE_SECONDS": 0}
    from program_enrollments.api.jobs import check  # noqa: PLC0415  (what a process has in its memory)

    job = office.send(people(2_500))
    while api.run_next_slice():
        check.forget_readers()
    job.refresh_from_db()
    assert (job.state, job.total, job.changed, job.refused) == ("succeeded", 2_500, 2_500, 0)


def test_a_line_that_kills_its_worker_is_found_and_passed_over(office: Office, settings: Settings) -> None:
    names = ["A-1", "A-2", "POISON", "A-3", "A-4"]
    enroll_with_accounts(office, *names)
    use_host(settings, "tests.api.jobs.hosts.KillingHost")
    job = office.send(course_file(office, *names), kind=JobKind.COURSE_ENROLLMENTS)
    now, killed = timezone.now(), 0
    while True:
        try:
            if not api.run_next_slice(now=now):
                break
        except WorkerKilled:
            killed += 1
            now = max(now, timezone.now()) + TAKEOVER
    job.refresh_from_db()
    assert (job.state, killed) == ("succeeded", 6)
    assert office.words(job) == {
        "A-1": "active",
        "A-2": "active",
        "POISON": "internal-error",
        "A-3": "active",
        "A-4": "active",
    }
    assert ProgramCourseEnrollment.objects.filter(status="active").count() == 4


def test_a_row_that_fails_costs_no_other_row_anything(office: Office, settings: Settings) -> None:
    names = [f"A-{number}" for number in range(9)]
    enroll_with_accounts(office, *names, "poison")
    use_host(settings, "tests.api.failing_hosts.PoisonedHost")
    job = office.run(course_file(office, *names[:4], "poison", *names[4:]), kind=JobKind.COURSE_ENROLLMENTS)
    assert (job.state, job.changed, job.refused) == ("succeeded", 9, 1)
    assert office.words(job)["poison"] == "internal-error"


class TestOutage:
    @pytest.fixture
    def job(self, office: Office, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Job:
        monkeypatch.setattr("program_enrollments.api.enrollments.halves.PAUSE_SECONDS", 0)
        enroll_with_accounts(office, "A-1")
        use_host(settings, "tests.api.failing_hosts.UnreachableHost")
        return office.run(course_file(office, "A-1"), kind=JobKind.COURSE_ENROLLMENTS)

    def test_the_job_waits_and_blames_no_row(self, job: Job) -> None:
        assert (job.state, job.done, job.refused) == ("waiting", 0, 0)
        assert job.next_try is not None
        assert not JobRow.objects.exists()

    def test_it_goes_on_by_itself(self, office: Office, settings: Settings, job: Job) -> None:
        use_host(settings, "demo_lms.host.DemoHost")
        assert not api.run_next_slice()
        assert job.next_try is not None
        while api.run_next_slice(now=job.next_try):
            pass
        job.refresh_from_db()
        assert (job.state, job.message, job.waiting_since) == ("succeeded", "", None)

    # A hundred times the same statements, each of which the other tests send on every database.
    @pytest.mark.once
    def test_pauses_grow_and_after_a_day_it_has_failed(self, office: Office, settings: Settings, job: Job) -> None:
        pauses, now = [], job.next_try
        while job.state == "waiting":
            assert now is not None
            api.run_next_slice(now=now)
            job.refresh_from_db()
            if job.next_try is not None:
                pauses.append(int((job.next_try - now).total_seconds()))
                now = job.next_try
        assert pauses[:4] == [60, 120, 300, 600]
        assert Counter(pauses)[900] > 80
        assert job.state == "failed"
        use_host(settings, "demo_lms.host.DemoHost")
        api.resume_job(job=job, origin=STAFF)
        assert office.work(job).state == "succeeded"

    def test_a_person_may_not_want_to_wait(self, office: Office, settings: Settings, job: Job) -> None:
        use_host(settings, "demo_lms.host.DemoHost")
        api.resume_job(job=job, origin=STAFF)
        assert office.work(job).state == "succeeded"
        with pytest.raises(WrongState):
            api.resume_job(job=job, origin=STAFF)

    def test_other_jobs_of_the_program_wait_behind_it(self, office: Office, job: Job) -> None:
        assert office.work(office.send(people(1), dry_run=True)).state == "succeeded"
        later = office.send(people(1))
        assert not api.run_next_slice()
        assert Job.objects.get(pk=later.pk).state == "pending"


def test_canceling_keeps_what_was_applied(office: Office, settings: Settings) -> None:
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "SLICE_SECONDS": 0, "CHUNK_SIZE": 10}
    job = office.send(people(30))
    while job.done == 0:
        assert api.run_next_slice()
        job.refresh_from_db()
    api.cancel_job(job=job, origin=STAFF)
    office.work(job)
    assert (job.state, job.done, job.changed) == ("canceled", 10, 10)
    assert LedgerEntry.objects.filter(job_id=job.pk).count() == 10
