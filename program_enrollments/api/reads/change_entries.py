"""Ledger entries as the API shows them, in the feed and with a learner (docs/api.rst, Changes)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import OuterRef, QuerySet, Subquery

from program_enrollments.models import LedgerEntry
from program_enrollments.sql.compiled import CompiledQuery, Slot

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
"""The members of a change in the API, in order, with the ledger's columns."""

Told = list[tuple[int | None, dict[str, Any]]]
"""Entries with their positions in the feed."""


def tell_changes(*, entries: QuerySet[LedgerEntry]) -> Told:
    """Return the entries in their order, with their positions in the feed, in one statement.

    `actor` is the present username of the account that acted, or None if nobody acted or the account is gone: the
    ledger stores no names. `course_id` is None for changes without a course run.
    """
    return _told(_as_told(entries))


def tell_changes_between(*, program_id: int, after: int, until: int) -> Told:
    """Return the program's entries after position `after` and up to `until`, as `tell_changes` does."""
    return _told(WINDOW.fetch_converted(program=program_id, after=after, until=until))


def _as_told(entries: QuerySet[LedgerEntry]) -> QuerySet[LedgerEntry, tuple[Any, ...]]:
    users = get_user_model()
    names = users._default_manager.filter(pk=OuterRef("actor_id")).order_by().values(users.USERNAME_FIELD)
    return entries.annotate(actor=Subquery(names[:1])).values_list("position", *MEMBERS.values())


def _told(rows: Iterable[tuple[Any, ...]]) -> Told:
    return [(position, dict(zip(MEMBERS, values, strict=True))) for position, *values in rows]


def _window() -> QuerySet[LedgerEntry, tuple[Any, ...]]:
    # Both ends are bounded: with an open end, MariaDB reads the program's index from its beginning.
    entries = LedgerEntry.objects.filter(
        program_id=Slot("program"), position__gt=Slot("after"), position__lte=Slot("until")
    )
    return _as_told(entries.order_by("position"))


WINDOW = CompiledQuery(model=LedgerEntry, write=_window, from_replica=True)
