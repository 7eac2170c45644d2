"""Two schools with the same learners: what is disturbed at one is compared with what is undisturbed at the other."""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from demo_lms.models import CourseEnrollment
from program_enrollments import api
from program_enrollments.data import JobKind, JobMode, LinkHow, Origin, Source
from program_enrollments.models import (
    CourseRun,
    Job,
    JobRow,
    Learner,
    LedgerEntry,
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
    Program,
    ProgramCourseEnrollment,
    ProgramEnrollment,
)
from tests.factories.enrollment import CourseRunFactory, CurriculumFactory, SchoolFactory

ROWS = 20_000


def first_file(rows: int = ROWS) -> str:
    """Everybody of last year, a third of them with an address."""
    lines = [f"S-{n:05},{address(n)},{'enrolled' if n % 7 else 'pending'}" for n in range(rows // 2)]
    return "student_key,email,status\n" + "\n".join(lines)


def second_file(rows: int = ROWS) -> str:
    """Half known, half new, with mistakes, duplicates, addresses that change hands, and a few who are missing."""
    lines = []
    for n in range(50, rows):
        status = "enrolled"
        if n % 500 == 3:
            status = "enroled"
        email = address(n)
        if n % 600 == 0 and n + 3_000 < rows // 2:
            email = address(n + 3_000)
        elif n % 600 == 0 and 3_000 <= n < rows // 2 and n - 3_000 >= 50:
            email = address(n - 3_000)
        lines.append(f"S-{n:05},{email},{status}")
    lines.append("S-00100,,pending")
    return "student_key,email,status\n" + "\n".join(lines)


def address(number: int) -> str:
    return f"s{number}@uni.example" if number % 3 == 0 else ""


@dataclass
class Office:
    """One school's program, and files about it."""

    program: Program
    course_run: CourseRun

    @classmethod
    def open(cls, key: str, *, accounts: int = 0) -> Office:
        """Found a school, with some learners who have accounts already."""
        curriculum = CurriculumFactory(program__school=SchoolFactory(key=key))
        office = cls(curriculum.program, CourseRunFactory(curricula=[curriculum]))
        users = User.objects.bulk_create(User(username=f"{key}-{number:05}") for number in range(accounts))
        learners = Learner.objects.bulk_create(
            Learner(
                school=curriculum.program.school,
                student_key=f"S-{number:05}",
                student_key_normalized=f"s-{number:05}",
                user=user,
                link_how=LinkHow.SSO.value,
                linked_at=timezone.now(),
            )
            for number, user in enumerate(users)
        )
        ProgramEnrollment.objects.bulk_create(
            ProgramEnrollment(program=curriculum.program, curriculum=curriculum, learner=learner, status="enrolled")
            for learner in learners
        )
        return office

    def course_file(self, rows: int) -> str:
        """Return a file that gives seats, with mistakes and duplicates."""
        lines = [f"{self.course_run.course_id},S-{n:05},{'active' if n % 70 else 'asleep'}" for n in range(rows)]
        return "course_id,student_key,status\n" + "\n".join([*lines, lines[5]])

    def send(self, text: str, *, mode: JobMode = JobMode.UPSERT, kind: JobKind = JobKind.PROGRAM_ENROLLMENTS) -> Job:
        raw = text.encode()
        return api.upload_file(
            program=self.program,
            kind=kind,
            sent=api.SentFile(io.BytesIO(raw), "long.csv", len(raw), hashlib.sha256(raw).hexdigest()),
            options=api.UploadOptions(mode=mode),
            origin=Origin(source=Source.API.value),
        )

    def send_rekeys(self, lines: Iterable[str]) -> Job:
        """Upload a file of student IDs, a line of `old,new` each."""
        raw = "\n".join(["old_student_key,new_student_key", *lines]).encode()
        return api.upload_rekeys(
            school=self.program.school,
            sent=api.SentFile(io.BytesIO(raw), "ids.csv", len(raw), hashlib.sha256(raw).hexdigest()),
            options=api.RekeyOptions(),
            origin=Origin(source=Source.API.value),
        )

    def student_ids(self) -> dict[str, str]:
        """Return the student ID of each account, by the end of its name."""
        learners = Learner.objects.filter(school_id=self.program.school_id, user__isnull=False)
        return {name[-5:]: key for name, key in learners.values_list("user__username", "student_key")}

    def look(self, job: Job) -> dict[str, Any]:
        """Return everything that a file leaves behind, without what names the school."""
        job.refresh_from_db()
        own = {"program": self.program}
        promised = PreemptiveProgramEnrollment.objects.filter(**own), PreemptiveCourseEnrollment.objects.filter(**own)
        real = ProgramEnrollment.objects.filter(**own), ProgramCourseEnrollment.objects.filter(**own)
        seats = CourseEnrollment.objects.filter(course_run_id=self.course_run.course_id)
        entries = LedgerEntry.objects.filter(program=self.program)
        learners = Learner.objects.filter(school_id=self.program.school_id)
        renames = LedgerEntry.objects.filter(kind="student_key", learner_id__in=learners.values("pk"))
        columns = ("place", "line", "student_key", "word", "changed", "before", "after", "detail")
        return {
            "job": [getattr(job, name) for name in ("state", "total", "done", "changed", "unchanged", "refused")],
            "counts": (job.counts, job.removals, job.removed),
            "promised": [dict(rows.values_list("learner__student_key", "status")) for rows in promised],
            "real": [dict(rows.values_list("learner__student_key", "status")) for rows in real],
            "seats": {name[-5:]: rest for name, *rest in seats.values_list("user__username", "mode", "is_active")},
            "addresses": dict(learners.values_list("student_key", "email")),
            "identities": Counter(renames.values_list("student_key", "before", "after", "source")),
            "ledger": Counter(entries.values_list("student_key", "kind", "before", "after")),
            "positions": set(entries.values_list("position", flat=True)) == set(range(1, entries.count() + 1)),
            "rows": list(JobRow.objects.filter(job=job).order_by("place").values_list(*columns)),
            "result": b"".join(api.write_result(job=job)).replace(self.course_run.course_id.encode(), b"run"),
        }


def is_over(job: Job) -> bool:
    """Whether a job has succeeded and left nothing behind."""
    job.refresh_from_db()
    return job.state == "succeeded" and not job.is_staged
