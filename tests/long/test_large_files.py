"""Large files that are wrong: refused within minutes, and in little memory."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest

from program_enrollments import api
from program_enrollments.models import Learner, StagedRow
from tests.long.offices import Office, is_over

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True), pytest.mark.only_on("postgresql")]

LINES = int(os.environ.get("LONG_LINES", "200000"))
MEGABYTES = 64


def work() -> None:
    while api.run_next_slice():
        pass


def peak() -> float:
    """Return the most memory that this process has ever had, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def test_the_same_learner_again_and_again(storage: Path) -> None:
    office = Office.open("quiet")
    office.send("student_key,email,status\n" + "S-1,,enrolled\n" * 1_000)
    work()
    job = office.send("student_key,email,status\n" + "S-1,,enrolled\n" * LINES)
    before = peak()
    work()
    assert is_over(job)
    assert (job.refused, job.counts) == (LINES, {"duplicated": LINES})
    assert not Learner.objects.exists()
    assert not StagedRow.objects.exists()
    assert peak() - before < MEGABYTES
