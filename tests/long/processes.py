"""Processes that carry jobs on, and that can be killed at any moment."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.db import connection

CELERY = (sys.executable, "-m", "celery", "-A", "tests.long.celery_app")
WORKER = (*CELERY, "worker", "--pool=solo", "--without-gossip", "--without-mingle", "--without-heartbeat")
RUN_JOBS = (sys.executable, "demo_lms/manage.py", "run_jobs")
ROOT = Path(__file__).parents[2]


@dataclass
class Workers:
    """Some processes of the same kind; whoever is killed is replaced at once."""

    command: Sequence[str]
    environ: dict[str, str]
    count: int
    dice: random.Random = field(default_factory=random.Random)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> None:
        """Start processes until there are as many as there should be."""
        while len(self.processes) < self.count:
            process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env=self.environ,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            self.processes.append(process)

    def kill_one(self) -> None:
        """Kill a process, and those it has started, as a machine that loses its power does."""
        process = self.processes.pop(self.dice.randrange(len(self.processes)))
        assert process.poll() is None, "A worker ended by itself; run its command by hand to see why."
        self._kill(process)
        self.start()

    def kill_all(self) -> None:
        """Kill all processes at once, so that nothing is under way until others have started."""
        for _ in range(self.count):
            process = self.processes.pop()
            assert process.poll() is None, "A worker ended by itself; run its command by hand to see why."
            self._kill(process)
        self.start()

    def kill_at(self, moments: Sequence[int], *, progress: Callable[[], int], seconds: float) -> None:
        """Kill one process or all of them shortly after each of these moments of the work: with lines, not with time.

        After each kill somebody has to start or to take over, so that there is work left for the next one.
        """
        for moment in moments:
            wait_until(lambda moment=moment: progress() >= moment, seconds=seconds, what=f"line {moment}")  # type: ignore[misc]
            time.sleep(self.dice.uniform(0, 0.1))
            if self.dice.random() < 0.5:
                self.kill_all()
            else:
                self.kill_one()

    def stop(self) -> None:
        """Kill all."""
        while self.processes:
            self._kill(self.processes.pop())

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def workers(*, storage: Path, command: Sequence[str] = RUN_JOBS, count: int = 2, **environ: str) -> Iterator[Workers]:
    """Have processes at work on the test database, for the time of the block."""
    running = Workers(
        command,
        {
            **os.environ,
            **environ,
            "DJANGO_SETTINGS_MODULE": "tests.long.settings",
            "PYTHONPATH": str(ROOT),
            "LONG_DATABASE_NAME": str(connection.settings_dict["NAME"]),
            "LONG_STORAGE": str(storage),
        },
        count,
    )
    running.start()
    try:
        yield running
    finally:
        running.stop()


def wait_until(is_so: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Wait until something is so; fail after a while."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"Waited in vain for {what}."
        time.sleep(0.05)
