"""Workers are killed at random moments, and what comes of a file is what comes of it undisturbed."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from program_enrollments import api
from program_enrollments.data import JobMode, Origin
from program_enrollments.models import Job, StagedRow
from tests.long.offices import Office, first_file, is_over, second_file
from tests.long.processes import wait_until, workers

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]

KILLS = 8


def lines_gone_through(job: Job) -> int:
    job.refresh_from_db()
    return job.total + job.done


def test_killed_again_and_again_it_comes_to_the_same(storage: Path, dice: random.Random) -> None:
    quiet, loud = Office.open("quiet"), Office.open("loud")
    for office in (quiet, loud):
        office.send(first_file())
    undisturbed = quiet.send(second_file(), mode=JobMode.SNAPSHOT)
    while api.run_next_slice():
        pass
    expected = quiet.look(undisturbed)
    assert expected["job"][:3] == ["succeeded", 19_951, 19_951]

    job = loud.send(second_file(), mode=JobMode.SNAPSHOT)
    with workers(storage=storage) as running:
        running.dice = dice
        # Each line is read, and then applied.
        running.kill_at(
            sorted(dice.sample(range(2 * 19_951), KILLS)), progress=lambda: lines_gone_through(job), seconds=90
        )
        wait_until(lambda: is_over(job), seconds=90, what="the job's end")
    assert loud.look(job) == expected
    assert not StagedRow.objects.exists()


STUDENTS = 2_000


def rekey_lines() -> list[str]:
    """Everybody gets another ID: by a swap, in a chain, or one that is new; some lines are wrong."""
    lines = []
    for n in range(0, STUDENTS - 4, 5):
        lines += [f"S-{n:05},S-{n + 1:05}", f"S-{n + 1:05},S-{n:05}"]
        lines += [f"S-{n + 2:05},S-{n + 3:05}", f"S-{n + 3:05},T-{n:05}"]
        lines.append(f"S-{n + 4:05},{'' if n % 300 else 'S-00000'}")
    return [line for line in lines if not line.endswith(",")] + ["X-1,T-1", "S-00001,T-9"]


def test_student_ids_that_change_and_change_back(storage: Path, dice: random.Random) -> None:
    quiet, loud = Office.open("quiet", accounts=STUDENTS), Office.open("loud", accounts=STUDENTS)

    def carry_out(job: Job) -> Job:
        while api.run_next_slice():
            pass
        return job

    def disturb(job: Job) -> Job:
        running.kill_at(
            sorted(dice.sample(range(2 * len(rekey_lines()) - 400), KILLS // 2)),
            progress=lambda: lines_gone_through(job),
            seconds=90,
        )
        wait_until(lambda: is_over(job), seconds=90, what="the job's end")
        return job

    before = quiet.student_ids()
    undisturbed = carry_out(quiet.send_rekeys(rekey_lines()))
    expected = quiet.look(undisturbed)
    undone = carry_out(api.undo_job(job=undisturbed, origin=Origin(source="api", reason="Wrong file")))
    expected_back = quiet.look(undone)
    assert quiet.student_ids() == before

    with workers(storage=storage) as running:
        running.dice = dice
        job = disturb(loud.send_rekeys(rekey_lines()))
        assert loud.look(job) == expected
        undo = disturb(api.undo_job(job=job, origin=Origin(source="api", reason="Wrong file")))
    assert loud.look(undo) == expected_back
    assert loud.student_ids() == before
    assert not StagedRow.objects.exists()
