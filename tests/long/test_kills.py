"""Workers are killed at random moments, and what comes of a file is what comes of it undisturbed."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from program_enrollments import api
from program_enrollments.data import JobMode
from program_enrollments.models import Job, StagedRow
from tests.long.offices import Office, first_file, second_file
from tests.long.processes import wait_until, workers

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]

KILLS = 20


@pytest.fixture
def storage(settings: Settings, tmp_path: Path) -> Path:
    settings.STORAGES = {
        **settings.STORAGES,
        "program_enrollments": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path)},
        },
    }
    return tmp_path


def is_over(job: Job) -> bool:
    job.refresh_from_db()
    return job.state == "succeeded" and not job.is_staged


def test_killed_twenty_times_it_comes_to_the_same(storage: Path) -> None:
    quiet, loud = Office.open("quiet"), Office.open("loud")
    for office in (quiet, loud):
        office.send(first_file())
    undisturbed = quiet.send(second_file(), mode=JobMode.SNAPSHOT)
    while api.run_next_slice():
        pass
    expected = quiet.look(undisturbed)
    assert expected["job"][:3] == ["succeeded", 19_951, 19_951]

    job = loud.send(second_file(), mode=JobMode.SNAPSHOT)
    kills = 0
    with workers(storage=storage) as running:
        while kills < KILLS and not is_over(job):
            time.sleep(random.uniform(0.5, 2.5))
            running.kill_one()
            kills += 1
        wait_until(lambda: is_over(job), seconds=90, what="the job's end")
    assert kills >= 5
    assert loud.look(job) == expected
    assert not StagedRow.objects.exists()
