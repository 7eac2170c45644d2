"""Bulk writes through `api`, in the stand's process."""

from __future__ import annotations

from benchmarks.sampling import Sample, measure
from benchmarks.world import PROGRAM_UUID, course_id, student_key


def write_programs(prefix: str, count: int, status: str) -> Sample:
    """Create or update `count` program enrollments in calls of at most 10,000 rows; every row must come out good."""
    from program_enrollments import api  # noqa: PLC0415  (needs the stand's settings)
    from program_enrollments.data import Origin, ProgramEnrollmentRequest, Source, Verb  # noqa: PLC0415
    from program_enrollments.models import Program  # noqa: PLC0415

    program = Program.objects.get(uuid=PROGRAM_UUID)
    keys = [student_key(prefix, number) for number in range(1, count + 1)]
    rows = [ProgramEnrollmentRequest(key, key, "", status) for key in keys]
    origin = Origin(source=Source.API, actor_id=1, request_id="bench")

    def work() -> None:
        outcomes = api.write_program_enrollments(program=program, rows=rows, verb=Verb.UPSERT, origin=origin)
        if not all(outcome.good for outcome in outcomes):
            raise RuntimeError(f"Not every row was written: {next(row for row in outcomes if not row.good).word}.")

    return measure(work)


def write_courses(prefix: str, count: int, status: str) -> Sample:
    """Create or update `count` course enrollments; every row must come out good."""
    from program_enrollments import api  # noqa: PLC0415  (needs the stand's settings)
    from program_enrollments.data import CourseEnrollmentRequest, Origin, Source, Verb  # noqa: PLC0415
    from program_enrollments.models import CourseRun, Program  # noqa: PLC0415

    program, run = Program.objects.get(uuid=PROGRAM_UUID), CourseRun.objects.get(course_id=course_id(0))
    keys = [student_key(prefix, number) for number in range(1, count + 1)]
    rows = [CourseEnrollmentRequest(key, key, "", status) for key in keys]
    origin = Origin(source=Source.API, actor_id=1, request_id="bench")

    def work() -> None:
        outcomes = api.write_course_enrollments(
            program=program, course_run=run, rows=rows, verb=Verb.UPSERT, origin=origin
        )
        if not all(outcome.good for outcome in outcomes):
            raise RuntimeError(f"Not every row was written: {next(row for row in outcomes if not row.good).word}.")

    return measure(work)
