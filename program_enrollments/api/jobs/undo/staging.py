"""Staging of an undo: a row per enrollment and per learner that the undone job changed.

The rows only say whom and where. What is put back is read from the ledger when they are applied, under the learners'
locks. A learner's student ID and address stand in the row that has no course run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from program_enrollments.api.jobs.claims import commit_step
from program_enrollments.api.jobs.dependents import group_dependents
from program_enrollments.api.jobs.lines import SPACING
from program_enrollments.api.jobs.staging import insert_staged
from program_enrollments.api.jobs.undo.entries import fetch_changed_learners, fetch_own_entries
from program_enrollments.api.jobs.undo.rekeys import rekey_rows
from program_enrollments.api.jobs.undo.trace import Trace, trace
from program_enrollments.data import FileWord, JobKind, JobState
from program_enrollments.models import CourseRun, Job, JobPhase, Learner
from program_enrollments.normalization import normalize_identity
from program_enrollments.sql.bulk import select_rows

LEARNERS_AT_ONCE = 500

FIRST_LINE = 2
"""Rows are numbered as the lines of the undo's result file, whose first line is the header."""


def stage_batch(job: Job) -> None:
    """Stage what the undone job changed of the next learners; behind the last one applying begins.

    Raises JobTaken.
    """
    undone = job.undoes_id or 0
    learner_ids = fetch_changed_learners(job_id=undone, behind=job.cursor, limit=LEARNERS_AT_ONCE)
    if not learner_ids:
        group_dependents(job)
        commit_step(job, cursor=0, phase=JobPhase.APPLY.value, state=JobState.RUNNING.value)
        return
    entries = fetch_own_entries(job=job, learner_ids=learner_ids)
    seen = [*job.progress, *(entry.id for entry in entries)]
    # From here on, the ledger has to be read for what was changed meanwhile.
    progress = [min(seen)] if seen else []
    traces = trace(entries, job_id=undone, undo_ids=())
    if job.kind == JobKind.STUDENT_KEYS:
        rows = rekey_rows(job, traces.values(), first_line=FIRST_LINE)
    else:
        rows = _rows(job, traces.values())

    def stage() -> dict[str, Any]:
        insert_staged(rows)
        return {"total": job.total + len(rows), "is_staged": True, "progress": progress}

    commit_step(job, cursor=learner_ids[-1], work=stage)


def _rows(job: Job, traces: Iterable[Trace]) -> list[tuple[Any, ...]]:
    traces = list(traces)
    emails = _fetch_emails([known.learner_id for known in traces if _may_have_brought_address(known)])
    run_ids = {run_id for known in traces for run_id in known.places if run_id is not None}
    courses: Mapping[int, str] = dict(CourseRun.objects.filter(pk__among=run_ids).values_list("pk", "course_id"))
    rows: list[tuple[Any, ...]] = []
    for known in traces:
        runs: Sequence[int | None] = sorted(run_id for run_id in known.places if run_id is not None)
        if known.concerns_learner:
            runs = [None, *runs]
        for run_id in runs:
            held, wanted = _addresses(known, emails) if run_id is None else ("", "")
            rows.append(
                (
                    job.pk,
                    (job.total + len(rows) + 1) * SPACING,
                    job.total + len(rows) + FIRST_LINE,
                    _returned_key(known) if run_id is None else "",
                    *("", "", ""),
                    courses.get(run_id, "") if run_id is not None else "",
                    run_id,
                    held,
                    "",
                    wanted if wanted != held else "",
                    False,
                    FileWord.INVALID_COURSE.value if run_id is not None and run_id not in courses else "",
                    "",
                    False,
                    None,
                    known.learner_id,
                )
            )
    return rows


def _may_have_brought_address(known: Trace) -> bool:
    """Whether the job may have made this learner with an address, of which the ledger says nothing."""
    return None in known.places and known.places[None].was_made and known.email is None


def _fetch_emails(learner_ids: Sequence[int]) -> Mapping[int, str]:
    found = select_rows(Learner, fields=("id", "email_normalized"), among=("id", learner_ids))
    return {pk: email for pk, email in found if email}


def _addresses(known: Trace, emails: Mapping[int, str]) -> tuple[str, str]:
    """Return the addresses that a learner gives up and gets back, normalized.

    Rows of which one gets what another gives up are applied together.
    """
    if known.email is None:
        return emails.get(known.learner_id, ""), ""
    return normalize_identity(known.email.after or ""), normalize_identity(known.email.before or "")


def _returned_key(known: Trace) -> str:
    """Return the student ID that a learner gets back."""
    return known.student_id.before or "" if known.student_id is not None else ""
