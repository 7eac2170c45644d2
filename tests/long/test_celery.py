"""Celery workers and their broker are disturbed, and what comes of a file is what comes of it undisturbed.

On PostgreSQL with Redis, and on MariaDB with RabbitMQ.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from program_enrollments import api
from program_enrollments.data import JobKind, JobMode
from program_enrollments.models import Job, StagedRow
from tests.conftest import database_name
from tests.long.brokers import Broker, open_broker
from tests.long.offices import Office, first_file, is_over, second_file
from tests.long.processes import CELERY, WORKER, Workers, wait_until, workers

pytestmark = [
    pytest.mark.long,
    pytest.mark.django_db(transaction=True),
    pytest.mark.only_on("postgresql", "mariadb"),
]

KILLS = 20
SMALL = 3_000
SEATS = 1_000
SECONDS = 120


@pytest.fixture
def broker() -> Iterator[Broker]:
    with open_broker(database=database_name()) as opened:
        yield opened


@contextmanager
def celery(*, storage: Path, broker: Broker, dice: random.Random | None = None, **environ: str) -> Iterator[Workers]:
    """Have two workers and one beat at work."""
    settings = {**broker.environ(), **environ}
    beat = (*CELERY, "beat", "--schedule", str(storage / "beat"), "--pidfile", "")
    with (
        workers(storage=storage, command=beat, count=1, **settings),
        workers(storage=storage, command=(*WORKER, "-Q", broker.queue), count=2, **settings) as running,
    ):
        running.dice = dice or running.dice
        yield running


def work() -> None:
    while api.run_next_slice():
        pass


class Pair:
    """Two offices with the same past and the same new files; one has seen the end already."""

    def __init__(self, *, rows: int, seats: int) -> None:
        self.quiet, self.loud = Office.open("quiet", accounts=seats), Office.open("loud", accounts=seats)
        for office in (self.quiet, self.loud):
            office.send(first_file(rows))
        work()
        self.expected = [self.quiet.look(job) for job in self.send(self.quiet, rows, seats, then=work)]
        assert [each["job"][0] for each in self.expected] == ["succeeded", "succeeded"]
        assert sum(active for _, active in self.expected[0]["seats"].values()) > seats * 0.9
        self.jobs = self.send(self.loud, rows, seats)

    def send(self, office: Office, rows: int, seats: int, then: Callable[[], None] = lambda: None) -> list[Job]:
        jobs = [
            office.send(second_file(rows), mode=JobMode.SNAPSHOT),
            office.send(office.course_file(seats), kind=JobKind.COURSE_ENROLLMENTS),
        ]
        then()
        return jobs

    @property
    def done(self) -> int:
        """How far the disturbed office has come: lines read and lines applied."""
        return sum(total + done for total, done in self._jobs().values_list("total", "done"))

    def is_over(self) -> bool:
        return all(is_over(job) for job in self.jobs)

    def compare(self) -> None:
        """Wait for the end, and compare."""
        wait_until(self.is_over, seconds=SECONDS, what=f"the jobs' end; they are {list(self._jobs().values())}")
        assert [self.loud.look(job) for job in self.jobs] == self.expected
        assert not StagedRow.objects.exists()

    def _jobs(self) -> Any:
        return Job.objects.filter(pk__in=[job.pk for job in self.jobs])


def test_workers_are_killed(storage: Path, broker: Broker, dice: random.Random) -> None:
    pair = Pair(rows=20_000, seats=SEATS)
    whole = 2 * sum(each["job"][1] for each in pair.expected)
    with celery(storage=storage, broker=broker, dice=dice) as running:
        running.kill_at(sorted(dice.sample(range(whole), KILLS)), progress=lambda: pair.done, seconds=SECONDS)
        pair.compare()


def test_every_message_comes_twice(storage: Path, broker: Broker) -> None:
    pair = Pair(rows=SMALL, seats=SEATS)
    with celery(storage=storage, broker=broker, LONG_DOUBLED="1"):
        pair.compare()


def test_the_broker_is_emptied(storage: Path, broker: Broker, dice: random.Random) -> None:
    pair = Pair(rows=SMALL, seats=SEATS)
    with celery(storage=storage, broker=broker):
        wait_until(lambda: pair.done > 0, seconds=SECONDS, what="the first line")
        for _ in range(10):
            broker.purge()
            time.sleep(dice.uniform(0, 0.3))
        pair.compare()


def test_the_broker_is_down(storage: Path, broker: Broker) -> None:
    pair = Pair(rows=SMALL, seats=SEATS)
    with celery(storage=storage, broker=broker):
        wait_until(lambda: pair.done > 0, seconds=SECONDS, what="the first line")
        broker.port.go_down()
        time.sleep(4)
        assert not pair.is_over()
        broker.port.come_back()
        pair.compare()


def test_the_platform_is_down(storage: Path, broker: Broker) -> None:
    pair = Pair(rows=SMALL, seats=SEATS)
    switch = storage / "platform-is-down"
    switch.touch()
    with celery(storage=storage, broker=broker):
        wait_until(
            lambda: Job.objects.filter(pk=pair.jobs[1].pk, state="waiting").exists(), seconds=SECONDS, what="the outage"
        )
        switch.unlink()
        # It goes on by itself, after its first pause.
        pair.compare()
