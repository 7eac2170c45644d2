"""Disputes: accounts that have signed on, while another account holds the student's place (ADR 0006).

The claim is open on the learner until support staff decide. Until then the person is in no program of the school.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from program_enrollments.api.learners.locks import LockedLearner
from program_enrollments.data import LearnerProblem
from program_enrollments.models import LinkClaim


@dataclass(frozen=True, slots=True)
class Dispute:
    """An open claim of an account on a learner, as its owner may read it.

    `reference` is the learner's number, by which support staff find them. The contacts are the school's, or empty.
    """

    school: str
    contact_name: str
    contact_email: str
    since: datetime
    reference: int


def fetch_disputes(*, user_id: int) -> list[Dispute]:
    """Return the open claims of an account, the oldest first. One statement."""
    rows = LinkClaim.objects.filter(user_id=user_id, is_open=True).order_by("at", "pk")
    return [
        Dispute(*row)
        for row in rows.values_list(
            "learner__school__name",
            "learner__school__support_name",
            "learner__school__support_email",
            "at",
            "learner_id",
        )
    ]


def is_disputed(*, learner: LockedLearner, user_id: int) -> bool:
    """Return whether an account that signs on as this learner has to wait for a person's decision."""
    if learner.user_id is not None:
        return learner.user_id != user_id
    return learner.problem_code == LearnerProblem.CONFLICT
