"""The plan of a load: the changes that make the mirror of a program agree with a source.

It reads and writes no database (ADR 0004).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from program_enrollments.catalog_sources.values import CatalogCourseRun, CatalogCurriculum, CatalogProgram
from program_enrollments.models import CourseRun, Curriculum, Program

Changes = dict[str, tuple[Any, Any]]
"""Per field, the value before and after."""


@dataclass(frozen=True, slots=True)
class Mirror:
    """The stored rows that a program's description can change, by the catalog's own keys.

    `curricula` also has curricula of other programs, if the description names them. `links` are the pairs of curriculum
    and course run, for this program's curricula. `bound` are the course runs that enrollments or grades of this program
    refer to.
    """

    program: Program | None
    curricula: Mapping[UUID, Curriculum]
    runs: Mapping[str, CourseRun]
    links: Collection[tuple[UUID, str]]
    bound: Collection[str]


@dataclass(slots=True)
class CatalogPlan:
    """The rows to write, and the rows that are kept although the source no longer has them."""

    program: Changes = field(default_factory=dict)
    new_curricula: list[CatalogCurriculum] = field(default_factory=list)
    curricula: dict[UUID, Changes] = field(default_factory=dict)
    new_runs: list[CatalogCourseRun] = field(default_factory=list)
    runs: dict[str, Changes] = field(default_factory=dict)
    links: list[tuple[UUID, str]] = field(default_factory=list)
    unlinks: list[tuple[UUID, str]] = field(default_factory=list)
    kept: list[tuple[UUID, str]] = field(default_factory=list)


def find_refusal(*, mirror: Mirror, wanted: CatalogProgram, school_ids: Mapping[str, int]) -> str | None:
    """Return why a description cannot be taken over at all, or None.

    `school_ids` are the IDs of all schools, by key.
    """
    known = [school_ids[key] for key in wanted.school_keys if key in school_ids]
    if not known:
        keys = " or ".join(wanted.school_keys)
        return f"There is no school with the key {keys}. Make one, or map it to one (docs/catalog.rst)."
    if mirror.program is not None and mirror.program.school_id not in known:
        # Its learners belong to the school, and so do the grants on it.
        return f"It belongs to the school {mirror.program.school.key} here, and programs don't change schools."
    for curriculum in wanted.curricula:
        stored = mirror.curricula.get(curriculum.uuid)
        if stored is not None and (mirror.program is None or stored.program_id != mirror.program.pk):
            return f"Its curriculum {curriculum.uuid} is another program's here."
    return None


def plan_catalog(
    *, mirror: Mirror, wanted: CatalogProgram, settled: Collection[str] = (), complete: bool = True
) -> CatalogPlan:
    """Return the changes from `mirror` to `wanted`; an empty plan if there are none.

    Fields that the source lacks are not changed. A program's key is set once and never changed, because integrations
    rely on it. With `complete`, the description is the whole program: curricula that it doesn't name become inactive,
    and course runs leave a curriculum unless enrollments or grades refer to them. Nothing else is ever removed. Course
    runs in `settled` are not described again: if two programs of one load disagree about a run, the first one wins, the
    same way at every load.
    """
    plan = CatalogPlan(program=_program_changes(mirror.program, wanted))
    described: set[str] = set(settled)
    for curriculum in wanted.curricula:
        stored = mirror.curricula.get(curriculum.uuid)
        if stored is None:
            plan.new_curricula.append(curriculum)
        else:
            _note(plan.curricula, curriculum.uuid, _changes(stored, curriculum.fields))
        for run in curriculum.course_runs:
            if (curriculum.uuid, run.course_id) not in mirror.links:
                plan.links.append((curriculum.uuid, run.course_id))
            if run.course_id in described:
                continue
            described.add(run.course_id)
            if run.course_id not in mirror.runs:
                plan.new_runs.append(run)
            else:
                _note(plan.runs, run.course_id, _changes(mirror.runs[run.course_id], run.fields))
    if complete:
        _plan_leaving(plan, mirror, wanted)
    return plan


def _plan_leaving(plan: CatalogPlan, mirror: Mirror, wanted: CatalogProgram) -> None:
    named = {curriculum.uuid: {run.course_id for run in curriculum.course_runs} for curriculum in wanted.curricula}
    for uuid, stored in mirror.curricula.items():
        if uuid not in named and stored.is_active:
            plan.curricula[uuid] = {"is_active": (True, False)}
    for uuid, course_id in sorted(mirror.links):
        if uuid in named and course_id not in named[uuid]:
            (plan.kept if course_id in mirror.bound else plan.unlinks).append((uuid, course_id))


def _program_changes(stored: Program | None, wanted: CatalogProgram) -> Changes:
    if stored is None:
        return {}
    changes = _changes(stored, wanted.fields)
    if stored.key:
        changes.pop("key", None)
    return changes


def _changes(stored: object, fields: Mapping[str, Any]) -> Changes:
    return {name: (getattr(stored, name), value) for name, value in fields.items() if getattr(stored, name) != value}


def _note(changes: dict[Any, Changes], key: object, found: Changes) -> None:
    if found:
        changes[key] = found


def tell_plan(*, plan: CatalogPlan, is_new: bool) -> Iterator[str]:
    """Return a line per change, for people. A new program has one line with numbers."""
    if is_new:
        runs = len({course_id for _, course_id in plan.links})
        yield f"new program; curricula: {len(plan.new_curricula)}, course runs: {runs}"
        return
    yield from _tell("", plan.program)
    for curriculum in plan.new_curricula:
        yield f"curriculum {curriculum.uuid}: new"
    for uuid, changes in plan.curricula.items():
        yield from _tell(f"curriculum {uuid}: ", changes)
    for run in plan.new_runs:
        yield f"course run {run.course_id}: new"
    for course_id, changes in plan.runs.items():
        yield from _tell(f"course run {course_id}: ", changes)
    for uuid, course_id in plan.links:
        yield f"curriculum {uuid}: {course_id} added"
    for uuid, course_id in plan.unlinks:
        yield f"curriculum {uuid}: {course_id} taken out"


def _tell(subject: str, changes: Changes) -> Iterator[str]:
    for name, (before, after) in changes.items():
        yield f"{subject}{name} {_value(before)} -> {_value(after)}"


def _value(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return "none" if value is None else repr(value)
