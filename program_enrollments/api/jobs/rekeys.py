"""Re-keys as jobs: rows that depend on each other are grouped, then applied chunk by chunk (ADR 0026)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from program_enrollments.api.jobs.apply import Application
from program_enrollments.api.jobs.claims import commit_step
from program_enrollments.api.jobs.dependents import group_dependents
from program_enrollments.api.jobs.outcomes import Outcome
from program_enrollments.api.jobs.staging import Staged
from program_enrollments.api.learners.rekey_plan import Rekey
from program_enrollments.api.learners.rekey_writes import RekeyWrite
from program_enrollments.data import JobState, Word
from program_enrollments.models import Job, JobPhase


def compare_rekeys(job: Job) -> None:
    """Put rows that depend on each other behind each other; nobody leaves by a re-key. Raises JobTaken."""
    group_dependents(job)
    commit_step(job, cursor=0, phase=JobPhase.APPLY.value, state=JobState.RUNNING.value)


class RekeyApplication(Application):
    """One slice's part of applying a re-key."""

    def prepare(self) -> None:
        self.rekeys = RekeyWrite(
            school_id=self.job.school_id,
            slug=self.job.identity_provider,
            honor_old_until=self.job.honor_old_until,
            origin=self.origin,
            now=self.now,
        )

    def decide(self, rows: Sequence[Staged], finish: Callable[[list[Outcome]], object], *, blamed: bool) -> None:
        outcomes: dict[int, Outcome] = {}
        rekeys = []
        for row in rows:
            if blamed or row.word:
                word = row.word or Word.INTERNAL_ERROR.value
                detail = row.detail or str(Word(word).label if word in Word.values else "")
                outcomes[row.number] = Outcome(row, word, refused=True, detail=detail)
            else:
                rekeys.append(
                    Rekey(row.number, row.name, row.email, row.email_normalized, expected=row.learner_id or 0)
                )
        written = self.rekeys.write(rekeys) if rekeys else {}
        for row in rows:
            if row.number in written:
                outcome = written[row.number]
                outcomes[row.number] = Outcome(
                    row,
                    outcome.word,
                    refused=not outcome.is_good,
                    changed=outcome.changed,
                    before=outcome.before,
                    after=outcome.after,
                    detail=outcome.detail,
                )
        finish([outcomes[row.number] for row in rows])
