"""Previews: a dry run hands its file over to a real job, once, and what is refused goes out again."""

from __future__ import annotations

from typing import Any

import pytest

from program_enrollments import api
from program_enrollments.api.jobs.retention import forget_in_jobs
from program_enrollments.data import JobMode, Origin, Source
from program_enrollments.exceptions import ResultExpired, WrongState
from program_enrollments.models import Job
from tests.api.jobs.conftest import Office

ORIGIN = Origin(source=Source.CONSOLE.value, request_id="request-2")
LINES = "student_key,status\nA-1,enrolled\nA-2,enroled\n"


def start(job: Job) -> Job:
    return api.start_previewed(job=job, origin=ORIGIN)


def test_the_real_job_does_what_the_dry_run_showed(office: Office) -> None:
    office.run("student_key,status\nA-1,pending\nA-3,enrolled\n")
    dry = office.run(LINES, dry_run=True, mode=JobMode.SNAPSHOT)

    real = office.work(start(dry))

    assert (real.state, real.request_id, real.mode) == ("succeeded", "request-2", "snapshot")
    assert office.rows(real) == office.rows(dry)
    assert (real.counts, real.changed, real.removals) == (dry.counts, dry.changed, dry.removals)


def test_a_file_has_one_owner(office: Office) -> None:
    dry = office.run(LINES, dry_run=True)
    stale = Job.objects.get(pk=dry.pk)
    kept = dry.input_name

    real = start(dry)

    dry.refresh_from_db()
    assert (dry.input_name, real.input_name) == ("", kept)
    with pytest.raises(WrongState, match="started already"):
        start(stale)
    assert Job.objects.count() == 2


@pytest.mark.parametrize("options", [{}, {"dry_run": True}])
def test_only_a_finished_dry_run_is_started(office: Office, options: dict[str, Any]) -> None:
    job = office.send(LINES, **options) if options else office.run(LINES)
    with pytest.raises(WrongState, match="Only a dry run"):
        start(job)


def test_a_dry_run_that_would_be_held_is_held_when_it_is_started(office: Office) -> None:
    office.run("student_key,status\n" + "".join(f"A-{number},enrolled\n" for number in range(30)))
    dry = office.run("student_key,status\nA-1,enrolled\n", dry_run=True, mode=JobMode.SNAPSHOT)
    assert dry.state == "succeeded"

    assert office.work(start(dry)).state == "held"


def test_nobody_retired_comes_back(office: Office) -> None:
    dry = office.run(LINES, dry_run=True)
    forget_in_jobs(school_id=dry.school_id, names=["a-1"], pseudonym="retired-1")
    dry.refresh_from_db()

    with pytest.raises(ResultExpired):
        start(dry)
    Job.objects.filter(pk=dry.pk).update(is_input_due=True)
    with pytest.raises(ResultExpired):
        start(Job.objects.get(pk=dry.pk))


def refused(job: Job) -> list[str]:
    return b"".join(api.write_refused(job=job)).decode().splitlines()


def test_the_refused_lines_alone_in_the_columns_that_were_sent(office: Office) -> None:
    many = "".join(f"A-{number},enrolled,x\n" for number in range(2_500))
    job = office.run(f'student_key,status,Note\nB-1,no,x\n{many}B-2,no,"y, z"\nB-3,no\n"B-4"x,no,x\n')

    assert job.refused == 4
    assert refused(job) == ["student_key,status,Note", "B-1,no,x", 'B-2,no,"y, z"', "B-3,no"]


def test_a_job_without_refused_lines_gives_the_header(office: Office) -> None:
    assert refused(office.run("student_key,status\nA-1,enrolled\n")) == ["student_key,status"]


def test_lines_of_a_job_that_goes_on_or_whose_file_is_gone(office: Office) -> None:
    job = office.send(LINES)
    with pytest.raises(WrongState):
        api.write_refused(job=job)
    job = office.work(job)
    Job.objects.update(input_name="")
    with pytest.raises(ResultExpired):
        api.write_refused(job=Job.objects.get(pk=job.pk))
