"""Keeping: enrollments that files leave alone, because a person said so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.utils import timezone

from program_enrollments.api.reads.keeps import kept_in_force
from program_enrollments.api.transactions import in_transaction
from program_enrollments.models import KeptEnrollment


@dataclass(frozen=True, slots=True)
class Keeps:
    """What is kept in a program: pairs of learner and course run, None for the program enrollment itself."""

    pairs: frozenset[tuple[int, int | None]]

    def covers(self, learner_id: int | None, course_run_id: int | None) -> bool:
        """Whether files have to leave this enrollment alone."""
        return (learner_id, course_run_id) in self.pairs


def fetch_keeps(*, program_id: int, today: date | None = None) -> Keeps:
    """Return what is kept in a program today. One statement."""
    kept = kept_in_force(program_id=program_id, today=today)
    return Keeps(frozenset(kept.order_by().values_list("learner_id", "course_run_id")))


def keep_enrollments(
    *,
    program_id: int,
    learner_ids: Sequence[int],
    course_run_id: int | None,
    by: str,
    reason: str,
    until: date | None,
    now: datetime | None = None,
) -> None:
    """Let files leave these learners' enrollments alone from now on; a former mark is replaced."""

    def write() -> None:
        release_enrollments(program_id=program_id, learner_ids=learner_ids, course_run_id=course_run_id)
        KeptEnrollment.objects.bulk_create(
            KeptEnrollment(
                program_id=program_id,
                learner_id=learner_id,
                course_run_id=course_run_id,
                by=by,
                reason=reason,
                until=until,
                created=now or timezone.now(),
            )
            for learner_id in learner_ids
        )

    in_transaction(write)


def release_enrollments(*, program_id: int, learner_ids: Sequence[int], course_run_id: int | None) -> int:
    """Let files decide about these learners' enrollments again; return how many were kept."""
    kept = KeptEnrollment.objects.filter(program_id=program_id, learner_id__in=learner_ids)
    return kept.filter(course_run_id=course_run_id).delete()[0]
