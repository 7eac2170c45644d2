"""Applying: a job's rows go through the one write pipeline, chunk by chunk (ADR 0016).

A chunk's writes, its outcomes and the step of the cursor are one transaction.
"""

from __future__ import annotations

import logging
import time
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.utils.translation import gettext_noop

from program_enrollments.api.access import Reach, access_of
from program_enrollments.api.enrollments.explanations import explain
from program_enrollments.api.enrollments.halves import ChunkWriter
from program_enrollments.api.jobs.claims import JobTaken, Pace, commit_step
from program_enrollments.api.jobs.keeps import Keeps, fetch_keeps
from program_enrollments.api.jobs.leavers import find_moved
from program_enrollments.api.jobs.lines import SPACING
from program_enrollments.api.jobs.outcomes import Outcome, insert_job_rows, outcome_values
from program_enrollments.api.jobs.removals import fetch_learner_ids, fetch_standings, statuses_of
from program_enrollments.api.jobs.requests import request_of
from program_enrollments.api.jobs.staging import Staged, fetch_next
from program_enrollments.api.jobs.writes import FileWrite
from program_enrollments.api.learners.email_domains import fetch_email_domains
from program_enrollments.api.transactions import CrossedByAnother, rehearse
from program_enrollments.data import (
    ChangeKind,
    FileWord,
    JobKind,
    JobState,
    Origin,
    Permission,
    RowOutcome,
    Source,
    Word,
)
from program_enrollments.host.deadline import limited
from program_enrollments.models import Job, LedgerEntry, Program

logger = logging.getLogger(__name__)

CRASHES = 3
"""Workers that die at one place before it is gone through line by line, and at one line before that is blamed."""

RESUMED_AFTER = timedelta(hours=1)
"""From a job's start to its place in the queue, if it failed and was resumed: more than clocks are wrong by."""


class Outage(Exception):
    """The platform or the database is away: the job has to wait."""


