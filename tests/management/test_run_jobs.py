"""`run_jobs --once`: what cron does where nothing else runs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
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


STARTER = """
import os, subprocess, sys, time
print(subprocess.Popen([*sys.argv[1:], "--parent", str(os.getpid())]).pid, flush=True)
time.sleep(60)
"""


@pytest.mark.once
def test_it_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    """As when the demo is killed: nothing is to be left at work on its database."""
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, sys.executable, "demo_lms/manage.py", "run_jobs"],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "demo_lms.settings", "DEMO_DATABASE": str(tmp_path / "db")},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with starter:
        assert starter.stdout is not None
        worker = Path("/proc", starter.stdout.readline().strip())
        time.sleep(3)
        assert worker.exists()
        starter.kill()
    deadline = time.monotonic() + 15
    while worker.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not worker.exists()
