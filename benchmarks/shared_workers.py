"""Eight schools that share four Celery workers: how long a small file takes while another school's large one runs.

python -m benchmarks.shared_workers ROWS      uploads the files, and prints how long what took, as JSON
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from benchmarks.databases import FOLDER
from benchmarks.sections import Bench, note
from benchmarks.stands import environment
from benchmarks.world import SLUG, student_key

SCHOOLS, WORKERS = 8, 4
SMALL = 100
ROUNDS = 5
SECONDS = 10
"""What a hundred rows may take, whatever the other schools do."""

GIVEN_UP = 600
"""Seconds after which something is wrong."""

WORKER = ("celery", "-A", "demo_lms.celery_app", "worker", "--pool=solo", "--without-gossip", "--without-mingle")


def measure_shared_workers(bench: Bench) -> None:
    """Small files of seven schools and sign-ins at the eighth, while that one's large file runs. PostgreSQL, Redis."""
    place, rows = bench.places[0], max(bench.plan.file_samples, default=0)
    broker = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/15")
    if place.stand.vendor != "postgresql" or not rows:
        return
    bench.say(f"{SCHOOLS} schools, {WORKERS} workers, and a file of {rows:,} rows")
    env = {
        **os.environ,
        **environment(vendor=place.stand.vendor, database=place.stand.database),
        "BENCH_BROKER": broker,
        "BENCH_QUEUE": f"bench-{uuid4()}",
        "BENCH_FILES": str(FOLDER / f"files-{os.getpid()}"),
    }
    with _workers(env):
        run = subprocess.run(
            [sys.executable, "-m", "benchmarks.shared_workers", str(rows)], env=env, stdout=subprocess.PIPE, check=True
        )
    found = json.loads(run.stdout)
    note(bench, place, f"until a file of {rows:,} rows was accepted", found["accepted"], unit="s", limit=1)
    what = f"beside a file of {rows:,} rows"
    note(bench, place, f"{SMALL} rows of another school {what}, worst", max(found["small"]), unit="s", limit=SECONDS)
    note(bench, place, f"a sign-in at the school {what}, worst", max(found["sign_ins"]) * 1000, unit="ms")
    note(bench, place, "a chunk of that file, per worker", found["chunk"] * 1000, unit="ms")
    waited = max(found["sign_ins"]) / found["chunk"]
    note(bench, place, f"longest wait of a sign-in {what}", waited, unit="chunks", limit=1)


@contextmanager
def _workers(env: dict[str, str]) -> Iterator[None]:
    command = [sys.executable, "-m", *WORKER, "-Q", env["BENCH_QUEUE"], "--loglevel=ERROR"]
    running = [subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL) for _ in range(WORKERS)]
    try:
        yield
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait()


def _measure(rows: int) -> dict[str, Any]:
    """Upload a file of `rows` enrollments, then small ones; sign people in meanwhile; return what took how long."""
    import django  # noqa: PLC0415  (it reads the environment of the stand)

    django.setup()
    import demo_lms.celery_app  # noqa: F401, PLC0415  (the app that messages are sent through)
    from benchmarks.sign_ins import first_sign_in  # noqa: PLC0415  (needs the settings)
    from program_enrollments.models import Curriculum, IdentityProvider, Job, Program, School  # noqa: PLC0415

    def open_school(number: int) -> Program:
        school = School.objects.get(key="bench") if number == 0 else School.objects.create(key=f"school-{number}")
        if number:
            IdentityProvider.objects.create(school=school, slug=f"{SLUG}-{number}")
        program = Program.objects.create(uuid=uuid4(), school=school, key=f"shared-{number}", title="Master of Queues")
        Curriculum.objects.create(uuid=uuid4(), program=program)
        return program

    deadline = time.monotonic() + GIVEN_UP

    def state(job: Job) -> str:
        if time.monotonic() > deadline:
            raise RuntimeError(f"Job {job.pk} is still {job.state}. Do the workers reach the broker?")
        job.refresh_from_db(fields=["state", "started", "finished", "done"])
        return str(job.state)

    first, *others = map(open_school, range(SCHOOLS))
    large, accepted = _send(first, "shared", rows)
    while state(large) == "pending" or not large.done:
        time.sleep(0.05)
    small: list[float] = []
    sign_ins: list[float] = []
    for round_number in range(ROUNDS):
        started = time.monotonic()
        open_jobs = [_send(program, f"r{round_number}", SMALL)[0] for program in others]
        while open_jobs:
            sign_ins.append(first_sign_in("shared", len(sign_ins) + 1).seconds)
            ended = [job for job in open_jobs if state(job) == "succeeded"]
            small += [time.monotonic() - started for _ in ended]
            open_jobs = [job for job in open_jobs if job not in ended]
    if state(large) != "running":
        raise RuntimeError(f"The large file was {large.state} before the small ones had run: take a larger one.")
    began, done = time.monotonic(), large.done
    while state(large) == "running" and time.monotonic() - began < SECONDS:
        sign_ins.append(first_sign_in("shared", len(sign_ins) + 1).seconds)
    chunk = (time.monotonic() - began) / max(1, large.done - done) * 1_000
    Job.objects.filter(pk=large.pk).update(state="canceled")
    return {"accepted": accepted, "small": small, "sign_ins": sign_ins, "chunk": chunk}


def _send(program: Any, prefix: str, count: int) -> tuple[Any, float]:
    """Upload a file, and return its job and the seconds until it was accepted."""
    from program_enrollments import api  # noqa: PLC0415  (needs the settings)
    from program_enrollments.data import JobKind, JobMode, Origin, Source  # noqa: PLC0415

    lines = "".join(f"{student_key(prefix, number)},enrolled\n" for number in range(1, count + 1))
    content = f"student_key,status\n{lines}".encode()
    started = time.monotonic()
    job = api.upload_file(
        program=program,
        kind=JobKind.PROGRAM_ENROLLMENTS,
        sent=api.SentFile(
            file=io.BytesIO(content), name="bench.csv", size=len(content), sha256=hashlib.sha256(content).hexdigest()
        ),
        options=api.UploadOptions(mode=JobMode.UPSERT),
        origin=Origin(source=Source.API, actor_id=1, request_id="bench"),
    )
    return job, time.monotonic() - started


if __name__ == "__main__":
    print(json.dumps(_measure(int(sys.argv[1]))))
