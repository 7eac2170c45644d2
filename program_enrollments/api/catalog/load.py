"""Loads of the catalog: programs of a source, each in a transaction of its own (docs/catalog.rst)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import DataError, IntegrityError, OperationalError
from django.db.models import Exists, Model, OuterRef, Q
from django.utils import timezone

from program_enrollments.api.catalog.plan import (
    CatalogPlan,
    Changes,
    Mirror,
    find_refusal,
    plan_catalog,
    tell_plan,
)
from program_enrollments.api.transactions import CrossedByAnother, get_connection, in_transaction, is_passing, roll_back
from program_enrollments.catalog_sources.values import CatalogProblem, CatalogProgram
from program_enrollments.models import (
    CourseRun,
    Curriculum,
    CurriculumCourseRun,
    GradeBook,
    PreemptiveCourseEnrollment,
    Program,
    ProgramCourseEnrollment,
    School,
)

BUSY = "Another load kept writing the same program. Try again."


@dataclass(frozen=True, slots=True)
class CatalogOutcome:
    """The outcome of one program: whether it is new, its changes, or why it was not taken over.

    There is a line per change, and per row that was kept although the source no longer has it. `warnings` are about
    data that was taken over and will cause trouble.
    """

    label: str
    is_new: bool = False
    changes: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    problem: str = ""


def load_catalog(
    *, programs: Iterable[CatalogProgram | CatalogProblem], dry_run: bool = False, complete: bool = True
) -> Iterator[CatalogOutcome]:
    """Take programs over one by one, and yield the outcome of each as soon as it is committed.

    An unusable program is an outcome with a problem, and does not stop the others. Loading the same again changes
    nothing. Rows that enrollments or grades refer to are never deleted, and programs that the source no longer has are
    not changed. `complete` as in `plan_catalog`; with `dry_run` everything is rolled back. Raises the source's
    exceptions.
    """
    settled: set[str] = set()
    for wanted in programs:
        if isinstance(wanted, CatalogProblem):
            yield CatalogOutcome(wanted.label, problem=wanted.detail)
            continue
        outcome = _load(wanted, settled=settled, dry_run=dry_run, complete=complete)
        if not outcome.problem:
            settled.update(run.course_id for curriculum in wanted.curricula for run in curriculum.course_runs)
        yield outcome


def _load(wanted: CatalogProgram, *, settled: Collection[str], dry_run: bool, complete: bool) -> CatalogOutcome:
    now = timezone.now()

    def work() -> CatalogOutcome:
        mirror = _fetch_mirror(wanted)
        schools = dict(School.objects.filter(key__in=wanted.school_keys).values_list("key", "pk"))
        refusal = find_refusal(mirror=mirror, wanted=wanted, school_ids=schools)
        if refusal is not None:
            return CatalogOutcome(wanted.label, problem=refusal)
        plan = plan_catalog(mirror=mirror, wanted=wanted, settled=settled, complete=complete)
        is_new = mirror.program is None
        school_id = next(schools[key] for key in wanted.school_keys if key in schools)
        try:
            _apply(plan, mirror=mirror, wanted=wanted, school_id=school_id, now=now)
        except IntegrityError:
            # Another load has just created one of these rows. The next try finds it.
            raise CrossedByAnother from None
        warnings = tuple(_tell_ambiguous(wanted))
        if dry_run:
            roll_back()
        kept = tuple(
            f"curriculum {uuid}: {course_id} kept, there are enrollments or grades" for uuid, course_id in plan.kept
        )
        return CatalogOutcome(wanted.label, is_new, tuple(tell_plan(plan=plan, is_new=is_new)), kept, warnings)

    try:
        return in_transaction(work)
    except DataError:
        return CatalogOutcome(wanted.label, problem="The database cannot store one of its values.")
    except (CrossedByAnother, OperationalError) as error:
        if not is_passing(error):
            raise
        return CatalogOutcome(wanted.label, problem=BUSY)


def _fetch_mirror(wanted: CatalogProgram) -> Mirror:
    """Return the stored rows of a program and lock the program's row, so that its loads take turns."""
    # If the database has one, a lock that lets enrollments of the program be written meanwhile.
    no_key = get_connection().features.has_select_for_no_key_update
    program = Program.objects.select_for_update(no_key=no_key).filter(uuid=wanted.uuid).first()
    named = {curriculum.uuid: {run.course_id for run in curriculum.course_runs} for curriculum in wanted.curricula}
    curricula = list(
        Curriculum.objects.filter(Q(uuid__in=named) | Q(program__uuid=wanted.uuid)).select_related("program")
    )
    if program is None and any(curriculum.program.uuid == wanted.uuid for curriculum in curricula):
        # Another load has created the program since the first look.
        raise CrossedByAnother
    links = CurriculumCourseRun.objects.filter(curriculum__program__uuid=wanted.uuid)
    pairs = set(links.values_list("curriculum__uuid", "course_run__course_id"))
    leaving = {course_id for uuid, course_id in pairs if course_id not in named.get(uuid, {course_id})}
    runs = CourseRun.objects.filter(course_id__in=set().union(*named.values()))
    return Mirror(
        program=program,
        curricula={curriculum.uuid: curriculum for curriculum in curricula},
        runs={run.course_id: run for run in runs},
        links=pairs,
        bound=_find_bound(program, leaving) if program and leaving else frozenset(),
    )


