"""Nudges: a signal after each commit that made a job due, for whoever runs workers."""

from __future__ import annotations

from functools import partial

from django.dispatch import Signal

from program_enrollments.api.transactions import after_commit

job_due = Signal()
"""Sent after the commit, with `job_id` and `slice`. Losing one is no harm: a due job is found by the next look."""


def nudge(*, job_id: int, slice_number: int) -> None:
    """Say, once the current transaction has committed, that this slice of the job can begin."""
    after_commit(partial(_send, job_id, slice_number))


def _send(job_id: int, slice_number: int) -> None:
    job_due.send(sender=None, job_id=job_id, slice=slice_number)
