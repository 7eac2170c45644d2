"""The programs and course runs of the signed-in user (docs/api.rst, Programs)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from program_enrollments.api.reads.cursors import Cursor, fetch_page
from program_enrollments.data import Page
from program_enrollments.models import ProgramCourseEnrollment, ProgramEnrollment

PROGRAM_FIELDS = (
    "program_id",
    "program__uuid",
    "program__title",
    "program__url",
    "program__school__key",
    "program__school__name",
    "program__school__logo_url",
    "status",
)
COURSE_FIELDS = (
    "program_id",
    "course_run__course_id",
    "course_run__title",
    "course_run__url",
    "course_run__start",
    "course_run__end",
    "status",
)


def fetch_own_programs(*, user_id: int, cursor: str | None, page_size: int) -> Page:
    """Return a page of the account's programs, each with its course runs, in two statements.

    Programs of every status are included, so that the page that shows them decides about ended ones. Course runs are
    ordered by start, then by key. Course enrollments that the host has not accepted are left out. Raises BadCursor.
    """
    courses: dict[int, list[dict[str, Any]]] = defaultdict(list)

    def read(place: Cursor, limit: int) -> list[tuple[int, Any]]:
        keyed = {"program_id__lt" if place.backward else "program_id__gt": place.key}
        enrollments = ProgramEnrollment.objects.filter(learner__user_id=user_id, **keyed)
        order = "-program_id" if place.backward else "program_id"
        rows = list(enrollments.order_by(order).values_list(*PROGRAM_FIELDS)[:limit])
        courses.update(_fetch_courses(user_id=user_id, program_ids=[row[0] for row in rows]))
        return [(row[0], row) for row in rows]

    def render(row: Sequence[Any]) -> dict[str, Any]:
        program_id, uuid, title, url, school_key, school_name, logo_url, status = row
        return {
            "uuid": str(uuid),
            "program_title": title,
            "program_url": url,
            "school": {"key": school_key, "name": school_name, "logo_url": logo_url},
            "status": status,
            "courses": courses[program_id],
        }

    return fetch_page(read=read, cursor=cursor, page_size=page_size, render=render)


def _fetch_courses(*, user_id: int, program_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    rows = ProgramCourseEnrollment.objects.filter(learner__user_id=user_id, program__in=program_ids)
    courses: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for program_id, course_id, title, url, start, end, status in sorted(
        rows.values_list(*COURSE_FIELDS), key=lambda row: (row[4] is None, row[4] and row[4].timestamp(), row[1])
    ):
        courses[program_id].append(
            {
                "course_id": course_id,
                "course_title": title,
                "course_url": url,
                "start": start,
                "end": end,
                "status": status,
            }
        )
    return courses
