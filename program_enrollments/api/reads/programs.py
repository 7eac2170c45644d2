"""Lists of programs and of their course runs, as the catalog's mirror has them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q

from program_enrollments.api.access import Access
from program_enrollments.api.reads.cursors import Cursor, fetch_page
from program_enrollments.data import Page
from program_enrollments.models import Curriculum, CurriculumCourseRun, Program


def fetch_programs(
    *,
    access: Access,
    school: str | None = None,
    type_: str | None = None,
    words: str | None = None,
    cursor: str | None,
    page_size: int,
) -> Page:
    """Return a page of the programs visible to the caller. One statement. Raises BadCursor.

    Filters:

    - `school` is a school's key, compared exactly;
    - `type_` is a program type, in any letter case;
    - `words` are searched for in title and key.
    """
    programs = access.visible_programs().select_related("school")
    if school is not None:
        programs = programs.filter(school__key=school)
    if type_ is not None:
        programs = programs.filter(type__iexact=type_)
    if words is not None:
        programs = programs.filter(Q(title__icontains=words) | Q(key__icontains=words))

    def read(place: Cursor, limit: int) -> list[tuple[int, Program]]:
        keyed = {"pk__lt" if place.backward else "pk__gt": place.key}
        found = programs.filter(**keyed).order_by("-pk" if place.backward else "pk")[:limit]
        return [(program.pk, program) for program in found]

    return fetch_page(
        read=read, cursor=cursor, page_size=page_size, render=lambda program: _render(access=access, program=program)
    )


def describe_program(*, access: Access, program: Program) -> dict[str, Any]:
    """Return a visible program as `fetch_programs` does, with its curricula. One statement."""
    curricula = Curriculum.objects.filter(program=program).order_by("pk").values_list("uuid", "name", "is_active")
    return {
        **_render(access=access, program=program),
        "curricula": [{"uuid": str(uuid), "name": name, "is_active": is_active} for uuid, name, is_active in curricula],
    }


def _render(*, access: Access, program: Program) -> dict[str, Any]:
    return {
        "uuid": str(program.uuid),
        "program_key": program.key,
        "program_title": program.title,
        "program_url": program.url,
        "program_type": program.type,
        "school": program.school.key,
        "permissions": sorted(access.permissions_on(program)),
    }


def fetch_course_runs(*, program: Program, curriculum: UUID | None = None, cursor: str | None, page_size: int) -> Page:
    """Return a page of a program's course runs, of one curriculum if it is named.

    A run that is part of several curricula has a row in each. One statement. Raises BadCursor.
    """
    parts = CurriculumCourseRun.objects.filter(curriculum__program=program).select_related("course_run", "curriculum")
    if curriculum is not None:
        parts = parts.filter(curriculum__uuid=curriculum)

    def read(place: Cursor, limit: int) -> list[tuple[int, CurriculumCourseRun]]:
        keyed = {"pk__lt" if place.backward else "pk__gt": place.key}
        found = parts.filter(**keyed).order_by("-pk" if place.backward else "pk")[:limit]
        return [(part.pk, part) for part in found]

    def render(part: CurriculumCourseRun) -> dict[str, Any]:
        run = part.course_run
        return {
            "course_id": run.course_id,
            "external_course_key": run.external_key,
            "course_title": run.title,
            "course_url": run.url,
            "start": run.start,
            "end": run.end,
            "curriculum_uuid": str(part.curriculum.uuid),
        }

    return fetch_page(read=read, cursor=cursor, page_size=page_size, render=render)
