"""Applying an undo: its rows are put back chunk by chunk, as files are applied (ADR 0028)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from program_enrollments.api.enrollments.pipeline import Held
from program_enrollments.api.jobs.apply import EnrollmentApplication
from program_enrollments.api.jobs.outcomes import Outcome, insert_job_rows, outcome_values
from program_enrollments.api.jobs.removals import COURSE, PROGRAM
from program_enrollments.api.jobs.staging import Staged
from program_enrollments.api.jobs.undo.entries import fetch_traces
from program_enrollments.api.jobs.undo.identities import Holders, IdentityReturn
from program_enrollments.api.jobs.undo.places import PlaceReturn
from program_enrollments.api.jobs.undo.rows import UndoRow
from program_enrollments.api.learners.account_locks import hold_accounts
from program_enrollments.api.learners.locks import LockedLearner, find_learner_ids, find_siblings, lock_learners
from program_enrollments.api.ledger import record_changes
from program_enrollments.data import FileWord, JobKind, Source, Word
from program_enrollments.models import Job, Learner
from program_enrollments.normalization import normalize_identity
from program_enrollments.sql.bulk import select_rows


class UndoApplication(EnrollmentApplication):
    """One slice's part of an undo. What is peculiar to it is what a chunk does, and what is counted."""

    def __init__(self, job: Job, *, crashes: int, now: datetime) -> None:
        super().__init__(job, crashes=crashes, now=now)
        # The undo's own reason; that of a decision may be why it was canceled.
        self.origin = replace(self.origin, source=Source.UNDO.value, actor_id=job.created_by_user_id, reason=job.reason)
        self.restores = is_restoring(job)

    def decide(self, rows: Sequence[Staged], finish: Callable[[list[Outcome]], object], *, blamed: bool) -> None:
        outcomes = {
            row.number: self._refuse(row, row.word or Word.INTERNAL_ERROR.value) for row in rows if blamed or row.word
        }
        open_rows = [row for row in rows if row.number not in outcomes]
        changes = []
        if open_rows:
            locked, held, holders = self._lock(open_rows)
            traces = fetch_traces(job=self.job, learner_ids={row.learner_id for row in open_rows if row.learner_id})
            undoing = []
            for row in open_rows:
                learner, known = locked.get(row.learner_id or 0), traces.get(row.learner_id or 0)
                if learner is None or known is None:
                    outcomes[row.number] = self._leave_gone(row, known.student_key if known else "")
                else:
                    undoing.append(UndoRow(row, learner, known))
            places = PlaceReturn(program=self.files.program, keeps=self.keeps, origin=self.origin, now=self.now)
            changes = places.put_back(undoing, held)
            identities = IdentityReturn(school_id=self.job.school_id, reach=self._reach, holders=holders, now=self.now)
            changes += identities.put_back(_with_identities(undoing))
            outcomes |= {row.staged.number: row.outcome for row in undoing}
        finish([outcomes[row.number] for row in rows])
        # Last: what it locks is in the way of everybody who writes to the program (ADR 0003).
        record_changes(changes=changes, origin=self.origin, now=self.now)

    def _lock(self, rows: Sequence[Staged]) -> tuple[dict[int, LockedLearner], Held, Holders]:
        """Lock accounts, then learners, in the one order (ADR 0002).

        With the learners of the rows go those of the same accounts, who may lose a seat together, and who has an
        identity that is to come back.
        """
        ids = {row.learner_id for row in rows if row.learner_id is not None}
        found = select_rows(Learner, fields=("user",), among=("id", ids))
        user_ids = {user_id for (user_id,) in found if user_id is not None}
        accounts = hold_accounts(user_ids=user_ids)
        siblings = find_siblings(user_ids=user_ids)
        student_keys = {normalize_identity(row.student_key) for row in rows if row.student_key}
        emails = {row.email_owner for row in rows if row.email_owner}
        holders = find_learner_ids(school_id=self.job.school_id, student_keys=student_keys, emails=emails)
        learners = lock_learners(ids={*ids, *siblings, *holders})
        accounts.require(learner.user_id for learner in learners if learner.id in ids)
        own = [learner for learner in learners if learner.school_id == self.job.school_id]
        return {learner.id: learner for learner in own}, Held(accounts, siblings), Holders.among(own)

    def _leave_gone(self, row: Staged, student_key: str) -> Outcome:
        detail = _("This learner was joined with another record of the same person since. Nothing was put back.")
        shown = row._replace(student_key=student_key)
        return Outcome(shown, FileWord.CHANGED_SINCE.value, refused=True, detail=detail)

    def _refuse(self, row: Staged, word: str) -> Outcome:
        details = {
            FileWord.INVALID_COURSE.value: _("The course run is not in the catalog any more."),
            Word.INTERNAL_ERROR.value: _("This row failed although nothing is wrong with it. Tell support its number."),
        }
        shown = row._replace(student_key=self._shown_key(row))
        return Outcome(shown, word, refused=True, detail=details.get(word, row.detail))

    def _shown_key(self, row: Staged) -> str:
        learner = Learner.objects.filter(pk=row.learner_id or 0).first()
        return learner.display_key if learner is not None else ""

    def _store(self, outcomes: Sequence[Outcome]) -> dict[str, Any]:
        # All are kept: they are the result, which has no file to be made from.
        insert_job_rows([outcome_values(outcome) for outcome in outcomes])
        return self._count(outcomes)

    def _count(self, outcomes: Collection[Outcome]) -> dict[str, Any]:
        moves = [_move(outcome) for outcome in outcomes if outcome.changed and not outcome.refused]
        values = super()._count(outcomes)
        values["removals"] = self.job.removals + sum(was and not is_ for was, is_, _scope in moves)
        values["removed"] = self._count_removed(outcomes)
        return values

    def _count_removed(self, outcomes: Collection[Outcome]) -> dict[str, int]:
        """Return by how much the undo changes what the file at its root has removed: the guard adds both up."""
        removed = Counter(self.job.removed)
        if self.job.dry_run:
            return dict(removed)
        by_course = self.job.kind == JobKind.COURSE_ENROLLMENTS
        for outcome in outcomes:
            run_id = outcome.row.course_run_id
            if outcome.refused or not outcome.changed or (run_id is not None) is not by_course:
                continue
            was, is_, scope = _move(outcome)
            leaving = (COURSE if by_course else PROGRAM).leaving
            if self.restores and is_ and outcome.before in leaving:
                removed[scope] -= 1
            elif not self.restores and was and outcome.after in leaving:
                removed[scope] += 1
        return {scope: count for scope, count in removed.items() if count}


def _with_identities(rows: Sequence[UndoRow]) -> list[UndoRow]:
    """Return the rows that may put identities back; of those about nothing else, note what their word is."""
    returning = []
    for row in rows:
        if row.staged.course_run_id is not None:
            continue
        if row.place is None:
            if row.before is None:
                row.leave_changed(_("The learner is not in the program any more. Nothing was put back."))
                continue
            row.leave(row.before)
        returning.append(row)
    return returning


def _move(outcome: Outcome) -> tuple[bool, bool, str]:
    """Return whether somebody was present before, and after, and in which scope."""
    present = (PROGRAM if outcome.row.course_run_id is None else COURSE).present
    return outcome.before in present, outcome.after in present, str(outcome.row.course_run_id or 0)


def is_restoring(job: Job) -> bool:
    """Whether the job brings back what a file removed, rather than doing the file once more.

    An undo of a file does the former, an undo of that undo the latter, and so on.
    """
    restores, undone = True, job.undoes_id
    while undone is not None:
        undone = Job.objects.filter(pk=undone).values_list("undoes_id", flat=True).first()
        restores = not restores if undone is not None else restores
    return restores
