"""Removals: whom a file would take away, found against the state in the database (ADR 0016)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, QuerySet, When

from program_enrollments.api.jobs.claims import commit_step
from program_enrollments.api.jobs.dependents import group_dependents
from program_enrollments.api.jobs.keeps import fetch_keeps
from program_enrollments.api.jobs.lines import SPACING
from program_enrollments.api.jobs.staging import AnyStaged, insert_staged, update_staged
from program_enrollments.data import (
    LEAVING_STATUSES,
    PRESENT_STATUSES,
    CourseStatus,
    JobKind,
    JobMode,
)
from program_enrollments.models import (
    CourseRun,
    Job,
    JobPhase,
    Learner,
    LedgerPosition,
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
    ProgramCourseEnrollment,
    ProgramEnrollment,
    StagedRow,
)
from program_enrollments.sql.bulk import select_rows
from program_enrollments.sql.occurrence import Occurs

BATCH = 1_000

WINDOW = 5_000
"""Enrollments that one look for leavers covers."""

FIRST_LEAVER = 2**40 * SPACING
"""Numbers of leavers begin here, behind those of any file's lines."""


@dataclass(frozen=True, slots=True)
class Statuses:
    """The words of one kind of enrollment: who is present, and what takes somebody away."""

    present: frozenset[str]
    leaving: frozenset[str]
    tables: tuple[type[Any], type[Any]]


PROGRAM = Statuses(PRESENT_STATUSES, LEAVING_STATUSES, (ProgramEnrollment, PreemptiveProgramEnrollment))
COURSE = Statuses(
    frozenset({CourseStatus.ACTIVE.value}),
    frozenset({CourseStatus.INACTIVE.value}),
    (ProgramCourseEnrollment, PreemptiveCourseEnrollment),
)


def statuses_of(job: Job) -> Statuses:
    """Return the words of the job's kind."""
    return COURSE if job.kind == JobKind.COURSE_ENROLLMENTS else PROGRAM


def compare_batch(job: Job) -> None:
    """Note which of the next lines take somebody away who is present. Raises JobTaken."""
    if job.cursor == 0:
        group_dependents(job)
        if job.feed_position is None:
            # Read before anything is compared: what changes later is seen to have changed.
            position = LedgerPosition.objects.filter(pk=job.program_pk).values_list("last_position", flat=True).first()
            commit_step(job, cursor=1, feed_position=position or 0)
            return
    statuses = statuses_of(job)
    lines = StagedRow.objects.filter(job_id=job.pk, number__gt=job.cursor, word="", status__in=statuses.leaving)
    rows = list(lines.order_by("number")[:BATCH])
    if not rows:
        following = JobPhase.LEAVERS if job.mode == JobMode.SNAPSHOT else JobPhase.GUARD
        commit_step(job, cursor=0, phase=following.value)
        return
    keeps = fetch_keeps(program_id=job.program_pk)
    found = fetch_standings(job, rows)
    removing = []
    for row in rows:
        learner_id, before = found.get(row.number, (None, ""))
        if before in statuses.present and before != row.status and not keeps.covers(learner_id, row.course_run_id):
            row.removes, row.before, row.learner_id = True, before, learner_id
            removing.append(row)

    def note() -> dict[str, Any]:
        update_staged(removing, fields=("removes", "before", "learner"))
        return {}

    commit_step(job, cursor=rows[-1].number, work=note)


def fetch_learner_ids(job: Job, rows: Iterable[AnyStaged]) -> dict[int, int]:
    """Return the learner whom each row names now, by the row's number.

    New ones are left out. Two statements.
    """
    rows = list(rows)
    by_name = _ids(job, "student_key_normalized", {row.name for row in rows if row.name})
    by_email = _ids(job, "email_normalized", {row.email_normalized for row in rows if not row.name})
    found = {row.number: by_name.get(row.name) if row.name else by_email.get(row.email_normalized) for row in rows}
    return {number: learner_id for number, learner_id in found.items() if learner_id is not None}


def _ids(job: Job, column: str, values: set[str]) -> Mapping[str, int]:
    found = select_rows(Learner, fields=(column, "id"), among=(column, values - {""}), school=job.school_id)
    return dict(found)


