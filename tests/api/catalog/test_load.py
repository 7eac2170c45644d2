"""What loading programs leaves in the tables."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from program_enrollments import api
from program_enrollments.catalog_sources.values import (
    CatalogCourseRun,
    CatalogCurriculum,
    CatalogProblem,
    CatalogProgram,
)
from program_enrollments.models import CourseRun, Curriculum, CurriculumCourseRun, GradeBook, Program, School
from tests.factories.enrollment import (
    CurriculumFactory,
    PreemptiveCourseEnrollmentFactory,
    ProgramCourseEnrollmentFactory,
    SchoolFactory,
)

START = datetime(2026, 9, 1, tzinfo=UTC)


def run(course_id: str, title: str = "Title") -> CatalogCourseRun:
    return CatalogCourseRun(course_id, {"title": title, "start": START, "external_key": f"ext-{course_id}"})


def curriculum(*course_ids: str, uuid: UUID | None = None, is_active: bool = True) -> CatalogCurriculum:
    return CatalogCurriculum(uuid or uuid4(), {"is_active": is_active}, tuple(map(run, course_ids)))


def program(
    *curricula: CatalogCurriculum, uuid: UUID | None = None, title: str = "Science", school: str = "uni-a"
) -> CatalogProgram:
    return CatalogProgram(uuid or uuid4(), {"title": title, "type": "Masters"}, (school,), curricula)


def load(*programs: CatalogProgram | CatalogProblem, **options: bool) -> list[api.CatalogOutcome]:
    return list(api.load_catalog(programs=programs, **options))


def stored_links() -> set[tuple[UUID, str]]:
    return set(CurriculumCourseRun.objects.values_list("curriculum__uuid", "course_run__course_id"))


@pytest.fixture(autouse=True)
def uni_a(db: None) -> School:
    school: School = SchoolFactory(key="uni-a")
    return school


def test_a_new_program_is_made_with_all_that_belongs_to_it() -> None:
    wanted = program(curriculum("run-1", "run-2"), curriculum("run-2", is_active=False))

    [outcome] = load(wanted)

    assert outcome == api.CatalogOutcome(
        f"Science ({wanted.uuid})", is_new=True, changes=("new program; curricula: 2, course runs: 2",)
    )
    made = Program.objects.get()
    assert (made.uuid, made.title, made.type, made.key, made.url) == (wanted.uuid, "Science", "Masters", "", "")
    assert made.school.key == "uni-a"
    one, two = wanted.curricula
    assert set(Curriculum.objects.values_list("uuid", "is_active", "program")) == {
        (one.uuid, True, made.pk),
        (two.uuid, False, made.pk),
    }
    assert stored_links() == {(one.uuid, "run-1"), (one.uuid, "run-2"), (two.uuid, "run-2")}
    assert set(CourseRun.objects.values_list("course_id", "external_key", "start")) == {
        ("run-1", "ext-run-1", START),
        ("run-2", "ext-run-2", START),
    }


def test_loading_the_same_again_writes_nothing() -> None:
    wanted = program(curriculum("run-1", "run-2"))
    load(wanted)
    stamps = list(Program.objects.values_list("modified")) + list(CourseRun.objects.values_list("modified"))

    with CaptureQueriesContext(connection) as captured:
        [outcome] = load(wanted)

    assert outcome == api.CatalogOutcome(wanted.label)
    assert not [sql for sql in (query["sql"] for query in captured) if sql.startswith(("INSERT", "UPDATE", "DELETE"))]
    assert stamps == list(Program.objects.values_list("modified")) + list(CourseRun.objects.values_list("modified"))


class TestAmbiguousExternalKeys:
    """A school's key that two runs of a program carry names neither of them on the wire."""

    def described(self, *keys: str, uuid: UUID | None = None) -> CatalogProgram:
        runs = [CatalogCourseRun(f"run-{number}", {"external_key": key}) for number, key in enumerate(keys)]
        return program(CatalogCurriculum(uuid4(), {}, tuple(runs)), uuid=uuid or uuid4())

    def test_are_warned_of_at_every_load(self) -> None:
        wanted = self.described("CS-1", "CS-2", "CS-1", "", "", "cs-2")
        warning = "external key 'CS-1' is carried by run-0, run-2: calls must name these runs by their course keys"

        assert [outcome.warnings for outcome in load(wanted)] == [(warning,)]
        assert load(wanted) == [api.CatalogOutcome(wanted.label, warnings=(warning,))]

    def test_are_warned_of_by_a_dry_run_also_between_what_is_here_and_what_comes(self) -> None:
        first = self.described("CS-1")
        load(first)
        second = program(
            CatalogCurriculum(uuid4(), {}, (CatalogCourseRun("run-9", {"external_key": "CS-1"}),)), uuid=first.uuid
        )

        [outcome] = api.load_catalog(programs=[second], dry_run=True, complete=False)

        assert [line.partition(":")[0] for line in outcome.warnings] == [
            "external key 'CS-1' is carried by run-0, run-9"
        ]
        assert not CourseRun.objects.filter(course_id="run-9").exists()

    def test_of_two_programs_are_none(self) -> None:
        load(self.described("CS-1"))
        other = program(CatalogCurriculum(uuid4(), {}, (CatalogCourseRun("run-9", {"external_key": "CS-1"}),)))
        assert [outcome.warnings for outcome in load(other)] == [()]


