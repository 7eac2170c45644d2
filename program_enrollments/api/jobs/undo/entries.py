"""Entries: the ledger as an undo reads it, some learners at a time."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Q, QuerySet

from program_enrollments.api.jobs.undo.trace import IDENTITY_KINDS, KINDS, PLACE_KINDS, Entry, Trace, trace
from program_enrollments.models import Job, LedgerEntry


def fetch_changed_learners(*, job_id: int, behind: int, limit: int) -> list[int]:
    """Return, in ascending order, learners of whom a job's entries speak.

    One statement, which reads the index alone.
    """
    entries = LedgerEntry.objects.filter(job_id=job_id, learner_id__gt=behind)
    return list(entries.order_by("learner_id").values_list("learner_id", flat=True).distinct()[:limit])


def fetch_own_entries(*, job: Job, learner_ids: Collection[int]) -> list[Entry]:
    """Return what an undone job changed of a range of learners, learner by learner. One statement."""
    entries = _narrow(LedgerEntry.objects.filter(job_id=job.undoes_id), job, (*PLACE_KINDS, *IDENTITY_KINDS))
    entries = entries.filter(learner_id__gte=min(learner_ids), learner_id__lte=max(learner_ids))
    return _read(entries.order_by("learner_id", "pk"))


def fetch_traces(*, job: Job, learner_ids: Collection[int]) -> dict[int, Trace]:
    """Return the traces of the undone job, with what was changed since. Two statements.

    The learners are locked, so that nothing is missed. `job` is the undo.
    """
    if job.undoes_id is None or not learner_ids:
        return {}
    first = job.progress[0] if job.progress else 0
    entries = _narrow(LedgerEntry.objects.filter(learner_id__among=set(learner_ids), pk__gte=first), job, KINDS)
    undo_ids = set(Job.objects.filter(undoes_id=job.undoes_id).values_list("pk", flat=True))
    return trace(_read(entries.order_by("pk")), job_id=job.undoes_id, undo_ids=undo_ids)


def _narrow(entries: QuerySet[LedgerEntry], job: Job, kinds: Collection[str]) -> QuerySet[LedgerEntry]:
    """Leave enrollments in other programs out: no file changes them."""
    return entries.filter(Q(program_id=job.program_id) | Q(program_id__isnull=True), kind__in=sorted(kinds))


def _read(entries: QuerySet[LedgerEntry]) -> list[Entry]:
    return list(map(Entry._make, entries.values_list(*Entry._fields)))
