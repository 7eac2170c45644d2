"""A page costs what is on it, however long the list is and wherever in it the page is."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from django.db import models
from django.utils import timezone

from program_enrollments.api.reads.enrollment_pages import Cut, read_page
from program_enrollments.models import (
    Learner,
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
    ProgramCourseEnrollment,
    ProgramEnrollment,
)
from program_enrollments.sql.bulk import insert_rows
from tests.factories.enrollment import CourseRunFactory, CurriculumFactory
from tests.rows_read import analyze, count_rows_read, renew_tables

LEARNERS = 4_000
ROWS = 50
PER_ROW = 9
"""An enrollment, the same when the page that was cut is joined, the learner, whether there is an account, the account,
up to two enrollments in the program, the curriculum and the course run.
"""


class World:
    """The same learners in two programs, and in two course runs of one of them."""

    def __init__(self, model: type[models.Model], *, learners: int = LEARNERS) -> None:
        renew_tables(Learner, ProgramEnrollment, PreemptiveProgramEnrollment, model)
        curriculum = CurriculumFactory()
        other = CurriculumFactory(program__school=curriculum.program.school)
        self.program, self.course_run = curriculum.program, CourseRunFactory(curricula=[curriculum])
        self.model, self.moments = model, {name: timezone.now() for name in ("created", "modified")}
        texts = dict.fromkeys(("email", "link_how", "problem_code", "problem_detail"), "")
        self._insert(
            Learner,
            {"school": self.program.school_id, **texts},
            student_key=[f"S-{number}" for number in range(learners)],
            student_key_normalized=[f"s-{number}" for number in range(learners)],
        )
        self.ids = sorted(Learner.objects.values_list("pk", flat=True))
        # Enrolled in another order than made, as by files in the order of names.
        mixed = Random(1).sample(self.ids, learners)
        programs = (ProgramEnrollment if self.is_real else PreemptiveProgramEnrollment) if self.is_course else model
        for each in (curriculum, other):
            in_program = {"program": each.program_id, "curriculum": each.pk, "status": "enrolled"}
            self._insert(programs, in_program, learner=mixed)
        if self.is_course:
            others = {"problem_code": "", "problem_detail": "", "tries": 0, "refusals": 0}
            others = {"course_staff_given": False} if self.is_real else others
            for run in (self.course_run, CourseRunFactory(curricula=[curriculum])):
                in_run = {"program": self.program.pk, "course_run": run.pk, "status": "inactive"}
                self._insert(model, {**in_run, "course_staff": False, **others}, learner=mixed)

        analyze(Learner, programs, model)

    @property
    def is_course(self) -> bool:
        return self.model in {PreemptiveCourseEnrollment, ProgramCourseEnrollment}

    @property
    def is_real(self) -> bool:
        return self.model in {ProgramEnrollment, ProgramCourseEnrollment}

    def _insert(self, model: type[models.Model], same: dict[str, Any], **each: list[Any]) -> None:
        same = {**same, **self.moments}
        rows = [(*values, *same.values()) for values in zip(*each.values(), strict=True)]
        insert_rows(model, fields=(*each, *same), rows=rows)

    def count_rows_read(self, **options: Any) -> int:
        place = {"program_id": self.program.pk, **({"course_run_id": self.course_run.pk} if self.is_course else {})}
        cut = Cut(**{"place": place, "backward": False, "limit": ROWS, **options})

        def read() -> None:
            assert len(read_page(self.model, cut=cut)) == ROWS

        return count_rows_read(read)


@pytest.fixture(
    params=[PreemptiveProgramEnrollment, ProgramEnrollment, PreemptiveCourseEnrollment, ProgramCourseEnrollment]
)
def world(db: None, request: pytest.FixtureRequest) -> World:
    return World(request.param)


@pytest.mark.only_on("mariadb", "postgresql")
@pytest.mark.parametrize("share", [0, 0.3, 0.7])
def test_no_more_is_read_than_the_page_shows(world: World, share: float) -> None:
    first, last = world.ids[int(LEARNERS * share)], world.ids[-1 - int(LEARNERS * share)]
    read = {
        "forward": world.count_rows_read(behind=first),
        "backward": world.count_rows_read(behind=last, backward=True),
        "without an account": world.count_rows_read(behind=first, linked=False),
        "of one status": world.count_rows_read(behind=first, status="inactive" if world.is_course else "enrolled"),
    }
    if world.is_course:
        runs: dict[str, Any] = {"place": {"program_id": world.program.pk}, "keys": ("course_run_id", "learner_id")}
        run_id = world.course_run.pk
        read["of all runs"] = world.count_rows_read(**runs, behind=run_id - 1)
        read["of all runs, backward"] = world.count_rows_read(**runs, behind=run_id + 1, backward=True)
    assert max(read.values()) <= PER_ROW * ROWS + 10, read


@pytest.mark.only_on("mariadb", "postgresql")
def test_who_has_no_account_is_found_on_the_way(db: None) -> None:
    """Took PostgreSQL that for something rare, it would look for all of them first, and sort."""
    world = World(PreemptiveProgramEnrollment, learners=20_000)
    behind = [world.ids[place] for place in (0, 10_000, 16_000)]
    assert max(world.count_rows_read(behind=each, linked=False) for each in behind) <= PER_ROW * ROWS + 10
