"""Disclosing: who looked at or exported personal data of a school's learners."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

from django.contrib.auth import get_user_model

from program_enrollments.api.reads.cursors import Cursor, fetch_page
from program_enrollments.conf import get_setting
from program_enrollments.data import Page
from program_enrollments.models import Disclosure, Program, School

DELETED_AT_ONCE = 1_000


def record_disclosure(
    *,
    user_id: int,
    program: Program | None = None,
    school: School | None = None,
    page: str,
    rows: int,
    filters: Sequence[str] = (),
    learner_id: int | None = None,
    is_export: bool = False,
    now: datetime,
) -> None:
    """Record that a user saw or exported `rows` rows of personal data of a program or school.

    One statement.

    `filters` are words of the page; none of them is what somebody searched for.
    """
    owner = program.school if program is not None else school
    if owner is None:
        raise TypeError("A disclosure needs a program or a school.")
    Disclosure.objects.create(
        school=owner,
        program=program,
        at=now,
        user_id=user_id,
        page=page,
        filters=", ".join(filters)[:255],
        learner_id=learner_id,
        rows=rows,
        is_export=is_export,
    )


def fetch_disclosures(*, school: School, cursor: str | None, page_size: int) -> Page:
    """Return a page of a school's disclosures, newest first, in two statements. Raises BadCursor.

    Rows have `at, actor, page, program, filters, learner_id, rows, is_export`; `actor` is the present username, "" if
    the account is gone.
    """

    def read(place: Cursor, limit: int) -> list[tuple[int, Any]]:
        found = Disclosure.objects.filter(school=school)
        # Newest first: reading on is reading down.
        if place.key:
            found = found.filter(**{"pk__gt" if place.backward else "pk__lt": place.key})
        ordered = found.order_by("pk" if place.backward else "-pk").values(
            "pk", "at", "user_id", "page", "program__title", "filters", "learner_id", "rows", "is_export"
        )
        return [(row["pk"], row) for row in ordered[:limit]]

    page = fetch_page(read=read, cursor=cursor, page_size=page_size, render=dict)
    names = _usernames({row["user_id"] for row in page.rows})
    rows = [
        {**row, "actor": names.get(row["user_id"], ""), "program": row["program__title"] or ""} for row in page.rows
    ]
    return Page(rows, page.next_cursor, page.previous_cursor)


def forget_expired_disclosures(*, now: datetime) -> int:
    """Delete a batch of the disclosures older than `KEEP_DISCLOSURES_DAYS`, and return their number.

    They are read in the order in which they were recorded, up to the first that is kept: no index on times is needed.
    """
    days = get_setting("KEEP_DISCLOSURES_DAYS")
    if days is None:
        return 0
    limit = now - timedelta(days=days)
    oldest = Disclosure.objects.order_by("pk").values_list("pk", "at")[:DELETED_AT_ONCE]
    expired = [pk for pk, at in takewhile(lambda row: row[1] < limit, oldest)]
    if not expired:
        return 0
    deleted, _models = Disclosure.objects.filter(pk__in=expired).delete()
    return deleted


def forget_in_disclosures(*, school_id: int, learner_ids: Collection[int]) -> None:
    """Remove from a school's disclosures which learner was looked at, in one statement.

    That somebody looked, when, and at how many rows stays.
    """
    Disclosure.objects.filter(school_id=school_id, learner_id__in=learner_ids).update(learner_id=None)


def _usernames(user_ids: set[int]) -> dict[int, str]:
    users = get_user_model()._default_manager.filter(pk__in=user_ids) if user_ids else ()
    return {user.pk: user.get_username() for user in users}
