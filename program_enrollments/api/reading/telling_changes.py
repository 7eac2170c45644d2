"""Telling changes: ledger entries as the wire shows them, in the feed and with a learner (docs/api.rst, Changes)."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import OuterRef, QuerySet, Subquery

from program_enrollments.models import LedgerEntry

MEMBERS = {
    "id": "pk",
    "at": "at",
    "student_key": "student_key",
    "course_id": "course_run__course_id",
    "kind": "kind",
    "before": "before",
    "after": "after",
    "actor": "actor",
    "source": "source",
    "request_id": "request_id",
    "job_id": "job_id",
    "reason": "reason",
}
"""The wire's members, in order, and what the ledger calls them."""


def tell_changes(*, entries: QuerySet[LedgerEntry]) -> list[tuple[int | None, dict[str, Any]]]:
    """Return the entries in their order, each with its place in the feed, in one statement.

    `actor` is the present user name of the account that acted, None where nobody did or the account is gone: the
    ledger keeps no names. `course_id` is None for what concerns no course run.
    """
    users = get_user_model()
    names = users._default_manager.filter(pk=OuterRef("actor_id")).order_by().values(users.USERNAME_FIELD)
    rows = entries.annotate(actor=Subquery(names[:1])).values_list("position", *MEMBERS.values())
    return [(position, dict(zip(MEMBERS, values, strict=True))) for position, *values in rows]
