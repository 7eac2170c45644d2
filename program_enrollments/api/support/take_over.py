"""Take-over: enrollments that another app of the host kept so far become this app's.

Rows are written as any bulk write is, and linked to the accounts that the other app knew. To take over twice is to take
over once, so it can be repeated until the switch.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, TypeVar
from uuid import UUID

from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from program_enrollments.api.enrollments.courses import write_course_enrollments
from program_enrollments.api.enrollments.programs import write_program_enrollments
from program_enrollments.api.learners.evidence import fetch_sign_ons, fetch_slugs
from program_enrollments.api.pieces import cut
from program_enrollments.api.support.corrections import link_learner
from program_enrollments.api.transactions import rehearse
from program_enrollments.conf import get_setting
from program_enrollments.data import (
    CourseEnrollmentRequest,
    LinkHow,
    Origin,
    ProgramEnrollmentRequest,
    RowOutcome,
    Verb,
)
from program_enrollments.exceptions import LinkRefused
from program_enrollments.host import get_host
from program_enrollments.models import CourseRun, Learner, Program
from program_enrollments.normalization import normalize_identity

T = TypeVar("T")


class EarlierCourse(NamedTuple):
    """A course enrollment as the other app has it; `reference` is its ID there."""

    reference: int
    course_id: str
    status: str
    course_staff: bool | None = None


@dataclass(frozen=True, slots=True)
class EarlierEnrollment:
    """A program enrollment as the other app has it; `reference` is its ID there.

    `student_key` is empty if only the account is known, `user_id` None if there is no account yet.
    """

    reference: int
    program_uuid: UUID
    curriculum_uuid: UUID
    student_key: str
    user_id: int | None
    status: str
    courses: tuple[EarlierCourse, ...] = ()


class TakeOverProblem(TextChoices):
    """Why something could not be taken over, besides the words that refuse a row of any write."""

    PROGRAM_UNKNOWN = "program-unknown", _("the catalog has no such program")
    RUN_UNKNOWN = "run-unknown", _("no curriculum of the program has this course run")
    NO_IDENTITY = "no-identity", _("neither a student ID nor a confirmed address is known")
    OTHER_ACCOUNT = "other-account", _("the learner is linked to another account here")
    LINK_REFUSED = "link-refused", _("the account could not be linked")


class NotTaken(NamedTuple):
    """What could not be taken over: `kind` is `program` or `course`, `reference` its ID in the other app."""

    kind: str
    reference: int
    problem: str
    detail: str


@dataclass(slots=True)
class TakeOver:
    """What one take-over did: rows that changed something here, rows that are here already, and the rest."""

    changed: Counter[str] = field(default_factory=Counter)
    unchanged: Counter[str] = field(default_factory=Counter)
    linked: int = 0
    not_taken: list[NotTaken] = field(default_factory=list)
    differing: list[tuple[str, int]] = field(default_factory=list)

    def refuse(self, kind: str, reference: int, problem: str, detail: object = "") -> None:
        """Note what could not be taken over."""
        known = TakeOverProblem(problem).label if problem in TakeOverProblem.values else ""
        self.not_taken.append(NotTaken(kind, reference, problem, str(detail or known)))

    def note(self, kind: str, outcomes: Iterable[RowOutcome]) -> set[int]:
        """Count what became of the rows of one write; return the references of the good ones."""
        good = set()
        for outcome in outcomes:
            reference = int(outcome.key)
            if not outcome.good:
                self.refuse(kind, reference, outcome.word, outcome.detail)
                continue
            good.add(reference)
            if outcome.changed:
                self.changed[kind] += 1
                self.differing.append((kind, reference))
            else:
                self.unchanged[kind] += 1
        return good


def take_over_enrollments(
    *, enrollments: Sequence[EarlierEnrollment], origin: Origin, dry_run: bool = False, now: datetime | None = None
) -> TakeOver:
    """Write these enrollments, link their learners to the accounts, and return what became of them.

    A learner who is linked to another account here keeps it. Each learner may be named once per program. With `dry_run`
    nothing is written and the host is not told. Raises WriteInterrupted in an outage: what was written stands, and the
    same call can be repeated.
    """
    report, moment = TakeOver(), now or timezone.now()
    by_program: defaultdict[UUID, list[EarlierEnrollment]] = defaultdict(list)
    for enrollment in enrollments:
        by_program[enrollment.program_uuid].append(enrollment)
    programs = Program.objects.in_bulk(by_program.keys(), field_name="uuid")
    for uuid, rows in by_program.items():
        program = programs.get(uuid)
        if program is None:
            for row in rows:
                report.refuse("program", row.reference, TakeOverProblem.PROGRAM_UNKNOWN)
            continue
        taking = _Taking(program, origin, moment, report)
        run: Callable[[Callable[[], None]], None] = rehearse if dry_run else _at_once
        for piece in cut(rows, size=min(get_setting("CHUNK_SIZE"), get_setting("MAX_ROWS"))):
            run(lambda piece=piece, taking=taking: taking.take(piece))  # type: ignore[misc]
    return report


def _at_once(work: Callable[[], T]) -> T:
    return work()


@dataclass(frozen=True, slots=True)
class _Taking:
    """One program's part of a take-over."""

    program: Program
    origin: Origin
    now: datetime
    report: TakeOver

    def take(self, rows: Sequence[EarlierEnrollment]) -> None:
        identities = self._identify(rows)
        outcomes = write_program_enrollments(
            program=self.program,
            rows=[
                ProgramEnrollmentRequest(
                    str(row.reference), *identities[row.reference], row.status, row.curriculum_uuid
                )
                for row in rows
                if row.reference in identities
            ],
            verb=Verb.UPSERT,
            move_curriculum=True,
            origin=self.origin,
            now=self.now,
        )
        good = self.report.note("program", outcomes)
        taken = [row for row in rows if row.reference in good]
        self._link(taken, identities)
        self._take_courses(taken, identities)

    def _identify(self, rows: Sequence[EarlierEnrollment]) -> dict[int, tuple[str, str]]:
        """Return (student ID, address) per reference; those of accounts without ID are looked up."""
        bare = {row.user_id for row in rows if not row.student_key and row.user_id is not None}
        sign_ons = fetch_sign_ons(slugs=fetch_slugs(school_id=self.program.school_id, linking_only=True), user_ids=bare)
        keys = _unique((sign_on.user_id, sign_on.uid.partition(":")[2]) for sign_on in sign_ons)
        emails = get_host().accounts.confirmed_emails(user_ids=bare - keys.keys()) if bare - keys.keys() else {}
        identities = {}
        for row in rows:
            user_id = -1 if row.user_id is None else row.user_id
            student_key = row.student_key or keys.get(user_id, "")
            email = "" if student_key else emails.get(user_id, "")
            if student_key or email:
                identities[row.reference] = (student_key, email)
            else:
                self.report.refuse("program", row.reference, TakeOverProblem.NO_IDENTITY)
        return identities

    def _link(self, rows: Sequence[EarlierEnrollment], identities: Mapping[int, tuple[str, str]]) -> None:
        """Link the learners of accounts; most were linked by their sign-ons when they were written."""
        having_account = [row for row in rows if row.user_id is not None]
        learners = self._fetch_learners(identities[row.reference] for row in having_account)
        for row in having_account:
            learner_id, user_id = learners.get(_name(*identities[row.reference]), (None, None))
            if learner_id is None or row.user_id is None or user_id == row.user_id:
                continue
            if user_id is not None:
                self.report.refuse("program", row.reference, TakeOverProblem.OTHER_ACCOUNT)
                continue
            try:
                done = link_learner(
                    learner_id=learner_id,
                    user_id=row.user_id,
                    origin=self.origin,
                    how=LinkHow.COMMAND.value,
                    now=self.now,
                )
                self.report.linked += done.linked
            except LinkRefused as refused:
                self.report.refuse("program", row.reference, TakeOverProblem.LINK_REFUSED, refused.detail)

    def _fetch_learners(self, identities: Iterable[tuple[str, str]]) -> dict[str, tuple[int, int | None]]:
        names = {_name(*identity) for identity in identities}
        if not names:
            return {}
        learners = Learner.objects.filter(school_id=self.program.school_id)
        found = {}
        for field_name in ("email_normalized", "student_key_normalized"):
            rows = learners.filter(**{f"{field_name}__among": names}).values_list(field_name, "pk", "user_id")
            found.update({name: (pk, user_id) for name, pk, user_id in rows})
        return found

    def _take_courses(self, rows: Sequence[EarlierEnrollment], identities: Mapping[int, tuple[str, str]]) -> None:
        by_course: defaultdict[str, list[CourseEnrollmentRequest]] = defaultdict(list)
        for row in rows:
            for course in row.courses:
                by_course[course.course_id].append(
                    CourseEnrollmentRequest(
                        str(course.reference), *identities[row.reference], course.status, course.course_staff
                    )
                )
        runs = self._fetch_runs(by_course.keys())
        for course_id, requests in sorted(by_course.items()):
            run = runs.get(course_id)
            if run is None:
                for request in requests:
                    self.report.refuse("course", int(request.key), TakeOverProblem.RUN_UNKNOWN)
                continue
            outcomes = write_course_enrollments(
                program=self.program,
                course_run=run,
                rows=requests,
                verb=Verb.UPSERT,
                origin=self.origin,
                now=self.now,
            )
            self.report.note("course", outcomes)

    def _fetch_runs(self, course_ids: Collection[str]) -> dict[str, CourseRun]:
        runs = CourseRun.objects.filter(course_id__in=course_ids, curricula__program=self.program).distinct()
        return {run.course_id: run for run in runs}


def _name(student_key: str, email: str) -> str:
    return normalize_identity(student_key or email)


def _unique(pairs: Iterable[tuple[int, str]]) -> dict[int, str]:
    """Return the value of each key that has only one."""
    found: defaultdict[int, dict[str, str]] = defaultdict(dict)
    for key, value in pairs:
        found[key].setdefault(normalize_identity(value), value)
    return {key: next(iter(values.values())) for key, values in found.items() if len(values) == 1}