class Application(ChunkWriter[Staged]):
    """One slice's part of applying a job: how large its chunks are, and what is committed with each."""

    fatal = (JobTaken, Outage)

    def __init__(self, job: Job, *, crashes: int, now: datetime) -> None:
        super().__init__()
        self.job, self.crashes, self.now = job, crashes, now
        # Approved or resumed: other files and calls may have said something newer since the check.
        resumed = job.started is not None and job.queued_at > job.started + RESUMED_AFTER
        self.is_late = job.removals_approved is not None or resumed
        self.pace = Pace()
        self.origin = Origin(
            source=Source.UPLOAD.value,
            actor_id=job.decided_by_user_id if job.removals_approved is not None else job.created_by_user_id,
            request_id=job.request_id,
            job_id=job.pk,
            reason=job.decision_reason,
        )
        self.prepare()

    @abstractmethod
    def prepare(self) -> None:
        """Read what all chunks of the slice need."""

    @abstractmethod
    def decide(self, rows: Sequence[Staged], finish: Callable[[list[Outcome]], object], *, blamed: bool) -> None:
        """Write what may be written of these rows in the current transaction.

        `finish` gets the outcome of each, in their order. It must be called before positions of the ledger are taken:
        these lock what everybody needs. Rows that are `blamed` are passed over.
        """

    def apply_chunk(self) -> bool:
        """Apply the next chunk; return False if there was none left, and the job has succeeded.

        Raises Outage and JobTaken.
        """
        job = self.job
        is_cautious = job.cursor < job.cautious_until
        rows = fetch_next(job_id=job.pk, behind=job.cursor, size=1 if is_cautious else self.pace.size)
        if not rows:
            commit_step(job, cursor=job.cursor, state=JobState.SUCCEEDED.value, finished=self.now)
            return False
        crashes, self.crashes = self.crashes, 0
        if crashes >= CRASHES:
            if is_cautious:
                logger.error("Job %s: workers died %s times at one line, which is passed over.", job.pk, crashes)
                self.blame(rows)
                return True
            commit_step(job, cursor=job.cursor, cautious_until=rows[-1].number)
            return True
        started = time.monotonic()
        with limited("CALL_HOST_SECONDS"):
            self.write(rows)
        self.pace.measure(rows=len(rows), seconds=time.monotonic() - started)
        return True

    def commit(self, rows: Sequence[Staged]) -> None:
        """Apply rows, store their outcomes and move the cursor: all or nothing."""
        self._commit(rows, blamed=False)

    def blame(self, rows: Sequence[Staged]) -> None:
        """Pass rows over that fail whenever they are applied."""
        self._commit(rows, blamed=True)

    def part(self, rows: Sequence[Staged]) -> int | None:
        """Return where to cut rows into two, never within a group."""
        cuts = sorted(range(1, len(rows)), key=lambda place: abs(place - len(rows) // 2))
        return next((place for place in cuts if rows[place].number % SPACING == 0), None)

    def interrupted(self) -> Exception:
        """Return what lets the job wait."""
        return Outage()

    def _commit(self, rows: Sequence[Staged], *, blamed: bool) -> None:
        job, cursor = self.job, rows[-1].number
        values: dict[str, Any] = {"waiting_since": None, "next_try": None, "tries": 0}
        if job.dry_run:
            outcomes: list[Outcome] = []
            rehearse(lambda: self.decide(rows, outcomes.extend, blamed=blamed))
            commit_step(job, cursor=cursor, work=lambda: self._store(outcomes), **values)
            return
        counted: dict[str, Any] = {}

        def work() -> dict[str, Any]:
            self.decide(rows, lambda outcomes: counted.update(self._store(outcomes)), blamed=blamed)
            return counted

        commit_step(job, cursor=cursor, work=work, **values)

    def _store(self, outcomes: Sequence[Outcome]) -> dict[str, Any]:
        insert_job_rows([outcome_values(outcome) for outcome in outcomes if outcome.is_kept])
        return self._count(outcomes)

    def _count(self, outcomes: Collection[Outcome]) -> dict[str, Any]:
        job = self.job
        refused = sum(outcome.refused for outcome in outcomes)
        changed = sum(outcome.changed and not outcome.refused for outcome in outcomes)
        removed = Counter(job.removed)
        if not job.dry_run:
            removed.update(str(outcome.row.course_run_id or 0) for outcome in outcomes if outcome.removed)
        missed = sum(outcome.row.removes and not outcome.removed for outcome in outcomes)
        return {
            "done": job.done + sum(outcome.row.line is not None for outcome in outcomes),
            "changed": job.changed + changed,
            "refused": job.refused + refused,
            "unchanged": job.unchanged + len(outcomes) - changed - refused,
            "counts": dict(Counter(job.counts) + Counter(outcome.word for outcome in outcomes)),
            "removed": dict(removed),
            "removals": max(0, job.removals - missed),
        }


class EnrollmentApplication(Application):
    """One slice's part of applying a file of enrollments: what it needs of the program."""

    def prepare(self) -> None:
        job = self.job
        program = Program.objects.select_related("school").get(pk=job.program_pk)
        self.keeps: Keeps = fetch_keeps(program_id=program.pk)
        self.domains = fetch_email_domains(school_id=job.school_id)
        self.files = FileWrite(
            job=job,
            program=program,
            domains=self.domains,
            origin=self.origin,
            identity_reach=self._reach,
            now=self.now,
        )

    def decide(self, rows: Sequence[Staged], finish: Callable[[list[Outcome]], object], *, blamed: bool) -> None:
        outcomes: dict[int, Outcome] = {}
        for row in rows:
            if blamed or row.word:
                outcomes[row.number] = self._refuse(row, row.word or Word.INTERNAL_ERROR.value)
        open_rows = [row for row in rows if row.number not in outcomes]
        watched = [row for row in open_rows if self.is_late or row.line is None]
        asks_who = open_rows if self.keeps.pairs else watched
        learner_ids = fetch_learner_ids(self.job, asks_who) if asks_who else {}
        learner_ids |= {row.number: row.learner_id for row in asks_who if row.line is None and row.learner_id}
        outcomes |= self._leave_alone(open_rows, learner_ids)
        changed = self._find_changed(watched, learner_ids)
        for row in watched:
            if row.number in changed and row.number not in outcomes:
                outcomes[row.number] = self._changed_since(row)
        writing = [row for row in open_rows if row.number not in outcomes]

        def finish_written(written: Mapping[int, RowOutcome]) -> None:
            # Those who are written are locked now: whoever came between the look and the lock is seen here.
            if self._find_changed([row for row in watched if row.number in written], learner_ids):
                raise CrossedByAnother
            done = outcomes | {row.number: self._outcome(row, written[row.number]) for row in writing}
            finish([done[row.number] for row in rows])

        if writing:
            self.files.write(writing, finish_written)
        else:
            finish_written({})

    def _leave_alone(self, rows: Sequence[Staged], learner_ids: Mapping[int, int]) -> dict[int, Outcome]:
        """Return the outcomes of rows that are kept, or whose removal was not approved."""
        left: dict[int, Outcome] = {}
        kept = [row for row in rows if self.keeps.covers(learner_ids.get(row.number), row.course_run_id)]
        if kept:
            standings = fetch_standings(self.job, kept)
            for row in kept:
                _, status = standings.get(row.number, (0, row.before))
                left[row.number] = Outcome(row, FileWord.KEPT.value, before=status, after=status)
        if self.job.removals_approved is False:
            for row in rows:
                if row.removes and row.number not in left:
                    detail = gettext_noop("The removal was not approved.")
                    word = row.before or FileWord.LEFT.value
                    left[row.number] = Outcome(row, word, before=row.before, after=row.before, detail=detail)
        return left

    def _find_changed(self, rows: Sequence[Staged], learner_ids: Mapping[int, int]) -> set[int]:
        """Return the numbers of rows that somebody else changed since the file was compared.

        Their enrollment, or of leavers who they are.
        """
        ids = {learner_ids[row.number] for row in rows if row.number in learner_ids}
        if not ids:
            return set()
        moved = find_moved(self.job, rows)
        by_course = self.job.kind == JobKind.COURSE_ENROLLMENTS
        kinds = (
            (ChangeKind.COURSE_ENROLLMENT, ChangeKind.COURSE_STAFF)
            if by_course
            else (ChangeKind.PROGRAM_ENROLLMENT, ChangeKind.PROGRAM_CURRICULUM)
        )
        entries = LedgerEntry.objects.filter(
            learner_id__among=ids,
            program_id=self.job.program_pk,
            position__gt=self.job.feed_position or 0,
            kind__in=kinds,
        ).exclude(job_id=self.job.pk)
        changed = {
            (learner_id, run_id if by_course else None)
            for learner_id, run_id in entries.order_by().values_list("learner_id", "course_run_id")
        }
        return moved | {row.number for row in rows if (learner_ids.get(row.number), row.course_run_id) in changed}

    def _changed_since(self, row: Staged) -> Outcome:
        standing = fetch_standings(self.job, [row]).get(row.number)
        status = standing[1] if standing is not None else None
        detail = gettext_noop(
            "Somebody changed this enrollment after the file had been checked. Look at it, and send it again."
        )
        return Outcome(row, FileWord.CHANGED_SINCE.value, refused=True, before=status, after=status, detail=detail)

    def _refuse(self, row: Staged, word: str) -> Outcome:
        outcome = RowOutcome("", word, False, row.before, row.detail)
        explained = explain(row=request_of(self.job, row), outcome=outcome, domains=self.domains)
        return Outcome(row, word, refused=True, before=row.before, after=row.before, detail=explained.detail)

    def _outcome(self, row: Staged, written: RowOutcome) -> Outcome:
        if not written.good and not written.detail:
            written = explain(row=request_of(self.job, row), outcome=written, domains=self.domains)
        after = written.word if written.good else written.before
        statuses = statuses_of(self.job)
        removed = written.good and written.before in statuses.present and after in statuses.leaving
        return Outcome(
            row,
            FileWord.LEFT.value if row.line is None and written.good else written.word,
            refused=not written.good,
            changed=written.changed,
            before=written.before,
            after=after,
            detail=written.detail,
            removed=removed and written.before != after,
        )

    def _reach(self) -> Reach:
        """Return on which part of the school the job's maker may change learners' identities."""
        users = get_user_model()._default_manager
        user = users.filter(pk=self.job.created_by_user_id).first() if self.job.created_by_user_id else None
        if user is None:
            return Reach(program_ids=frozenset({self.files.program.pk}))
        return access_of(user=user).reach(permission=Permission.WRITE_ENROLLMENTS, school_id=self.job.school_id)
