"""Disclosing: who looked at or exported personal data of a school's learners."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model

from program_enrollments.api.reads.cursors import Cursor, fetch_page
from program_enrollments.data import Page
from program_enrollments.models import Disclosure, Program, School


def record_disclosure(
    *,
    user_id: int,
    program: Program,
    page: str,
    rows: int,
    filters: Sequence[str] = (),
    learner_id: int | None = None,
    is_export: bool = False,
    now: datetime,
) -> None:
    """Record that a user saw `rows` rows of personal data of a program, or exported them. One statement.

    `filters` are words of the page; none of them is what somebody searched for.
    """
    Disclosure.objects.create(
        school_id=program.school_id,
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


def _usernames(user_ids: set[int]) -> dict[int, str]:
    users = get_user_model()._default_manager.filter(pk__in=user_ids) if user_ids else ()
    return {user.pk: user.get_username() for user in users}
