"""Bulk writes through `api`, in the stand's process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.client import MAX_ROWS
from benchmarks.sampling import Sample, measure
from benchmarks.world import PROGRAM_UUID, course_id, student_key


def write_programs(prefix: str, count: int, status: str) -> Sample:
    """Create or update `count` program enrollments in calls of at most 10,000 rows; every row must come out good."""
    from program_enrollments import api  # noqa: PLC0415  (needs the stand's settings)
    from program_enrollments.data import Origin, ProgramEnrollmentRequest, Source, Verb  # noqa: PLC0415
    from program_enrollments.models import Program  # noqa: PLC0415

    program = Program.objects.get(uuid=PROGRAM_UUID)
    rows = [ProgramEnrollmentRequest(key, key, "", status) for key in _keys(prefix, count)]
    origin = Origin(source=Source.API, actor_id=1, request_id="bench")
    return measure_calls(
        rows, lambda call: api.write_program_enrollments(program=program, rows=call, verb=Verb.UPSERT, origin=origin)
    )


def write_courses(prefix: str, count: int, status: str) -> Sample:
    """Create or update `count` course enrollments likewise."""
    from program_enrollments import api  # noqa: PLC0415  (needs the stand's settings)
    from program_enrollments.data import CourseEnrollmentRequest, Origin, Source, Verb  # noqa: PLC0415
    from program_enrollments.models import CourseRun, Program  # noqa: PLC0415

    program, run = Program.objects.get(uuid=PROGRAM_UUID), CourseRun.objects.get(course_id=course_id(0))
    rows = [CourseEnrollmentRequest(key, key, "", status) for key in _keys(prefix, count)]
    origin = Origin(source=Source.API, actor_id=1, request_id="bench")
    return measure_calls(
        rows,
        lambda call: api.write_course_enrollments(
            program=program, course_run=run, rows=call, verb=Verb.UPSERT, origin=origin
        ),
    )


def _keys(prefix: str, count: int) -> list[str]:
    return [student_key(prefix, number) for number in range(1, count + 1)]


def measure_calls(rows: Sequence[Any], write: Callable[[Sequence[Any]], Sequence[Any]]) -> Sample:
    """Measure `write` called with at most 10,000 of `rows` at a time. Raises RuntimeError if a row is refused."""

    def work() -> None:
        for start in range(0, len(rows), MAX_ROWS):
            refused = next((row for row in write(rows[start : start + MAX_ROWS]) if not row.good), None)
            if refused is not None:
                raise RuntimeError(f"Not every row was written: {refused.word}.")

    return measure(work)
