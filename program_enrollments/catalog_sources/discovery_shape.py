"""Programs in the shape in which Course Discovery describes them, read without network or tables.

These fields are read, and all others ignored:

- of a program, `uuid, title, type, marketing_slug, marketing_url, authoring_organizations[].key` and `curricula[]`;
- of a curriculum, `uuid, name, is_active, courses[].course_runs[]` and `programs[]`, whose course runs it takes over;
- of a course run, `key, external_key, title, marketing_url, start, end`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from program_enrollments.catalog_sources.value_checks import (
    UnusableValue,
    check_moment,
    check_text,
    check_url,
    check_uuid,
    show,
)
from program_enrollments.catalog_sources.values import (
    CatalogCourseRun,
    CatalogCurriculum,
    CatalogProblem,
    CatalogProgram,
    CourseRunFields,
    CurriculumFields,
    ProgramFields,
)

Schools = Mapping[str, str | None]
"""Keys of schools by the key of their authoring organization; None leaves its programs out."""


def read_programs(results: Iterable[object], *, schools: Schools) -> Iterator[CatalogProgram | CatalogProblem]:
    """Yield the programs of one page.

    The key of an organization that `schools` does not name is taken as the school's key. A program is left out if all
    its organizations are mapped to None.
    """
    for raw in results:
        try:
            program = _read_program(raw, schools=schools)
        except UnusableValue as error:
            yield CatalogProblem(_label(raw), str(error))
        else:
            if program is not None:
                yield program


def _label(raw: object) -> str:
    if not isinstance(raw, Mapping):
        return show(raw)
    return " ".join(show(raw[name]) for name in ("title", "uuid") if name in raw) or "a program without uuid"


def _read_program(raw: object, *, schools: Schools) -> CatalogProgram | None:
    program = _object(raw, name="the program")
    organizations = [
        check_text(organization.get("key"), name="authoring_organizations.key", required=True)
        for organization in _objects(program, "authoring_organizations")
    ]
    if not organizations:
        raise UnusableValue("authoring_organizations is empty, so the program's school is unknown.")
    school_keys = [schools.get(organization, organization) for organization in organizations]
    if not any(school_keys):
        return None
    fields: ProgramFields = {
        "title": check_text(program.get("title"), name="title", required=True),
        "type": check_text(program.get("type"), name="type", max_length=64),
    }
    if "marketing_slug" in program:
        fields["key"] = check_text(program["marketing_slug"], name="marketing_slug")
    if "marketing_url" in program:
        fields["url"] = check_url(program["marketing_url"], name="marketing_url")
    curricula = [_read_curriculum(curriculum) for curriculum in _objects(program, "curricula")]
    if len({curriculum.uuid for curriculum in curricula}) < len(curricula):
        raise UnusableValue("two of its curricula have the same uuid.")
    return CatalogProgram(
        uuid=check_uuid(program.get("uuid"), name="uuid"),
        fields=fields,
        school_keys=tuple(key for key in school_keys if key),
        curricula=tuple(curricula),
    )


def _read_curriculum(curriculum: Mapping[str, Any]) -> CatalogCurriculum:
    is_active = curriculum.get("is_active", True)
    if not isinstance(is_active, bool):
        raise UnusableValue(f"curricula.is_active is neither true nor false: {show(is_active)}.")
    fields: CurriculumFields = {"is_active": is_active}
    if "name" in curriculum:
        fields["name"] = check_text(curriculum["name"], name="curricula.name")
    runs: dict[str, CatalogCourseRun] = {}
    for raw in _course_runs(curriculum):
        run = _read_course_run(raw)
        # Nested programs share courses with their curriculum, so the same run can occur several times.
        runs.setdefault(run.course_id, run)
    return CatalogCurriculum(
        uuid=check_uuid(curriculum.get("uuid"), name="curricula.uuid"), fields=fields, course_runs=tuple(runs.values())
    )


def _course_runs(curriculum: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the course runs of a curriculum, then those of the programs nested in it, however deep.

    A nested program has courses of its own or in curricula; its inactive curricula don't count.
    """
    waiting: list[Mapping[str, Any]] = [curriculum]
    while waiting:
        part = waiting.pop(0)
        for course in _objects(part, "courses"):
            yield from _objects(course, "course_runs")
        waiting += _objects(part, "programs")
        waiting += [inner for inner in _objects(part, "curricula") if inner.get("is_active", True) is True]


def _read_course_run(run: Mapping[str, Any]) -> CatalogCourseRun:
    course_id = check_text(run.get("key"), name="course_runs.key", required=True)
    fields: CourseRunFields = {}
    if "external_key" in run:
        fields["external_key"] = check_text(run["external_key"], name=f"external_key of {course_id}")
    if "title" in run:
        fields["title"] = check_text(run["title"], name=f"title of {course_id}")
    if "marketing_url" in run:
        fields["url"] = check_url(run["marketing_url"], name=f"marketing_url of {course_id}")
    if "start" in run:
        fields["start"] = check_moment(run["start"], name=f"start of {course_id}")
    if "end" in run:
        fields["end"] = check_moment(run["end"], name=f"end of {course_id}")
    return CatalogCourseRun(course_id, fields)


def _object(raw: object, *, name: str) -> Mapping[str, Any]:
    if not isinstance(raw, Mapping):
        raise UnusableValue(f"{name} is not an object: {show(raw)}.")
    return raw


def _objects(parent: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """Return the objects of the list `name` of `parent`; none if it is null or missing."""
    listed = parent.get(name)
    if listed is None:
        return []
    if not isinstance(listed, list):
        raise UnusableValue(f"{name} is not a list: {show(listed)}.")
    return [_object(each, name=f"one of {name}") for each in listed]
