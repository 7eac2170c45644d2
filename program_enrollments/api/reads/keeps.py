"""Kept enrollments, as they are shown: who keeps one, why, and until when."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from program_enrollments.models import KeptEnrollment


def kept_in_force(*, program_id: int, today: date | None = None) -> QuerySet[KeptEnrollment]:
    """Return what is kept in a program today."""
    day = today or timezone.now().date()
    return KeptEnrollment.objects.filter(Q(until__isnull=True) | Q(until__gte=day), program_id=program_id).order_by()


def describe_keeps(*, program_id: int, learner_id: int) -> dict[str | None, dict[str, Any]]:
    """Return what is kept of one learner in a program, by course key. One statement.

    None stands for the program enrollment itself.
    """
    kept = kept_in_force(program_id=program_id).filter(learner_id=learner_id)
    return {
        course_id: {"by": by, "reason": reason, "until": until.isoformat() if until else None}
        for course_id, by, reason, until in kept.values_list("course_run__course_id", "by", "reason", "until")
    }
