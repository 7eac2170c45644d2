"""The guard: a file that would remove more than a school allows is held for a person."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db.models import Count, Q
from django.utils.translation import gettext_noop as _

from program_enrollments.api.jobs.announcements import announce
from program_enrollments.api.jobs.claims import commit_step, hold_step
from program_enrollments.api.jobs.outcomes import insert_job_rows, planned_row
from program_enrollments.api.jobs.removals import FIRST_LEAVER, statuses_of
from program_enrollments.data import JobKind, JobMode, JobState
from program_enrollments.models import CourseRun, Job, JobPhase, School, StagedRow
from program_enrollments.sentences import known

NO_ROWS = known(_("The snapshot has no rows."))
NO_USABLE_ROWS = known(_("The snapshot has no row that can be used."))
SOMEBODY_UNKNOWN = known(_("A line does not say whom it is about, so nobody can tell who is missing."))
SUPERSEDED = known(_("The newer snapshot of job %(job)d took its place."))
OVER_LIMIT = {
    (False, False): known(
        _(
            "The file would remove %(removals)d of %(present)d who are present; %(limit)d are allowed without a "
            "decision."
        )
    ),
    (False, True): known(
        _(
            "The file would remove %(removals)d of %(present)d who are present, after %(recent)d in the last seven "
            "days; %(limit)d are allowed without a decision."
        )
    ),
    (True, False): known(
        _(
            "The file would remove %(removals)d of %(present)d who are present in one of %(scopes)d scopes; %(limit)d "
            "are allowed without a decision."
        )
    ),
    (True, True): known(
        _(
            "The file would remove %(removals)d of %(present)d who are present in one of %(scopes)d scopes, after "
            "%(recent)d in the last seven days; %(limit)d are allowed without a decision."
        )
    ),
}
"""Why a file is over the limit, by whether it is so in several scopes, and whether earlier files count."""

REMEMBERED = timedelta(days=7)
"""How far back removals by files count together."""

PLANNED_AT_ONCE = 1_000
PROGRAM_SCOPE = 0


@dataclass(frozen=True, slots=True)
class Scope:
    """A program, or a course run in it: how many a file removes there, of how many, and how many it may."""

    course_run_id: int | None
    removals: int
    recent: int
    present: int
    limit: int
    leaves_nobody: bool

    @property
    def is_over(self) -> bool:
        """Whether this alone is a reason to hold the file."""
        return self.removals > 0 and (self.removals + self.recent > self.limit or self.leaves_nobody)


def weigh(job: Job, *, now: datetime) -> None:
    """Hold the job, or let it be applied. Raises JobTaken."""
    scopes = _fetch_scopes(job, now)
    reasons = _find_reasons(job, scopes)
    removals = sum(scope.removals for scope in scopes)
    if not reasons:
        commit_step(
            job,
            cursor=0,
            work=lambda: _supersede_older(job, now),
            phase=JobPhase.APPLY.value,
            state=JobState.RUNNING.value,
            removals=removals,
        )
        return
    shown = [scope for scope in scopes if scope.is_over] or [scope for scope in scopes if scope.removals] or scopes
    held = {"scopes": _describe(shown), "effects": digest_effects(job)}
    message = " ".join(reasons)[:1000]
    if job.dry_run:
        commit_step(
            job,
            cursor=0,
            phase=JobPhase.APPLY.value,
            state=JobState.RUNNING.value,
            removals=removals,
            held=held,
            message=message,
        )
        return
    _list_removals(job)
    commit_step(
        job,
        cursor=0,
        phase=JobPhase.APPLY.value,
        state=JobState.HELD.value,
        removals=removals,
        held=held,
        message=message,
    )


def _fetch_scopes(job: Job, now: datetime) -> list[Scope]:
    school = School.objects.get(pk=job.school_id)
    rows = StagedRow.objects.filter(job_id=job.pk).order_by()
    by_run = rows.values_list("course_run_id")
    removals = Counter(dict(by_run.filter(removes=True).annotate(n=Count("number"))))
    statuses = statuses_of(job)
    staying = set(rows.filter(word="", status__in=statuses.present).values_list("course_run_id", flat=True).distinct())
    run_ids: Sequence[int | None] = [None]
    present: Counter[int | None] = Counter()
    for table in statuses.tables:
        of_program = table._default_manager.filter(program_id=job.program_pk, status__in=statuses.present).order_by()
        if job.kind == JobKind.COURSE_ENROLLMENTS:
            run_ids = sorted(rows.filter(course_run__isnull=False).values_list("course_run_id", flat=True).distinct())
            counted = of_program.filter(course_run_id__in=run_ids).values_list("course_run_id")
            present.update(dict(counted.annotate(n=Count("pk"))))
        else:
            present[None] += of_program.count()
    recent = _fetch_recent(job, now)
    return [
        Scope(
            course_run_id=run_id,
            removals=removals[run_id],
            recent=recent[run_id or PROGRAM_SCOPE],
            present=present[run_id],
            limit=max(school.guard_minimum, present[run_id] * school.guard_percent // 100),
            leaves_nobody=removals[run_id] >= present[run_id] and run_id not in staying,
        )
        for run_id in run_ids
    ]


def _fetch_recent(job: Job, now: datetime) -> Counter[int]:
    """Return how many files removed in the last days, by course run; the program's own under 0.

    One statement.
    """
    # One without an end has failed in its middle, and was resumed.
    lately = Q(finished__gte=now - REMEMBERED) | Q(finished__isnull=True)
    others = Job.objects.filter(lately, program_id=job.program_pk, dry_run=False).exclude(removed={})
    # What an undo brought back does not count, and what an undo of the undo took away again does. An undo comes after
    # what it undoes, and that of an older file counts as little as the file.
    counted: dict[int, dict[str, int]] = {}
    for other in others.exclude(pk=job.pk).order_by("pk").only("pk", "undoes", "removed"):
        if other.undoes_id is None or other.undoes_id in counted:
            counted[other.pk] = other.removed
    recent: Counter[int] = Counter()
    for removed in counted.values():
        recent.update({int(run_id): count for run_id, count in removed.items()})
    return recent


def _find_reasons(job: Job, scopes: Iterable[Scope]) -> list[str]:
    """Return why the job has to be held, in sentences for people; none if it may go on."""
    scopes = list(scopes)
    over = [scope for scope in scopes if scope.is_over]
    reasons = []
    if job.mode == JobMode.SNAPSHOT:
        lines = StagedRow.objects.filter(job_id=job.pk, number__lt=FIRST_LEAVER)
        if not job.total:
            reasons.append(NO_ROWS)
        elif not lines.filter(word="").exists():
            reasons.append(NO_USABLE_ROWS)
        if job.holds_removals and StagedRow.objects.filter(job_id=job.pk, number__gte=FIRST_LEAVER).exists():
            reasons.append(SOMEBODY_UNKNOWN)
    if over:
        scope = max(over, key=lambda scope: scope.removals)
        numbers = {"removals": scope.removals, "present": scope.present, "limit": scope.limit}
        numbers |= {"scopes": len(over), "recent": scope.recent}
        reasons.append(OVER_LIMIT[len(over) > 1, scope.recent > 0] % numbers)
    return reasons


def _describe(scopes: Sequence[Scope]) -> list[dict[str, Any]]:
    run_ids = [scope.course_run_id for scope in scopes if scope.course_run_id is not None]
    names: Mapping[int, str] = dict(CourseRun.objects.filter(pk__in=run_ids).values_list("pk", "course_id"))
    return [
        {
            "course_id": names.get(scope.course_run_id) if scope.course_run_id is not None else None,
            "removals": scope.removals,
            "present": scope.present,
            "limit": scope.limit,
        }
        for scope in scopes
    ]


def digest_effects(job: Job) -> str:
    """Return the digest of the removals that the job lists: whom, where, from what and to what."""
    digest = hashlib.sha256()
    removals = StagedRow.objects.filter(job_id=job.pk, removes=True).order_by("number")
    columns = ("number", "learner_id", "course_run_id", "before", "status")
    for row in removals.values_list(*columns).iterator(chunk_size=PLANNED_AT_ONCE):
        digest.update(json.dumps(row).encode())
    return digest.hexdigest()


def _list_removals(job: Job) -> None:
    """Let the job's rows show what it would remove. Doing it again changes nothing."""
    removals = StagedRow.objects.filter(job_id=job.pk, removes=True).order_by("number")
    behind = 0
    while batch := list(removals.filter(number__gt=behind)[:PLANNED_AT_ONCE]):
        rows = [planned_row(row) for row in batch]
        hold_step(job, partial(insert_job_rows, rows))
        behind = batch[-1].number


def _supersede_older(job: Job, now: datetime) -> dict[str, Any]:
    """End held snapshots of the same scope: this one is newer, and passed its own guard."""
    if job.dry_run or job.mode != JobMode.SNAPSHOT:
        return {}
    held = Job.objects.filter(
        program_id=job.program_pk, kind=job.kind, mode=JobMode.SNAPSHOT, state=JobState.HELD, pk__lt=job.pk
    )
    for older in held:
        if job.kind == JobKind.COURSE_ENROLLMENTS and not _runs_of(older) <= _runs_of(job):
            continue
        superseded = Job.objects.filter(pk=older.pk, state=JobState.HELD).update(
            state=JobState.SUPERSEDED, finished=now, message=SUPERSEDED % {"job": job.pk}
        )
        if superseded:
            announce(older, state=JobState.SUPERSEDED.value, now=now)
    return {}


def _runs_of(job: Job) -> set[int]:
    rows = StagedRow.objects.filter(job_id=job.pk, course_run__isnull=False).order_by()
    return set(rows.values_list("course_run_id", flat=True).distinct())
