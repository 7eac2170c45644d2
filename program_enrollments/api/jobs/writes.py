"""Writes: the one place where jobs call the write pipeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from program_enrollments.api.access import Reach
from program_enrollments.api.enrollments.calls import resolve_identities
from program_enrollments.api.enrollments.courses import CourseWrite
from program_enrollments.api.enrollments.pipeline import EnrollmentWrite, write_chunk
from program_enrollments.api.enrollments.programs import ProgramWrite, fetch_curricula
from program_enrollments.api.enrollments.rows import CourseRow, ProgramRow, Row
from program_enrollments.api.jobs.requests import course_request, program_request
from program_enrollments.api.jobs.staging import AnyStaged
from program_enrollments.api.learners.hand_overs import find_hand_overs
from program_enrollments.api.learners.identity import EnrollmentRequest, Identity
from program_enrollments.api.learners.people import Person
from program_enrollments.data import JobKind, Origin, RowOutcome, Verb, Word
from program_enrollments.models import Job, Program

Finish = Callable[[Mapping[int, RowOutcome]], object]
"""Takes what became of the rows, by number, in the transaction that wrote them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileWrite:
    """What a job writes: staged rows, made into rows of the pipeline."""

    job: Job
    program: Program
    domains: frozenset[str]
    origin: Origin
    identity_reach: Callable[[], Reach]
    now: datetime

    def write(self, staged: Sequence[AnyStaged], finish: Finish) -> None:
        """Write staged rows in the current transaction, and let `finish` do what is committed with them."""
        if self.job.kind == JobKind.COURSE_ENROLLMENTS:
            self._write_courses(staged, finish)
        else:
            self._write_programs(staged, finish)

    def _write_programs(self, staged: Sequence[AnyStaged], finish: Finish) -> None:
        requests = [program_request(row) for row in staged]
        people = self._people(staged, requests)
        rows = [
            ProgramRow(request, person, row.number)
            for row, request, person in zip(staged, requests, people, strict=True)
        ]
        write = ProgramWrite(
            program=self.program,
            curricula=fetch_curricula(program=self.program),
            verb=Verb.UPSERT,
            move_curriculum=False,
            cascade=self.job.cascade,
            origin=self.origin,
            identity_reach=self.identity_reach,
            now=self.now,
        )
        self._run(write, rows, finish)

    def _write_courses(self, staged: Sequence[AnyStaged], finish: Finish) -> None:
        requests = [course_request(row) for row in staged]
        people = self._people(staged, requests)
        rows = [
            CourseRow(request, person, row.number, run_id=row.course_run_id or 0, course_id=row.course_key)
            for row, request, person in zip(staged, requests, people, strict=True)
        ]
        write = CourseWrite(
            program=self.program,
            verb=Verb.UPSERT,
            origin=self.origin,
            identity_reach=self.identity_reach,
            now=self.now,
        )
        self._run(write, rows, finish)

    def _people(self, staged: Sequence[AnyStaged], requests: Sequence[EnrollmentRequest]) -> list[Person]:
        """Return whom each row names; rows about one learner share the person.

        Leavers may have lost their ID, and be known by a pseudonym since.
        """
        identities = resolve_identities(
            school_id=self.job.school_id,
            requests=requests,
            domains=self.domains,
            allow_pseudonyms=any(row.line is None for row in staged),
            now=self.now,
        )
        known: dict[str, Person] = {}
        people = []
        for identity in identities:
            name = identity.student_key_normalized or f"@{identity.email_normalized}"
            person = known.get(name)
            if person is None:
                person = known.setdefault(name, Person(identity))
            elif identity.email_normalized and not person.identity.email_normalized:
                person.identity = identity
            elif _says_otherwise(identity, person.identity):
                # Which of two addresses is right nobody can tell.
                person = Person(identity._replace(valid=False))
                person.detail = _(
                    "The file has several addresses for this student ID. Send one address per student ID."
                )
            people.append(person)
        find_hand_overs(school_id=self.job.school_id, people=list(known.values()))
        return people

    def _run(self, write: EnrollmentWrite[Any], rows: Sequence[Row[Any, Any]], finish: Finish) -> None:
        """Send rows through the pipeline; those that are refused whatever is stored go past it."""
        refused: dict[int, RowOutcome] = {}
        good = []
        for row in rows:
            row.word = write.refuse_early(row) or ("" if row.person.identity.valid else Word.INVALID_IDENTITY.value)
            if row.word:
                row.detail = str(row.person.detail)
                refused[row.number] = row.outcome
            else:
                good.append(row)

        def sink(written: Sequence[Row[Any, Any]]) -> None:
            finish(refused | {row.number: row.outcome for row in written})

        write_chunk(write, good, sink)


def _says_otherwise(identity: Identity, other: Identity) -> bool:
    return bool(identity.email_normalized) and identity.email_normalized != other.email_normalized
