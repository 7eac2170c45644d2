"""`run_jobs --once`: what cron does where nothing else runs."""

from __future__ import annotations

from django.core.management import call_command

from program_enrollments.models import Job
from tests.api.conftest import World, world
from tests.api.jobs.conftest import Office, office

__all__ = ["office", "world"]


def test_everything_that_is_due_is_done(office: Office, world: World) -> None:
    jobs = [office.send(f"student_key,status\nA-{number},enrolled\n") for number in range(3)]
    call_command("run_jobs", once=True)
    assert set(Job.objects.values_list("state", "is_staged")) == {("succeeded", False)}
    assert len(jobs) == 3


def test_a_job_that_fails_in_an_unforeseen_way_keeps_nobody_else_waiting(office: Office, world: World) -> None:
    broken = office.send("student_key,status\nA-1,enrolled\n", dry_run=True)
    Job.objects.filter(pk=broken.pk).update(input_name="gone.csv")
    office.send("student_key,status\nA-2,enrolled\n")
    call_command("run_jobs", once=True)
    assert sorted(Job.objects.values_list("state", flat=True)) == ["succeeded", "waiting"]
