"""A program as a source describes it, whichever source that is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict
from uuid import UUID


class ProgramFields(TypedDict, total=False):
    """A source's values of a program. Fields that it lacks are left out, and keep their stored values."""

    key: str
    title: str
    type: str
    url: str


class CurriculumFields(TypedDict, total=False):
    """A source's values of a curriculum."""

    name: str
    is_active: bool


class CourseRunFields(TypedDict, total=False):
    """A source's values of a course run; None means that there is no such date."""

    external_key: str
    title: str
    url: str
    start: datetime | None
    end: datetime | None


@dataclass(frozen=True, slots=True)
class CatalogCourseRun:
    """A course run, by the platform's key."""

    course_id: str
    fields: CourseRunFields


@dataclass(frozen=True, slots=True)
class CatalogCurriculum:
    """A curriculum with all its course runs, including those of nested programs; each run once."""

    uuid: UUID
    fields: CurriculumFields
    course_runs: tuple[CatalogCourseRun, ...] = ()


@dataclass(frozen=True, slots=True)
class CatalogProgram:
    """A program with all its curricula.

    `school_keys` are keys of schools that it might belong to, the likeliest first.
    """

    uuid: UUID
    fields: ProgramFields
    school_keys: tuple[str, ...]
    curricula: tuple[CatalogCurriculum, ...] = ()

    @property
    def label(self) -> str:
        """The program as shown to a person."""
        title = self.fields.get("title", "")
        return f"{title} ({self.uuid})" if title else str(self.uuid)


@dataclass(frozen=True, slots=True)
class CatalogProblem:
    """A program that cannot be used: its name, if one can be read, and the reason."""

    label: str
    detail: str
