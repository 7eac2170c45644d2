"""Writes: the one place where jobs call the write pipeline."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from program_enrollments.api.access import Reach
from program_enrollments.api.enrollments.chunks import PreparedRows, prepare_rows
from program_enrollments.api.enrollments.courses import CourseWrite
from program_enrollments.api.enrollments.programs import ProgramWrite, fetch_curricula
from program_enrollments.api.jobs.requests import course_request, program_request
from program_enrollments.api.learners.identity import EnrollmentRequest
from program_enrollments.data import JobKind, Origin, RowOutcome, Verb, Word
from program_enrollments.models import CourseRun, Job, Program, StagedRow


def write_rows(
    *,
    job: Job,
    program: Program,
    rows: Sequence[StagedRow],
    origin: Origin,
    identity_reach: Callable[[], Reach],
    now: datetime,
) -> dict[int, RowOutcome]:
    """Write staged rows in the current transaction, and return each one's outcome by its number."""
    if not rows:
        return {}
    if job.kind == JobKind.COURSE_ENROLLMENTS:
        return _write_courses(program, rows, origin, identity_reach, now)
    requests = [program_request(row) for row in rows]
    prepared = _prepare(program, rows, requests, now)
    write = ProgramWrite(
        program=program,
        rows=requests,
        identities=prepared.identities,
        curricula=fetch_curricula(program=program),
        verb=Verb.UPSERT,
        move_curriculum=False,
        cascade=job.cascade,
        origin=origin,
        identity_reach=identity_reach,
        now=now,
    )
    return _write(write.write_chunk, rows, prepared)


def _write_courses(
    program: Program,
    rows: Sequence[StagedRow],
    origin: Origin,
    identity_reach: Callable[[], Reach],
    now: datetime,
) -> dict[int, RowOutcome]:
    by_run: dict[int, list[StagedRow]] = defaultdict(list)
    for row in rows:
        if row.course_run_id is not None:
            by_run[row.course_run_id].append(row)
    runs = CourseRun.objects.in_bulk(by_run)
    outcomes: dict[int, RowOutcome] = {}
    for run_id, of_run in sorted(by_run.items()):
        requests = [course_request(row) for row in of_run]
        prepared = _prepare(program, of_run, requests, now)
        write = CourseWrite(
            program=program,
            course_run=runs[run_id],
            rows=requests,
            identities=prepared.identities,
            verb=Verb.UPSERT,
            origin=origin,
            identity_reach=identity_reach,
            now=now,
        )
        outcomes |= _write(write.write_chunk, of_run, prepared)
    return outcomes


def _prepare(
    program: Program, rows: Sequence[StagedRow], requests: Sequence[EnrollmentRequest], now: datetime
) -> PreparedRows:
    """Check the rows' identities as things are now. Leavers may have lost their ID to somebody else."""
    leaves = any(row.line is None for row in rows)
    return prepare_rows(school_id=program.school_id, rows=requests, allow_pseudonyms=leaves, now=now)


def _write(
    write_chunk: Callable[[Sequence[int]], dict[int, RowOutcome]], rows: Sequence[StagedRow], prepared: PreparedRows
) -> dict[int, RowOutcome]:
    good: Iterable[int] = (
        number
        for number, identity in enumerate(prepared.identities)
        if number not in prepared.duplicates and identity.valid
    )
    written = write_chunk(list(good))
    outcomes = {}
    for number, row in enumerate(rows):
        word = Word.DUPLICATED if number in prepared.duplicates else Word.INVALID_IDENTITY
        outcomes[row.number] = written.get(number, RowOutcome(str(row.number), word.value, False, row.before))
    return outcomes
