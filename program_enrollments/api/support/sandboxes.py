"""Sandboxes: schools for practice, whose learners never reach the platform or a mailbox (ADR 0031)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from uuid import uuid5

from django.db.models import QuerySet
from django.utils.translation import gettext_noop as _

from program_enrollments.api.catalog.load import CatalogOutcome, load_catalog
from program_enrollments.api.jobs.retention import forget_jobs
from program_enrollments.api.learners.locks import lock_learners
from program_enrollments.api.transactions import in_transaction
from program_enrollments.catalog_sources.values import CatalogCourseRun, CatalogCurriculum, CatalogProgram
from program_enrollments.conf import get_setting
from program_enrollments.data import ENDED_STATES, JobState
from program_enrollments.exceptions import SandboxRefused, SchoolDoesNotExist
from program_enrollments.models import (
    CourseRun,
    Curriculum,
    CurriculumCourseRun,
    FrozenGrade,
    GradeAcknowledgement,
    GradeBook,
    GradeFreeze,
    Job,
    KeptAnswer,
    Learner,
    LedgerEntry,
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
    Program,
    ProgramSummary,
    School,
    SchoolEmailDomain,
)
from program_enrollments.sentences import known

HAS_LEARNERS = _(
    "This school has learners. Only a school without any can become one for practice, or stop being one. "
    "The command empty_sandbox deletes what was practised."
)
NO_SANDBOX = known(_("The school %(key)s is not for practice."))
OF_A_SANDBOX = known(_("The school %(key)s is for practice itself. Name the school that it stands for."))
BUSY = _("A file of this school is being worked on. Wait until it has ended, or cancel it.")

SUFFIX = "-sandbox"
ENTRIES_AT_ONCE = 5_000

COPIED = ("logo_url", "primary_color", "text_color", "guard_minimum", "guard_percent", "time_zone")
"""What a sandbox has of its school; contacts and documents are left out, because real people are behind them."""


@dataclass(frozen=True, slots=True)
class MadeSandbox:
    """A sandbox, whether it is new, and what became of each program of the school that it stands for."""

    school: School
    is_new: bool
    programs: tuple[CatalogOutcome, ...]


@dataclass(frozen=True, slots=True)
class EmptiedSandbox:
    """How much was deleted."""

    learners: int
    jobs: int
    changes: int


def check_sandbox_change(*, school_id: int) -> None:
    """Raise SandboxRefused unless a school can become one for practice, or stop being one.

    Holds the school's row until the caller's transaction ends, so that no learner comes meanwhile.
    """
    School.objects.select_for_update().get(pk=school_id)
    if Learner.objects.filter(school_id=school_id).exists():
        raise SandboxRefused(HAS_LEARNERS)


def make_sandbox(*, school_key: str, sandbox_key: str = "") -> MadeSandbox:
    """Make a school for practice with a copy of another's programs, or bring that copy up to date.

    The copies have UUIDs of their own, which are the same each time, and the same keys and course runs. `sandbox_key`
    is the school's key with `-sandbox` by default. Raises SchoolDoesNotExist, and SandboxRefused if that key is a
    school's that is not for practice, or if `school_key` is a sandbox's.
    """
    original = School.objects.filter(key=school_key).first()
    if original is None:
        raise SchoolDoesNotExist
    if original.is_sandbox:
        raise SandboxRefused(OF_A_SANDBOX % {"key": original.key})
    key = sandbox_key or f"{original.key}{SUFFIX}"

    def work() -> tuple[School, bool]:
        values = {name: getattr(original, name) for name in COPIED}
        values |= {"name": f"{original.name[:240]} (practice)", "is_sandbox": True}
        school, is_new = School.objects.get_or_create(key=key, defaults=values)
        if not school.is_sandbox:
            raise SandboxRefused(NO_SANDBOX % {"key": key})
        if is_new:
            SchoolEmailDomain.objects.bulk_create(
                SchoolEmailDomain(school=school, domain=domain, domain_normalized=normalized)
                for domain, normalized in original.email_domains.values_list("domain", "domain_normalized")
            )
        return school, is_new

    school, is_new = in_transaction(work)
    return MadeSandbox(school, is_new, tuple(load_catalog(programs=_copies(original, sandbox_key=key))))


def _copies(school: School, *, sandbox_key: str) -> Iterator[CatalogProgram]:
    """Yield the school's programs as the sandbox has them. Three statements per program."""
    for program in Program.objects.filter(school=school).order_by("pk"):
        runs: dict[int, list[CatalogCourseRun]] = {}
        links = CurriculumCourseRun.objects.filter(curriculum__program=program).select_related("course_run")
        for link in links.order_by("pk"):
            runs.setdefault(link.curriculum_id, []).append(_described(link.course_run))
        yield CatalogProgram(
            uuid=uuid5(program.uuid, sandbox_key),
            fields={"key": program.key, "title": program.title, "type": program.type, "url": program.url},
            school_keys=(sandbox_key,),
            curricula=tuple(
                CatalogCurriculum(
                    uuid=uuid5(curriculum.uuid, sandbox_key),
                    fields={"name": curriculum.name, "is_active": curriculum.is_active},
                    course_runs=tuple(runs.get(curriculum.pk, ())),
                )
                for curriculum in Curriculum.objects.filter(program=program).order_by("pk")
            ),
        )


