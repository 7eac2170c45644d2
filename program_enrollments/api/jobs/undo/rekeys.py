"""Undo of a re-key: a re-key the other way round, with the ledger as its file (ADR 0026, ADR 0028).

Each learner whose student ID the undone job changed is a row: the ID that it gave stands for the old one, the ID from
before it for the new one. Swaps and chains are judged by their result, as they were on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from django.utils.translation import gettext as _

from program_enrollments.api.jobs.lines import SPACING
from program_enrollments.api.jobs.outcomes import Outcome, insert_job_rows, outcome_values
from program_enrollments.api.jobs.rekeys import RekeyApplication
from program_enrollments.api.jobs.staging import Staged
from program_enrollments.api.jobs.undo.entries import fetch_traces
from program_enrollments.api.jobs.undo.trace import Trace
from program_enrollments.api.learners.rekey_plan import nameless
from program_enrollments.data import ChangeKind, FileWord, RekeyWord, Source
from program_enrollments.models import Job
from program_enrollments.normalization import is_pseudonym, normalize_identity


def rekey_rows(job: Job, traces: Iterable[Trace], *, first_line: int) -> list[tuple[Any, ...]]:
    """Return the values of staging rows: who gets which student ID back."""
    rows: list[tuple[Any, ...]] = []
    for known in traces:
        if known.student_id is None or known.student_id.before == known.student_id.after:
            continue
        shown, returned = _student_id(known.student_id.after), _student_id(known.student_id.before)
        held, wanted = normalize_identity(known.student_id.after or ""), normalize_identity(returned)
        rows.append(
            (
                job.pk,
                (job.total + len(rows) + 1) * SPACING,
                job.total + len(rows) + first_line,
                # Learners without an ID are shown by the address, or else by the ID that comes back.
                shown or _student_id(known.student_key) or returned,
                returned,
                *("", "", ""),
                None,
                held or nameless(known.learner_id),
                wanted,
                wanted if wanted != held else "",
                False,
                "",
                "",
                False,
                None,
                known.learner_id,
            )
        )
    return rows


def _student_id(key: str | None) -> str:
    """Return a student ID; "" for the name of a learner whose ID was released."""
    return "" if not key or is_pseudonym(normalize_identity(key)) else key


class RekeyUndo(RekeyApplication):
    """One slice's part of undoing a re-key."""

    def __init__(self, job: Job, *, crashes: int, now: datetime) -> None:
        super().__init__(job, crashes=crashes, now=now)
        origin = replace(self.origin, source=Source.UNDO.value, actor_id=job.created_by_user_id, reason=job.reason)
        self.rekeys = replace(
            self.rekeys,
            origin=origin,
            find_changed=partial(_find_changed, job),
            recognizes_repeats=False,
            returns_identities=True,
        )

    def decide(self, rows: Sequence[Staged], finish: Callable[[list[Outcome]], object], *, blamed: bool) -> None:
        super().decide(rows, lambda outcomes: finish(list(map(_as_undone, outcomes))), blamed=blamed)

    def _store(self, outcomes: Sequence[Outcome]) -> dict[str, Any]:
        # All are kept: they are the result, which has no file to be made from.
        insert_job_rows([outcome_values(outcome) for outcome in outcomes])
        return self._count(outcomes)


def _find_changed(job: Job, learner_ids: Collection[int]) -> set[int]:
    """Return the learners whose student ID somebody else changed since. They are locked. Two statements."""
    traces = fetch_traces(job=job, learner_ids=learner_ids)
    kind = ChangeKind.STUDENT_KEY.value
    return {learner_id for learner_id, known in traces.items() if known.is_identity_changed_since(kind)}


def _as_undone(outcome: Outcome) -> Outcome:
    """Return what became of a row, in the words of an undo."""
    before, after = _student_id(outcome.before) or None, _student_id(outcome.after) or None
    outcome = outcome._replace(before=before, after=after)
    if outcome.word == RekeyWord.TAKEN:
        detail = _("Somebody else has the former ID now, or is to keep it. Nothing was put back.")
    elif outcome.word in {RekeyWord.UNKNOWN, FileWord.CHANGED_SINCE}:
        detail = _("Somebody else changed this student ID since, or joined the learner with another record.")
    else:
        return outcome
    return outcome._replace(word=FileWord.CHANGED_SINCE.value, detail=detail)