def test_what_changed_is_changed_and_told() -> None:
    first = curriculum("run-1", "run-2")
    before = program(first)
    load(before)
    old = CourseRun.objects.get(course_id="run-1")
    after = program(
        CatalogCurriculum(first.uuid, {}, (run("run-1", "Renamed"), run("run-3"))),
        uuid=before.uuid,
        title="Sciences",
    )

    [outcome] = load(after)

    assert outcome.changes == (
        "title 'Science' -> 'Sciences'",
        "course run run-3: new",
        "course run run-1: title 'Title' -> 'Renamed'",
        f"curriculum {first.uuid}: run-3 added",
        f"curriculum {first.uuid}: run-2 taken out",
    )
    assert Program.objects.get().title == "Sciences"
    renamed = CourseRun.objects.get(course_id="run-1")
    assert (renamed.pk, renamed.title) == (old.pk, "Renamed")
    assert renamed.modified > old.modified
    assert stored_links() == {(first.uuid, "run-1"), (first.uuid, "run-3")}
    # The run itself may be in other programs.
    assert CourseRun.objects.filter(course_id="run-2").exists()


def test_a_curriculum_that_is_gone_becomes_inactive_with_its_runs_in_place() -> None:
    gone, stays = curriculum("run-1"), curriculum("run-2")
    before = program(gone, stays)
    load(before)

    [outcome] = load(program(stays, uuid=before.uuid))

    assert outcome.changes == (f"curriculum {gone.uuid}: is_active True -> False",)
    assert not Curriculum.objects.get(uuid=gone.uuid).is_active
    assert (gone.uuid, "run-1") in stored_links()


@pytest.mark.parametrize(
    "refer", [ProgramCourseEnrollmentFactory, PreemptiveCourseEnrollmentFactory, GradeBook.objects.create]
)
def test_a_run_stays_where_enrollments_or_grades_of_the_program_refer_to_it(refer: type) -> None:
    only = curriculum("run-1", "run-2", "run-3")
    before = program(only)
    load(before)
    runs = {each.course_id: each for each in CourseRun.objects.all()}
    refer(program=Program.objects.get(), course_run=runs["run-2"])
    # Another program's enrollments are no reason.
    ProgramCourseEnrollmentFactory(program=CurriculumFactory().program, course_run=runs["run-3"])
    after = program(curriculum("run-1", uuid=only.uuid), uuid=before.uuid)

    [outcome] = load(after)

    assert stored_links() == {(only.uuid, "run-1"), (only.uuid, "run-2")}
    assert outcome.changes == (f"curriculum {only.uuid}: run-3 taken out",)
    assert outcome.kept == (f"curriculum {only.uuid}: run-2 kept, there are enrollments or grades",)
    assert load(after)[0].changes == ()


def test_a_part_of_a_program_takes_nothing_away() -> None:
    one, two = curriculum("run-1"), curriculum("run-2")
    before = program(one, two)
    load(before)

    [outcome] = load(program(curriculum("run-3", uuid=one.uuid), uuid=before.uuid), complete=False)

    assert outcome.changes == ("course run run-3: new", f"curriculum {one.uuid}: run-3 added")
    assert stored_links() == {(one.uuid, "run-1"), (one.uuid, "run-3"), (two.uuid, "run-2")}
    assert Curriculum.objects.filter(is_active=True).count() == 2


def test_a_dry_run_tells_the_same_and_writes_nothing() -> None:
    wanted = program(curriculum("run-1"))

    told = load(wanted, dry_run=True)

    assert not Program.objects.exists()
    assert not CourseRun.objects.exists()
    assert told == load(wanted)


def test_problems_are_outcomes_and_the_others_go_on() -> None:
    theirs = CurriculumFactory(program__school__key="uni-b")
    outcomes = load(
        CatalogProblem("line 2", "Unreadable."),
        program(school="nowhere"),
        program(uuid=theirs.program.uuid),
        program(curriculum(uuid=theirs.uuid)),
        program(title="Good"),
    )

    assert [bool(outcome.problem) for outcome in outcomes] == [True, True, True, True, False]
    assert outcomes[0] == api.CatalogOutcome("line 2", problem="Unreadable.")
    assert Program.objects.exclude(pk=theirs.program_id).get().title == "Good"
    theirs.refresh_from_db()
    assert theirs.program.school.key == "uni-b"


def test_two_programs_that_disagree_about_a_run_don_t_take_turns() -> None:
    first, second = curriculum(), curriculum()
    one = program(CatalogCurriculum(first.uuid, {}, (run("run-1", "One"),)))
    two = program(CatalogCurriculum(second.uuid, {}, (run("run-1", "Another"),)))

    load(one, two)

    assert CourseRun.objects.get().title == "One"
    assert [outcome.changes for outcome in load(one, two)] == [(), ()]


def test_keys_that_differ_in_case_are_different_runs() -> None:
    load(program(curriculum("run-a", "run-A")))
    assert CourseRun.objects.count() == 2


def test_the_number_of_statements_does_not_grow() -> None:
    def statements(size: int) -> int:
        uuids = [uuid4() for _ in range(size)]
        runs = [[f"{uuid}-{number}" for number in range(size)] for uuid in uuids]
        before = program(*[curriculum(*ids, uuid=uuid) for uuid, ids in zip(uuids, runs, strict=True)])
        after = program(
            *[
                CatalogCurriculum(uuid, {"name": "N"}, tuple(run(each, "T") for each in [*ids[1:], f"{uuid}-new"]))
                for uuid, ids in zip(uuids, runs, strict=True)
            ],
            uuid=before.uuid,
        )
        with CaptureQueriesContext(connection) as captured:
            load(before)
            load(after)
        return len(captured)

    assert statements(2) == statements(6)
