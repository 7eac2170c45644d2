"""The check: a file's lines become staging rows, and those that name one person twice are found.

Lines are staged in short transactions, in the order of the file. What a line alone shows to be wrong is noted there and
then; set-based statements find the rest over the whole file.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from threading import Lock
from typing import Any, BinaryIO, NamedTuple

from program_enrollments.api.access import is_named
from program_enrollments.api.enrollments.calls import resolve_identities
from program_enrollments.api.jobs.claims import commit_step
from program_enrollments.api.jobs.formats import open_lines, records_behind
from program_enrollments.api.jobs.inputs import open_input, raise_for_storage
from program_enrollments.api.jobs.lines import SPACING, ReadLine, read_line
from program_enrollments.api.jobs.rekey_lines import read_rekey_line, stage_rekeys
from program_enrollments.api.jobs.staging import insert_staged
from program_enrollments.api.learners.email_domains import fetch_email_domains
from program_enrollments.api.learners.identity import Identity
from program_enrollments.data import JobKind, Word
from program_enrollments.models import CourseRun, Job, JobPhase, Learner
from program_enrollments.sql.bulk import select_rows
from program_enrollments.tabular_files import Record, describe_damage

BATCH = 1_000
"""Lines that are staged in one transaction."""

MAX_READERS = 8


class _Reader(NamedTuple):
    """A file that is being read: the stream, its records, and how many were taken."""

    file: BinaryIO
    records: Iterator[Record]
    taken: int


class _Readers:
    """The files that this process has open between two slices, by job."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._open: OrderedDict[int, _Reader] = OrderedDict()

    def take(self, job: Job) -> _Reader:
        """Return a reader that stands at the job's cursor: the one left open, or a new one."""
        with self._lock:
            reader = self._open.pop(job.pk, None)
        if reader is not None and reader.taken == job.cursor:
            return reader
        if reader is not None:
            reader.file.close()
        file = open_input(name=job.input_name)
        try:
            records = records_behind(open_lines(kind=job.kind, file=file), count=job.cursor)
        except BaseException as error:
            file.close()
            raise_for_storage(error)
            raise
        return _Reader(file, records, job.cursor)

    def put(self, job: Job, reader: _Reader) -> None:
        """Leave a reader open for the job's next batch."""
        with self._lock:
            self._open[job.pk] = reader
            oldest = self._open.popitem(last=False)[1] if len(self._open) > MAX_READERS else None
        if oldest is not None:
            oldest.file.close()

    def close(self) -> None:
        """Close all files."""
        with self._lock:
            readers, self._open = list(self._open.values()), OrderedDict()
        for reader in readers:
            reader.file.close()


_readers = _Readers()


def forget_readers() -> None:
    """Close the files that this process has open between slices: the next slice opens its file anew."""
    _readers.close()


def read_batch(job: Job, *, now: datetime) -> None:
    """Stage the next lines of the job's file; behind the last one the next phase begins.

    Raises InvalidFile for a file that cannot be read on, StorageUnavailable, JobTaken.
    """
    reader = _readers.take(job)
    try:
        batch = list(islice(reader.records, BATCH))
    except BaseException as error:
        reader.file.close()
        raise_for_storage(error)
        raise
    if not batch:
        reader.file.close()
        commit_step(job, cursor=0, phase=JobPhase.DUPLICATES.value)
        return
    checked = _check_rekeys(job, batch, now) if job.kind == JobKind.STUDENT_KEYS else _check_lines(job, batch, now)
    total = job.cursor + len(batch)
    commit_step(
        job,
        cursor=total,
        work=lambda: _insert(checked.staged),
        total=total,
        holds_removals=job.holds_removals or checked.hides_identity,
        is_staged=True,
        notes=_with_damage(job.notes, checked.names),
    )
    _readers.put(job, reader._replace(taken=total))


class _Checked(NamedTuple):
    """What was found in some records: staging rows, and the student IDs in them with their lines."""

    staged: list[tuple[Any, ...]]
    names: Iterable[tuple[int, str]]
    hides_identity: bool = False


