"""Files, from the upload until the job has succeeded: in the stand's process, in a program of their own.

The pauses that jobs make on SQLite, to let sign-ins in between, are left out: they are as long as the work.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import Any
from uuid import UUID

from benchmarks.api_writes import measure_calls
from benchmarks.sampling import Sample, measure
from benchmarks.world import SCHOOL, student_key

PROGRAM_UUID, CURRICULUM_UUID = UUID(int=0xB3), UUID(int=0xB4)
COURSE_ID = "course-v1:Bench+Files+2026"


def make_program() -> None:
    """Make the program that files are about, with one course run."""
    from demo_lms.models import CourseRun as HostCourseRun  # noqa: PLC0415  (needs the stand's settings)
    from program_enrollments import models  # noqa: PLC0415

    school = models.School.objects.get(key=SCHOOL)
    program, made = models.Program.objects.get_or_create(
        uuid=PROGRAM_UUID, defaults={"school": school, "key": "bench-files", "title": "Master of Files"}
    )
    if made:
        curriculum = models.Curriculum.objects.create(uuid=CURRICULUM_UUID, program=program)
        curriculum.course_runs.create(course_id=COURSE_ID, title="Files")
        HostCourseRun.objects.create(course_id=COURSE_ID, title="Files")


def write_beside(prefix: str, count: int, status: str) -> Sample:
    """Write the rows of a file through `api` instead: what files are compared with."""
    from program_enrollments import api  # noqa: PLC0415  (needs the stand's settings)
    from program_enrollments.data import Origin, ProgramEnrollmentRequest, Source, Verb  # noqa: PLC0415
    from program_enrollments.models import Program  # noqa: PLC0415

    program = Program.objects.get(uuid=PROGRAM_UUID)
    rows = [ProgramEnrollmentRequest(key, key, "", status) for key in _keys(prefix, count)]
    origin = Origin(source=Source.API, actor_id=1, request_id="bench")
    return measure_calls(
        rows, lambda call: api.write_program_enrollments(program=program, rows=call, verb=Verb.UPSERT, origin=origin)
    )


def send_file(prefix: str, count: int, status: str, *, snapshot: bool = False) -> Sample:
    """Upload a file of `count` program enrollments, and carry its job on until it has succeeded and is cleaned up."""
    from program_enrollments import api  # noqa: PLC0415  (needs the stand's settings)
    from program_enrollments.models import Program  # noqa: PLC0415

    program = Program.objects.get(uuid=PROGRAM_UUID)
    # On a disk, as a web server keeps it: the process's memory is measured, too.
    with TemporaryFile() as file:
        file.write(b"student_key,status\n")
        file.writelines(f"{student_key(prefix, number)},{status}\n".encode() for number in range(1, count + 1))
        size = file.tell()
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        sent = api.SentFile(file=file, name="bench.csv", size=size, sha256=digest)
        return _apply(program, sent, count, snapshot=snapshot)


def _apply(program: Any, sent: Any, count: int, *, snapshot: bool) -> Sample:
    from program_enrollments import api  # noqa: PLC0415  (needs the stand's settings)
    from program_enrollments.data import JobKind, JobMode, Origin, Source  # noqa: PLC0415

    options = api.UploadOptions(mode=JobMode.SNAPSHOT if snapshot else JobMode.UPSERT)
    origin = Origin(source=Source.API, actor_id=1, request_id="bench")

    def work() -> None:
        job = api.upload_file(
            program=program, kind=JobKind.PROGRAM_ENROLLMENTS, sent=sent, options=options, origin=origin
        )
        while api.run_next_slice():
            pass
        job.refresh_from_db()
        if job.state != "succeeded" or job.refused or job.total != count:
            raise RuntimeError(f"The file was not applied: {job.state}, {job.refused} of {job.total} lines refused.")

    with _without_pauses():
        return measure(work)


def renew_statistics() -> None:
    """Let PostgreSQL know what is in its tables, as autovacuum does within a minute where it is on."""
    from django.db import connection  # noqa: PLC0415  (needs the stand's settings)

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def forget_enrollments() -> None:
    """Take everybody out of the program: who was written through `api` would leave with the next snapshot."""
    from program_enrollments import models  # noqa: PLC0415  (needs the stand's settings)

    models.PreemptiveProgramEnrollment.objects.filter(program__uuid=PROGRAM_UUID).delete()


def forget_jobs() -> None:
    """Delete the jobs of earlier samples: the guard would add up what they removed."""
    from program_enrollments.models import Job, JobRow  # noqa: PLC0415  (needs the stand's settings)

    JobRow.objects.all().delete()
    Job.objects.all().delete()


@contextmanager
def _without_pauses() -> Iterator[None]:
    """Let the process not sleep: nothing does but a job on SQLite, between its transactions."""
    sleep = time.sleep
    time.sleep = lambda seconds: None
    try:
        yield
    finally:
        time.sleep = sleep


def _keys(prefix: str, count: int) -> list[str]:
    return [student_key(prefix, number) for number in range(1, count + 1)]
