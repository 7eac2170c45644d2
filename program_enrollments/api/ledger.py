"""Recording: the ledger.

Every change of an enrollment, a link or an identity is written here, in the transaction that makes it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

from django.dispatch import Signal

from program_enrollments.api.transactions import after_commit
from program_enrollments.data import Change, Origin
from program_enrollments.models import LedgerEntry, LedgerPosition
from program_enrollments.sql.bulk import insert_rows, select_rows

changes_recorded = Signal()
"""Sent once after the commit of changes, with `changes`, `origin` and `at`.

A process that dies between commit and signal loses it: the changes feed has the truth.
"""

FIELDS = (
    "program",
    "position",
    "at",
    "learner",
    "student_key",
    "course_run",
    "kind",
    "before",
    "after",
    "actor_id",
    "source",
    "request_id",
    "job_id",
    "reason",
)


def record_changes(*, changes: Sequence[Change], origin: Origin, now: datetime) -> None:
    """Append `changes` to the ledger, each with the next position in its program's feed.

    Must be the last thing a transaction does: the positions of the programs concerned stay locked until it commits,
    which is what puts the feed in the order of commits (ADR 0003). Nothing to record takes no lock.
    """
    if not changes:
        return
    counts = Counter(change.program_id for change in changes if change.program_id is not None)
    positions = {program_id: iter(places) for program_id, places in _take_positions(counts).items()}
    insert_rows(
        LedgerEntry,
        fields=FIELDS,
        rows=[
            (
                change.program_id,
                None if change.program_id is None else next(positions[change.program_id]),
                now,
                change.learner_id,
                change.student_key,
                change.course_run_id,
                change.kind,
                change.before,
                change.after,
                origin.actor_id,
                origin.source,
                origin.request_id,
                origin.job_id,
                origin.reason,
            )
            for change in changes
        ],
    )
    if changes_recorded.receivers:
        after_commit(partial(_send, tuple(changes), origin, now))


def _send(changes: Sequence[Change], origin: Origin, at: datetime) -> None:
    changes_recorded.send(sender=None, changes=changes, origin=origin, at=at)


def _take_positions(counts: Mapping[int, int]) -> dict[int, range]:
    """Reserve `counts[program]` positions in each program's feed.

    Rows are locked in the order of the programs' IDs.
    """
    wanted, fields = sorted(counts.items()), ("program_id", "last_position")
    stored = insert_rows(
        LedgerPosition,
        fields=fields,
        rows=wanted,
        unique=("program_id",),
        add=("last_position",),
        returning=fields,
    )
    # MySQL cannot return them with the statement.
    last = dict(stored or select_rows(LedgerPosition, fields=fields, among=("program_id", list(counts))))
    return {program_id: range(last[program_id] - count + 1, last[program_id] + 1) for program_id, count in wanted}