def _check_lines(job: Job, records: Iterable[Record], now: datetime) -> _Checked:
    runs = RunIndex.of(job) if job.kind == JobKind.COURSE_ENROLLMENTS else None
    find_run = runs.find if runs is not None else None
    rows = [read_line(kind=job.kind, record=record, find_run=find_run) for record in records]
    staged, hides = _stage(job, rows, now)
    return _Checked(staged, ((row.line, row.request.student_key) for row in rows), hides)


def _check_rekeys(job: Job, records: Iterable[Record], now: datetime) -> _Checked:
    lines = list(map(read_rekey_line, records))
    names = ((line.line, key) for line in lines for key in (line.old, line.new))
    return _Checked(stage_rekeys(job, lines, now=now), names)


def _with_damage(notes: list[str], names: Iterable[tuple[int, str]]) -> list[str]:
    """Return a job's notes, with a warning of the first ID that a spreadsheet seems to have changed."""
    damaged = (f"Line {line}: {advice}" for line, student_key in names if (advice := describe_damage(student_key)))
    note = next(damaged, "")
    is_new = note and not any(known.endswith(note.partition(": ")[2]) for known in notes)
    return [*notes, note] if is_new else notes


def _insert(staged: Sequence[Sequence[Any]]) -> dict[str, Any]:
    insert_staged(staged)
    return {}


def _stage(job: Job, rows: Sequence[ReadLine], now: datetime) -> tuple[list[tuple[Any, ...]], bool]:
    """Return the values of staging rows, with the person that each line names as things are.

    Also return whether a line hides whom it is about.
    """
    requests = [row.request for row in rows]
    domains = fetch_email_domains(school_id=job.school_id)
    identities = resolve_identities(
        school_id=job.school_id, requests=requests, domains=domains, allow_pseudonyms=False, now=now
    )
    owners = _fetch_owners(job, identities)
    staged, hides = [], False
    for place, (row, identity) in enumerate(zip(rows, identities, strict=True), job.cursor + 1):
        name, email = ("", "") if row.hides_identity else (identity.student_key_normalized, identity.email_normalized)
        hides = hides or not (name or email)
        owner = owners.get(email) if email else None
        word = row.word
        if not word and not identity.valid:
            word = Word.INVALID_IDENTITY.value
        staged.append(
            (
                job.pk,
                place * SPACING,
                row.line,
                row.request.student_key,
                row.request.email,
                row.request.status,
                row.detail_column,
                row.course_key,
                row.course_run_id,
                name or owner or "",
                email,
                owner if name and owner and owner != name else "",
                bool(name and email and owner != name),
                word,
                row.detail,
                False,
                None,
                None,
            )
        )
    return staged, hides


def _fetch_owners(job: Job, identities: Sequence[Identity]) -> Mapping[str, str]:
    """Return, by address, the student ID of the learner who has it now; "" if that learner has none."""
    emails = {identity.email_normalized for identity in identities if identity.email_normalized}
    found = select_rows(
        Learner,
        fields=("email_normalized", "student_key_normalized"),
        among=("email_normalized", emails),
        school=job.school_id,
    )
    return {email: student_key or "" for email, student_key in found}


@dataclass(frozen=True, slots=True)
class RunIndex:
    """The course runs of a program, by each key that names them."""

    by_key: Mapping[str, Sequence[CourseRun]]

    @classmethod
    def of(cls, job: Job) -> RunIndex:
        """Return the runs of the job's program. One statement."""
        by_key: dict[str, list[CourseRun]] = {}
        for run in CourseRun.objects.filter(curricula__program_id=job.program_pk).distinct():
            for key in {run.course_id, run.external_key} - {""}:
                by_key.setdefault(key, []).append(run)
        return cls(by_key)

    def find(self, key: str) -> Sequence[CourseRun]:
        """Return the runs that a key may mean: one that has it as its course key comes alone."""
        runs = self.by_key.get(key, ())
        exact = [run for run in runs if run.course_id == key]
        return exact or [run for run in runs if is_named(run=run, key=key)]
