"""Leavers: those whom a snapshot does not name, looked at once more when they are removed.

Student IDs and addresses change while a job is held for days, and also while a large file is checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from program_enrollments.api.jobs.staging import AnyStaged
from program_enrollments.data import ChangeKind
from program_enrollments.models import Job, Learner, LedgerEntry, StagedRow
from program_enrollments.sql.bulk import select_rows
from program_enrollments.sql.occurrence import find_occurring

FIELDS = ("id", "student_key", "email", "email_normalized", "retired_at")


def find_moved(job: Job, rows: Iterable[AnyStaged]) -> set[int]:
    """Return the numbers of leavers whose identity changed since the check.

    A line may name them now.

    The number of statements is constant; there are none without leavers.
    """
    leavers = [row for row in rows if row.line is None]
    ids = {row.learner_id for row in leavers if row.learner_id is not None}
    if not ids:
        return set()
    shown: dict[int, str] = {}
    emails: dict[int, str] = {}
    for learner_id, student_key, email, email_normalized, retired_at in select_rows(
        Learner, fields=FIELDS, among=("id", ids), school=job.school_id
    ):
        if retired_at is None:
            shown[learner_id], emails[learner_id] = student_key or email, email_normalized or ""
    # There and back, or before the list of leavers was made, which the identity does not show.
    renamed = set(
        LedgerEntry.objects.filter(
            learner_id__among=ids, kind=ChangeKind.STUDENT_KEY, at__gte=job.started or job.created
        )
        .exclude(job_id=job.pk)
        .order_by()
        .values_list("learner_id", flat=True)
    )
    addressed = _find_addressed(job, emails)
    moved = set()
    for row in leavers:
        learner_id = row.learner_id or 0
        is_same = shown.get(learner_id) == (row.student_key or row.email) and learner_id not in renamed
        email = emails.get(learner_id, "")
        if not is_same or (email, None) in addressed or (email, row.course_run_id) in addressed:
            moved.add(row.number)
    return moved


def _find_addressed(job: Job, emails: Mapping[int, str]) -> set[tuple[str, int | None]]:
    """Return the addresses, with the course run, that lines without any known student ID give."""
    values = set(emails.values()) - {""}
    index, field = "ue_staged_row_email", "email_normalized"
    occurring = find_occurring(StagedRow, index=index, field=field, values=values, job=job.pk)
    if not occurring:
        return set()
    lines = StagedRow.objects.filter(job_id=job.pk, name="", email_normalized__among=occurring).order_by()
    return set(lines.values_list("email_normalized", "course_run_id"))