def _described(run: CourseRun) -> CatalogCourseRun:
    # Without fields: the course run is there, and the catalog alone describes it.
    return CatalogCourseRun(course_id=run.course_id, fields={})


def empty_sandbox(*, school_key: str, progress: Callable[[int, int], None] | None = None) -> EmptiedSandbox:
    """Delete what was practised at a school: learners, enrollments, files, frozen grades and the ledger.

    Programs, grants, feeds and endpoints stay, and positions in the feed of changes go on from where they were. In
    short transactions; `progress` is called after each batch with the number of learners in it, and the total at the
    start. Raises SchoolDoesNotExist, and SandboxRefused
    if the school is not for practice or a file is being worked on.
    """
    school = School.objects.filter(key=school_key).first()
    if school is None:
        raise SchoolDoesNotExist
    if not school.is_sandbox:
        raise SandboxRefused(NO_SANDBOX % {"key": school.key})
    if Job.objects.filter(school=school).exclude(state__in=[*ENDED_STATES, JobState.HELD]).exists():
        raise SandboxRefused(BUSY)
    programs = Program.objects.filter(school=school)
    jobs = forget_jobs(school_id=school.pk)
    in_transaction(partial(_forget_grades, programs))
    total = Learner.objects.filter(school=school).count()
    gone = changes = 0
    while ids := list(
        Learner.objects.filter(school=school).order_by("pk").values_list("pk", flat=True)[: get_setting("CHUNK_SIZE")]
    ):
        changes += in_transaction(partial(_forget_learners, ids))
        gone += len(ids)
        if progress:
            progress(len(ids), total)
    for program in programs:
        changes += _forget_rest(LedgerEntry.objects.filter(program=program))
    ProgramSummary.objects.filter(program__in=programs).delete()
    # An answer that is repeated would name learners who are gone.
    KeptAnswer.objects.filter(school=school).delete()
    return EmptiedSandbox(learners=gone, jobs=jobs, changes=changes)


def _forget_grades(programs: QuerySet[Program]) -> None:
    books = GradeBook.objects.filter(program__in=programs)
    GradeAcknowledgement.objects.filter(grade__freeze__book__in=books).delete()
    FrozenGrade.objects.filter(freeze__book__in=books).delete()
    GradeFreeze.objects.filter(book__in=books).delete()
    books.delete()


def _forget_learners(ids: list[int]) -> int:
    """Delete learners with their enrollments, and return how many entries of the ledger went with them."""
    lock_learners(ids=ids)
    PreemptiveCourseEnrollment.objects.filter(learner__in=ids).delete()
    PreemptiveProgramEnrollment.objects.filter(learner__in=ids).delete()
    changes, _models = LedgerEntry.objects.filter(learner__in=ids).delete()
    Learner.objects.filter(pk__in=ids).delete()
    return changes


def _forget_rest(entries: QuerySet[LedgerEntry]) -> int:
    gone = 0
    while ids := list(entries.order_by("pk").values_list("pk", flat=True)[:ENTRIES_AT_ONCE]):
        gone += in_transaction(entries.filter(pk__in=ids).delete)[0]
    return gone
