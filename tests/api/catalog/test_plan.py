"""What a description of a program changes in the mirror, decided without a database."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from program_enrollments.api.catalog.plan import (
    CatalogPlan,
    Mirror,
    find_refusal,
    plan_catalog,
    tell_plan,
)
from program_enrollments.catalog_sources.values import CatalogCourseRun, CatalogCurriculum, CatalogProgram
from program_enrollments.models import CourseRun, Curriculum, Program, School

SCHOOL = School(pk=1, key="uni-a")
PROGRAM = Program(pk=10, uuid=uuid4(), school=SCHOOL, key="msc", title="Science", type="Masters", url="")
CURRICULUM = Curriculum(pk=20, uuid=uuid4(), program=PROGRAM, name="2026", is_active=True)
RUN = CourseRun(pk=30, course_id="run-1", external_key="ext-1", title="One")
MIRROR = Mirror(
    program=PROGRAM,
    curricula={CURRICULUM.uuid: CURRICULUM},
    runs={RUN.course_id: RUN},
    links={(CURRICULUM.uuid, RUN.course_id)},
    bound=frozenset(),
)
EMPTY = Mirror(program=None, curricula={}, runs={}, links=(), bound=())
AS_IT_IS = CatalogCurriculum(CURRICULUM.uuid, {"name": "2026"}, (CatalogCourseRun("run-1", {"title": "One"}),))


def described(*curricula: CatalogCurriculum, **fields: Any) -> CatalogProgram:
    return CatalogProgram(PROGRAM.uuid, {"title": "Science", **fields}, ("uni-a",), curricula)  # type: ignore[typeddict-item]


def test_what_is_as_described_needs_nothing() -> None:
    assert plan_catalog(mirror=MIRROR, wanted=described(AS_IT_IS)) == CatalogPlan()


def test_only_what_differs_is_changed() -> None:
    plan = plan_catalog(
        mirror=MIRROR,
        wanted=described(
            CatalogCurriculum(
                CURRICULUM.uuid,
                {"name": "2027", "is_active": True},
                (CatalogCourseRun("run-1", {"title": "One", "external_key": ""}),),
            ),
            title="Sciences",
            type="Masters",
        ),
    )
    assert plan == CatalogPlan(
        program={"title": ("Science", "Sciences")},
        curricula={CURRICULUM.uuid: {"name": ("2026", "2027")}},
        runs={"run-1": {"external_key": ("ext-1", "")}},
    )


def test_everything_is_new_in_an_empty_mirror() -> None:
    wanted = described(AS_IT_IS)
    plan = plan_catalog(mirror=EMPTY, wanted=wanted)
    assert plan == CatalogPlan(
        new_curricula=[AS_IT_IS], new_runs=list(AS_IT_IS.course_runs), links=[(CURRICULUM.uuid, "run-1")]
    )
    assert list(tell_plan(plan=plan, is_new=True)) == ["new program; curricula: 1, course runs: 1"]


def test_a_run_in_two_curricula_is_made_once() -> None:
    run = CatalogCourseRun("run-2", {})
    other = CatalogCurriculum(uuid4(), {}, (run,))
    plan = plan_catalog(mirror=MIRROR, wanted=described(CatalogCurriculum(CURRICULUM.uuid, {}, (run,)), other))
    assert plan.new_runs == [run]
    assert plan.links == [(CURRICULUM.uuid, "run-2"), (other.uuid, "run-2")]


@pytest.mark.parametrize(("stored", "said", "key"), [("", "msc", "msc"), ("msc", "renamed", "msc")])
def test_the_programs_key_is_filled_in_but_never_replaced(stored: str, said: str, key: str) -> None:
    program = Program(pk=10, uuid=PROGRAM.uuid, school=SCHOOL, key=stored, title="Science")
    mirror = Mirror(program, {}, {}, (), ())
    changes = plan_catalog(mirror=mirror, wanted=described(key=said)).program
    assert changes.get("key", (stored, stored))[1] == key


class TestLeaving:
    def test_a_curriculum_that_is_gone_becomes_inactive_once(self) -> None:
        assert plan_catalog(mirror=MIRROR, wanted=described()) == CatalogPlan(
            curricula={CURRICULUM.uuid: {"is_active": (True, False)}}
        )
        inactive = Curriculum(pk=20, uuid=CURRICULUM.uuid, program=PROGRAM, is_active=False)
        mirror = Mirror(PROGRAM, {inactive.uuid: inactive}, {}, MIRROR.links, ())
        assert plan_catalog(mirror=mirror, wanted=described()) == CatalogPlan()

    def test_a_run_that_is_gone_leaves_the_curriculum(self) -> None:
        plan = plan_catalog(mirror=MIRROR, wanted=described(CatalogCurriculum(CURRICULUM.uuid, {})))
        assert plan == CatalogPlan(unlinks=[(CURRICULUM.uuid, "run-1")])

    def test_a_run_that_enrollments_refer_to_stays(self) -> None:
        mirror = Mirror(PROGRAM, MIRROR.curricula, MIRROR.runs, MIRROR.links, {"run-1"})
        plan = plan_catalog(mirror=mirror, wanted=described(CatalogCurriculum(CURRICULUM.uuid, {})))
        assert plan == CatalogPlan(kept=[(CURRICULUM.uuid, "run-1")])
        assert list(tell_plan(plan=plan, is_new=False)) == []

    def test_nothing_leaves_where_the_description_is_not_the_whole(self) -> None:
        for wanted in (described(), described(CatalogCurriculum(CURRICULUM.uuid, {}))):
            assert plan_catalog(mirror=MIRROR, wanted=wanted, complete=False) == CatalogPlan()


def test_a_run_that_was_described_before_keeps_that_description() -> None:
    wanted = described(CatalogCurriculum(CURRICULUM.uuid, {}, (CatalogCourseRun("run-1", {"title": "Uno"}),)))
    assert plan_catalog(mirror=MIRROR, wanted=wanted, settled={"run-1"}) == CatalogPlan()


class TestRefusals:
    @pytest.mark.parametrize("keys", [("uni-b",), ("uni-b", "uni-c")])
    def test_a_school_that_is_not_there(self, keys: tuple[str, ...]) -> None:
        wanted = CatalogProgram(uuid4(), {"title": "Science"}, keys)
        refusal = find_refusal(mirror=EMPTY, wanted=wanted, school_ids={"uni-a": 1})
        assert refusal is not None
        assert " or ".join(keys) in refusal

    def test_a_program_does_not_change_schools(self) -> None:
        wanted = CatalogProgram(PROGRAM.uuid, {"title": "Science"}, ("uni-b",))
        refusal = find_refusal(mirror=MIRROR, wanted=wanted, school_ids={"uni-a": 1, "uni-b": 2})
        assert refusal is not None
        assert "uni-a" in refusal

    def test_a_program_of_two_schools_stays_where_it_is(self) -> None:
        wanted = CatalogProgram(PROGRAM.uuid, {"title": "Science"}, ("uni-b", "uni-a"))
        assert find_refusal(mirror=MIRROR, wanted=wanted, school_ids={"uni-a": 1, "uni-b": 2}) is None

    def test_a_curriculum_of_another_program_is_not_taken_from_it(self) -> None:
        for uuid in (uuid4(), PROGRAM.uuid):
            program = PROGRAM if uuid == PROGRAM.uuid else None
            theirs = Curriculum(pk=21, uuid=UUID(int=7), program_id=11)
            mirror = Mirror(program, {theirs.uuid: theirs}, {}, (), ())
            wanted = CatalogProgram(uuid, {"title": "Science"}, ("uni-a",), (CatalogCurriculum(theirs.uuid, {}),))
            refusal = find_refusal(mirror=mirror, wanted=wanted, school_ids={"uni-a": 1})
            assert refusal is not None
            assert str(theirs.uuid) in refusal


def test_every_change_is_told() -> None:
    uuid = UUID(int=1)
    plan = CatalogPlan(
        program={"title": ("A", "B")},
        new_curricula=[CatalogCurriculum(uuid, {})],
        curricula={UUID(int=2): {"is_active": (True, False)}},
        new_runs=[CatalogCourseRun("run-2", {})],
        runs={"run-1": {"start": (None, None), "title": ("", "One")}},
        links=[(uuid, "run-2")],
        unlinks=[(uuid, "run-1")],
    )
    assert list(tell_plan(plan=plan, is_new=False)) == [
        "title 'A' -> 'B'",
        f"curriculum {uuid}: new",
        f"curriculum {UUID(int=2)}: is_active True -> False",
        "course run run-2: new",
        "course run run-1: start none -> none",
        "course run run-1: title '' -> 'One'",
        f"curriculum {uuid}: run-2 added",
        f"curriculum {uuid}: run-1 taken out",
    ]
