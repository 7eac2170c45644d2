"""Retention: files and outcomes go after their time or with the person they name; jobs and ledger stay."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from django.utils import timezone

from program_enrollments import api
from program_enrollments.data import Origin
from program_enrollments.models import Job, JobRow, Learner, LedgerEntry
from tests.api.jobs.conftest import Office

TEXT = "student_key,email,status\nA-1,ann@uni.example,enrolled\nA-2,,enrolled\nA-3,,enroled\n"
RETIRING = Origin(source="command", reason="Request 4711")


def files(folder: Path) -> list[str]:
    return [path.read_text() for path in folder.rglob("*") if path.is_file()]


def test_after_their_time_files_and_outcomes_go(office: Office, tmp_path: Path) -> None:
    job = office.run(TEXT)
    ended = job.finished
    assert ended is not None
    forgotten = api.forget_expired(now=ended + timedelta(days=29))
    assert (forgotten.files, len(files(tmp_path))) == (0, 1)
    forgotten = api.forget_expired(now=ended + timedelta(days=30))
    assert (forgotten.files, forgotten.outcomes) == (1, 3)
    assert files(tmp_path) == []
    job.refresh_from_db()
    assert (job.state, job.changed, job.input_name) == ("succeeded", 2, "")
    assert LedgerEntry.objects.filter(job_id=job.pk).count() == 2


def test_jobs_that_have_not_ended_keep_theirs(office: Office, tmp_path: Path) -> None:
    office.send(TEXT)
    assert api.forget_expired(now=timezone.now() + timedelta(days=400)).files == 0
    assert len(files(tmp_path)) == 1


def test_a_retired_person_is_in_no_outcome_and_no_file(office: Office, tmp_path: Path) -> None:
    job = office.run(TEXT + "a-1,,pending\n")
    office.run("student_key,email,status\nA-1,ann@uni.example,enrolled\n")
    waiting = office.send("student_key,status\nA-2,enrolled\n")
    with office.world.run_callbacks(execute=True):
        learners = [learner.pk for learner in Learner.objects.filter(student_key="A-1")]
        api.retire_learners(persons=api.Persons(learner_ids=learners), origin=RETIRING)
    assert "a-1" not in {key.lower() for key in JobRow.objects.values_list("student_key", flat=True)}
    assert files(tmp_path) == ["student_key,status\nA-2,enrolled\n"]
    job.refresh_from_db()
    assert (job.input_name, job.total) == ("", 4)
    office.work(waiting)
    api.forget_expired(now=timezone.now())
    assert files(tmp_path) == []


def test_other_schools_keep_theirs(office: Office, tmp_path: Path) -> None:
    office.run(TEXT)
    stranger = Learner.objects.create(school=api.School.objects.create(key="uni-b", name="B"), student_key="A-1")
    with office.world.run_callbacks(execute=True):
        api.retire_learners(persons=api.Persons(learner_ids=[stranger.pk]), origin=RETIRING)
    assert len(files(tmp_path)) == 1
    assert Job.objects.exclude(input_name="").count() == 1
