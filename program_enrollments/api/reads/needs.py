"""Needs: the learners of programs who need a person."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from django.db.models import F, Model

from program_enrollments.conf import get_setting
from program_enrollments.models import (
    Learner,
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
    Program,
    ProgramEnrollment,
)

MOST = 1_000
"""Learners in need that are looked at; if a school has more, something else is wrong."""

REFUSED = "refused"
"""The problem of a learner whose seat the platform refused, beside the values of `LearnerProblem`."""


class Need(NamedTuple):
    """A learner of a program who needs a person, and why."""

    program_id: int
    learner_id: int
    problem: str


def find_in_need(*, programs: Collection[Program]) -> Sequence[Need]:
    """Return the learners of the programs who need a person, each with every reason.

    Four statements, which read only those: a learner with a problem is found by an index that holds nobody else.
    """
    program_ids = [program.pk for program in programs]
    if not program_ids:
        return []
    school_ids = {program.school_id for program in programs}
    # Plus nothing: SQLite would take the index of the school's learners, all of whom it would read.
    troubled = dict(
        Learner.objects.exclude(problem_code="")
        .annotate(school_key=F("school_id") + 0)
        .filter(school_key__in=school_ids)
        .order_by()
        .values_list("pk", "problem_code")[:MOST]
    )
    needs = [
        Need(program_id, learner_id, troubled[learner_id])
        for model in (ProgramEnrollment, PreemptiveProgramEnrollment)
        for program_id, learner_id in _places(model, program_ids, troubled)
    ]
    refused = (
        PreemptiveCourseEnrollment.objects.exclude(problem_code="")
        .annotate(program_key=F("program_id") + 0)
        .filter(program_key__in=program_ids, refusals__gte=get_setting("MAX_TRIES"), learner__user__isnull=False)
        .order_by()
        .values_list("program_id", "learner_id")[:MOST]
    )
    # Made distinct here: for that, SQLite too would read an index of all course enrollments in order.
    return [*needs, *(Need(*place, REFUSED) for place in dict.fromkeys(refused))]


def _places(
    model: type[Model], program_ids: Collection[int], learner_ids: Collection[int]
) -> Collection[tuple[int, int]]:
    if not learner_ids:
        return []
    rows = model._default_manager.filter(program_id__in=program_ids, learner_id__in=learner_ids)
    places: list[tuple[int, int]] = list(rows.order_by().values_list("program_id", "learner_id"))
    return places
