"""Open problems: how much waits for a person, counted as far as it matters."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from django.db.models import QuerySet, TextChoices
from django.utils.translation import gettext_lazy as _

from program_enrollments.api.learners.search import refused, with_problem
from program_enrollments.data import JobState, LearnerProblem
from program_enrollments.models import Job, ProposedMetadata

MAX_COUNTED = 100
"""Beyond this many, the number says only that there are more."""


class OpenProblem(TextChoices):
    """A kind of problem that a person has to look at."""

    CONFLICT = "conflict", _("conflicts about an account")
    POSSIBLY_NEW_PERSON = "possibly_new_person", _("student IDs that may be another person's now")
    REALIZING_FAILED = "realizing_failed", _("learners whose enrollments could not be made real")
    REFUSED = "refused", _("learners whom the learning platform refused too often")
    HELD_JOB = "held_job", _("files that wait for a decision")
    PROPOSED_METADATA = "proposed_metadata", _("proposed changes of a university's keys")


LOOKUPS: dict[str, Callable[[], QuerySet[Any, Any]]] = {
    OpenProblem.CONFLICT.value: lambda: with_problem().filter(problem_code=LearnerProblem.CONFLICT),
    OpenProblem.POSSIBLY_NEW_PERSON.value: lambda: with_problem().filter(
        problem_code=LearnerProblem.POSSIBLY_NEW_PERSON
    ),
    OpenProblem.REALIZING_FAILED.value: lambda: with_problem().filter(problem_code=LearnerProblem.REALIZING_FAILED),
    OpenProblem.REFUSED.value: lambda: refused().values("learner_id").distinct(),
    OpenProblem.HELD_JOB.value: lambda: Job.objects.filter(state=JobState.HELD),
    OpenProblem.PROPOSED_METADATA.value: lambda: ProposedMetadata.objects.filter(rejected_at__isnull=True),
}


def count_open_problems(*, kinds: Collection[OpenProblem]) -> dict[OpenProblem, int]:
    """Return how many open problems of each kind there are, at most `MAX_COUNTED` + 1.

    One statement per kind, which reads no more rows than it counts. The lists behind the numbers are found by
    `find_learners_in_need` and by the state of jobs.
    """
    counts = {}
    for kind in kinds:
        found = LOOKUPS[kind]().order_by()
        found = found if kind == OpenProblem.REFUSED else found.values("pk")
        counts[kind] = found[: MAX_COUNTED + 1].count()
    return counts