def _find_bound(program: Program, course_ids: Collection[str]) -> frozenset[str]:
    """Return which of these course runs have enrollments or a grade book in the program."""
    referring = Q()
    for model in (ProgramCourseEnrollment, PreemptiveCourseEnrollment, GradeBook):
        referring |= Q(Exists(model._default_manager.filter(program=program, course_run=OuterRef("pk"))))
    runs = CourseRun.objects.filter(referring, course_id__in=course_ids)
    return frozenset(runs.values_list("course_id", flat=True))


def _tell_ambiguous(wanted: CatalogProgram) -> Iterator[str]:
    """Return a line per external key that several course runs of the program have. One statement."""
    runs = CourseRun.objects.filter(curricula__program__uuid=wanted.uuid).exclude(external_key="")
    carriers: dict[str, list[str]] = {}
    for key, course_id in sorted(set(runs.values_list("external_key", "course_id"))):
        carriers.setdefault(key, []).append(course_id)
    for key, course_ids in carriers.items():
        if len(course_ids) > 1:
            names = ", ".join(course_ids)
            yield f"external key {key!r} is carried by {names}: calls must name these runs by their course keys"


def _apply(plan: CatalogPlan, *, mirror: Mirror, wanted: CatalogProgram, school_id: int, now: datetime) -> None:
    """Write a plan, with a constant number of statements for any number of curricula and runs."""
    program = mirror.program
    if program is None:
        program = Program.objects.create(uuid=wanted.uuid, school_id=school_id, **wanted.fields)
    else:
        _update([program], [plan.program], now)
    Curriculum.objects.bulk_create(
        Curriculum(uuid=curriculum.uuid, program=program, **curriculum.fields) for curriculum in plan.new_curricula
    )
    _update([mirror.curricula[uuid] for uuid in plan.curricula], list(plan.curricula.values()), now)
    CourseRun.objects.bulk_create(CourseRun(course_id=run.course_id, **run.fields) for run in plan.new_runs)
    _update([mirror.runs[course_id] for course_id in plan.runs], list(plan.runs.values()), now)
    _link(plan.links)
    _unlink(plan.unlinks)


def _update(rows: Sequence[Model], changes: Sequence[Changes], now: datetime) -> None:
    """Write the changed fields of all rows, with one statement."""
    changed = []
    fields = {"modified"}
    for row, of_row in zip(rows, changes, strict=True):
        for name, (_, value) in of_row.items():
            setattr(row, name, value)
            fields.add(name)
        if of_row:
            row.modified = now  # type: ignore[attr-defined]  # (every table of the catalog has it)
            changed.append(row)
    if changed:
        type(changed[0])._default_manager.bulk_update(changed, fields=sorted(fields))


def _link(pairs: Sequence[tuple[UUID, str]]) -> None:
    if not pairs:
        return
    curricula = _keys(Curriculum, "uuid", {uuid for uuid, _ in pairs})
    runs = _keys(CourseRun, "course_id", {course_id for _, course_id in pairs})
    CurriculumCourseRun.objects.bulk_create(
        CurriculumCourseRun(curriculum_id=curricula[uuid], course_run_id=runs[course_id]) for uuid, course_id in pairs
    )


def _keys(model: type[Model], field: str, values: Collection[Any]) -> dict[Any, int]:
    return dict(model._default_manager.filter(**{f"{field}__in": values}).values_list(field, "pk"))


def _unlink(pairs: Sequence[tuple[UUID, str]]) -> None:
    if not pairs:
        return
    links = CurriculumCourseRun.objects.filter(
        curriculum__uuid__in={uuid for uuid, _ in pairs},
        course_run__course_id__in={course_id for _, course_id in pairs},
    )
    found = links.values_list("pk", "curriculum__uuid", "course_run__course_id")
    leaving = [pk for pk, *pair in found if tuple(pair) in set(pairs)]
    CurriculumCourseRun.objects.filter(pk__in=leaving).delete()
