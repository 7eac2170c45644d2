"""A file that waits for somebody to decide about it: University A's snapshot that forgets most of its learners."""

from __future__ import annotations

import hashlib
import io

from django.contrib.auth.models import User

from demo_lms.demo_data.catalog import DATA_SCIENCE
from demo_lms.demo_data.sample_files import make_sample_files
from program_enrollments import api
from program_enrollments.data import JobKind, JobMode, Origin, Source
from program_enrollments.models import Job, Program

NAME = f"{DATA_SCIENCE.key}-snapshot-held.csv"
SENDER = "uni-a-sis"


def seed_held_file() -> None:
    """Let the university's student information system send the snapshot, unless it has; learners must be there."""
    program = Program.objects.get(uuid=DATA_SCIENCE.uuid)
    if Job.objects.filter(program=program, file_name=NAME).exists():
        return
    content = make_sample_files()[NAME]
    job = api.upload_file(
        program=program,
        kind=JobKind.PROGRAM_ENROLLMENTS,
        sent=api.SentFile(io.BytesIO(content), NAME, len(content), hashlib.sha256(content).hexdigest()),
        options=api.UploadOptions(mode=JobMode.SNAPSHOT),
        origin=Origin(source=Source.UPLOAD.value, actor_id=User.objects.get(username=SENDER).pk),
    )
    while api.run_slice(job_id=job.pk, slice_number=job.slice):
        job.refresh_from_db()
