"""Two schools with the same learners: what is disturbed at one is compared with what is undisturbed at the other."""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from dataclasses import dataclass
from typing import Any

from program_enrollments import api
from program_enrollments.data import JobKind, JobMode, Origin, Source
from program_enrollments.models import Job, JobRow, Learner, LedgerEntry, PreemptiveProgramEnrollment, Program
from tests.factories.enrollment import CurriculumFactory, SchoolFactory

ROWS = 20_000


def first_file() -> str:
    """Everybody of last year, a third of them with an address."""
    lines = [f"S-{n:05},{address(n)},{'enrolled' if n % 7 else 'pending'}" for n in range(ROWS // 2)]
    return "student_key,email,status\n" + "\n".join(lines)


def second_file() -> str:
    """Half known, half new, with mistakes, duplicates, addresses that change hands, and a few who are missing."""
    lines = []
    for n in range(50, ROWS):
        status = "enrolled"
        if n % 500 == 3:
            status = "enroled"
        email = address(n)
        if n % 600 == 0 and n + 3_000 < ROWS // 2:
            email = address(n + 3_000)
        elif n % 600 == 0 and 3_000 <= n < ROWS // 2 and n - 3_000 >= 50:
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

    @classmethod
    def open(cls, key: str) -> Office:
        return cls(CurriculumFactory(program__school=SchoolFactory(key=key)).program)

    def send(self, text: str, *, mode: JobMode = JobMode.UPSERT) -> Job:
        raw = text.encode()
        return api.upload_file(
            program=self.program,
            kind=JobKind.PROGRAM_ENROLLMENTS,
            sent=api.SentFile(io.BytesIO(raw), "long.csv", len(raw), hashlib.sha256(raw).hexdigest()),
            options=api.UploadOptions(mode=mode),
            origin=Origin(source=Source.API.value),
        )

    def look(self, job: Job) -> dict[str, Any]:
        """Return everything that a file leaves behind, without what names the school."""
        job.refresh_from_db()
        enrollments = PreemptiveProgramEnrollment.objects.filter(program=self.program)
        entries = LedgerEntry.objects.filter(program=self.program)
        learners = Learner.objects.filter(school_id=self.program.school_id)
        columns = ("place", "line", "student_key", "word", "changed", "before", "after", "detail")
        return {
            "job": [getattr(job, name) for name in ("state", "total", "done", "changed", "unchanged", "refused")],
            "counts": (job.counts, job.removals, job.removed),
            "enrollments": dict(enrollments.values_list("learner__student_key", "status")),
            "addresses": dict(learners.values_list("student_key", "email")),
            "ledger": Counter(entries.values_list("student_key", "kind", "before", "after")),
            "positions": set(entries.values_list("position", flat=True)) == set(range(1, entries.count() + 1)),
            "rows": list(JobRow.objects.filter(job=job).order_by("place").values_list(*columns)),
            "result": b"".join(api.write_result(job=job)),
        }