def fetch_standings(job: Job, rows: Sequence[AnyStaged]) -> dict[int, tuple[int, str]]:
    """Return the learner of each row and the status stored, by the row's number.

    The number of statements is constant.
    """
    learner_ids = fetch_learner_ids(job, rows)
    by_course = job.kind == JobKind.COURSE_ENROLLMENTS
    fields = ("learner_id", "course_run_id", "status") if by_course else ("learner_id", "status")
    stored: dict[tuple[int, int | None], str] = {}
    for table in statuses_of(job).tables:
        of_program = table._default_manager.filter(
            program_id=job.program_pk, learner_id__among=set(learner_ids.values())
        )
        for row in of_program.order_by().values_list(*fields):
            stored[row[0], row[1] if by_course else None] = row[-1]
    standings = {}
    for staged in rows:
        learner_id = learner_ids.get(staged.number)
        run_id = staged.course_run_id if by_course else None
        if learner_id is not None and (learner_id, run_id) in stored:
            standings[staged.number] = learner_id, stored[learner_id, run_id]
    return standings


def find_leavers(job: Job) -> None:
    """Stage the next of those who are present and whom the snapshot does not name. Raises JobTaken.

    Goes through one course run after the other, and in each through the real enrollments, then the promises.
    """
    statuses = statuses_of(job)
    runs = _runs_of(job)
    at_run, at_table, behind, count = job.progress or [0, 0, 0, 0]
    if at_run >= len(runs):
        commit_step(job, cursor=0, phase=JobPhase.GUARD.value)
        return
    table, run_id = statuses.tables[at_table], runs[at_run]
    of_program = table._default_manager.filter(program_id=job.program_pk, learner_id__gt=behind)
    present = of_program.filter(status__in=statuses.present, **({} if run_id is None else {"course_run_id": run_id}))
    in_order = present.order_by("learner_id")
    end = in_order.values_list("learner_id", flat=True)[WINDOW - 1 : WINDOW].first()
    window = in_order if end is None else in_order.filter(learner_id__lte=end)
    keeps = fetch_keeps(program_id=job.program_pk)
    leavers = [row for row in fetch_missing(job, run_id, window) if not keeps.covers(row[0], run_id)]
    course_id = _course_id(run_id)
    rows = [
        _leaver(job, row, (run_id, course_id), FIRST_LEAVER + (count + number) * SPACING)
        for number, row in enumerate(leavers)
    ]
    if end is not None:
        progress = [at_run, at_table, end, count + len(rows)]
    elif at_table == 0:
        progress = [at_run, 1, 0, count + len(rows)]
    else:
        progress = [at_run + 1, 0, 0, count + len(rows)]

    def stage() -> dict[str, Any]:
        insert_staged(rows)
        return {"progress": progress, "is_staged": True}

    commit_step(job, cursor=job.cursor + 1, work=stage)


def _runs_of(job: Job) -> Sequence[int | None]:
    """Return the course runs that the file names, or [None] for a file about the program itself."""
    if job.kind != JobKind.COURSE_ENROLLMENTS:
        return [None]
    named = StagedRow.objects.filter(job_id=job.pk, course_run__isnull=False, number__lt=FIRST_LEAVER)
    return sorted(named.order_by().values_list("course_run_id", flat=True).distinct())


def fetch_missing(job: Job, run_id: int | None, window: QuerySet[Any]) -> list[Any]:
    """Return those in the window whom no line names. One statement.

    A line with somebody's address and another ID does not name somebody who has an ID.
    """
    equal = {"job": job.pk} | ({"course_run": run_id} if run_id is not None else {})
    email = "email_normalized"
    named = Occurs(
        "learner__student_key_normalized", model=StagedRow, index="ue_staged_row_name", field="name", **equal
    )
    addressed = Occurs(f"learner__{email}", model=StagedRow, index="ue_staged_row_email", field=email, **equal)
    missing = window.filter(learner__retired_at__isnull=True).annotate(
        line=Case(When(learner__student_key_normalized__isnull=False, then=named), default=addressed)
    )
    return list(
        missing.filter(line__isnull=True).values_list("learner_id", "learner__student_key", "learner__email", "status")
    )


def _course_id(run_id: int | None) -> str:
    if run_id is None:
        return ""
    return str(CourseRun.objects.values_list("course_id", flat=True).get(pk=run_id))


def _leaver(job: Job, row: tuple[Any, ...], run: tuple[int | None, str], number: int) -> tuple[Any, ...]:
    learner_id, student_key, email, before = row
    return (
        job.pk,
        number,
        None,
        student_key,
        "" if student_key else email,
        job.leaving_status,
        "",
        run[1],
        run[0],
        *("", "", ""),
        False,
        "",
        "",
        before != job.leaving_status,
        before,
        learner_id,
    )
