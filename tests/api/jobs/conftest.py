"""A registrar's office: it sends files as text, and has them worked off at once."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from program_enrollments import api
from program_enrollments.data import JobKind, JobMode, Origin, Source
from program_enrollments.models import Job, JobRow, StagedRow
from tests.api.conftest import World


@dataclass
class Office:
    """Sends files about the world's program, and reads what became of them."""

    world: World

    def send(self, text: str | bytes, *, kind: JobKind = JobKind.PROGRAM_ENROLLMENTS, **options: Any) -> Job:
        """Upload a file and return its job, which nobody has begun yet."""
        raw = text if isinstance(text, bytes) else text.encode()
        actor, now = options.pop("actor_id", None), options.pop("now", None)
        return api.upload_file(
            program=options.pop("program", self.world.program),
            kind=kind,
            sent=api.SentFile(io.BytesIO(raw), "nightly.csv", len(raw), hashlib.sha256(raw).hexdigest()),
            options=api.UploadOptions(**options),
            origin=Origin(source=Source.API.value, request_id="request-1", actor_id=actor),
            now=now,
        )

    def send_rekeys(self, *lines: str, **options: Any) -> Job:
        """Upload a file of student IDs, a line of `old,new` each, and return its job."""
        raw = "".join(f"{line}\n" for line in ("old_student_key,new_student_key", *lines)).encode()
        slug, now = options.pop("identity_provider", ""), options.pop("now", None)
        return api.upload_rekeys(
            school=options.pop("school", self.world.school),
            sent=api.SentFile(io.BytesIO(raw), "ids.csv", len(raw), hashlib.sha256(raw).hexdigest()),
            options=api.RekeyOptions(**options),
            origin=Origin(source=Source.API.value, request_id="request-1"),
            identity_provider=slug,
            now=now,
        )

    def rekey(self, *lines: str, **options: Any) -> Job:
        """Upload a file of student IDs and carry out whatever is due; return its job as it is then."""
        return self.work(self.send_rekeys(*lines, **options))

    def line_words(self, job: Job) -> dict[int | None, str]:
        """Return the words of the lines that are listed."""
        return dict(JobRow.objects.filter(job=job, line__isnull=False).values_list("line", "word"))

    def run(self, text: str | bytes, **options: Any) -> Job:
        """Upload a file and carry out whatever is due; return its job as it is then."""
        return self.work(self.send(text, **options))

    def snapshot(self, text: str, **options: Any) -> Job:
        """Do as `run`, with a snapshot."""
        return self.run(text, mode=JobMode.SNAPSHOT, **options)

    def work(self, job: Job) -> Job:
        """Carry out whatever is due, and return this job as it is then."""
        while api.run_next_slice():
            pass
        job.refresh_from_db()
        assert job.state in {"held", "waiting"} or not StagedRow.objects.filter(job_id=job.pk).exists()
        return job

    def rows(self, job: Job) -> list[tuple[Any, ...]]:
        """Return (line, student ID, word, changed, before, after) of a job's rows, in their order."""
        columns = ("line", "student_key", "word", "changed", "before", "after")
        return list(JobRow.objects.filter(job=job).order_by("place").values_list(*columns))

    def words(self, job: Job) -> dict[str, str]:
        """Return the word of each row by student ID."""
        return {row[1]: row[2] for row in self.rows(job)}


@pytest.fixture
def office(world: World, settings: Settings, tmp_path: Path) -> Office:
    settings.STORAGES = {
        **settings.STORAGES,
        "program_enrollments": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path)},
        },
    }
    return Office(world)
