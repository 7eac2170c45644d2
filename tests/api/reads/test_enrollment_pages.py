"""Pages of enrollments are cut where they are asked for, whole with learner, account and curriculum."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, models
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from program_enrollments.api.reads.enrollment_pages import Cut, Listed, read_page
from program_enrollments.models import (
    Curriculum,
    Learner,
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
    ProgramCourseEnrollment,
    ProgramEnrollment,
)
from tests.factories.enrollment import (
    CourseRunFactory,
    CurriculumFactory,
    LearnerFactory,
    LinkedLearnerFactory,
    PreemptiveCourseEnrollmentFactory,
    PreemptiveProgramEnrollmentFactory,
    ProgramCourseEnrollmentFactory,
    ProgramEnrollmentFactory,
)
from tests.factories.host import UserFactory

MODELS: list[type[models.Model]] = [
    PreemptiveProgramEnrollment,
    ProgramEnrollment,
    PreemptiveCourseEnrollment,
    ProgramCourseEnrollment,
]


class Place:
    """A program and a course run, and a neighbour of each that no page may show."""

    def __init__(self) -> None:
        self.curriculum = CurriculumFactory()
        self.program = self.curriculum.program
        self.other = CurriculumFactory(program__school=self.program.school)
        self.course_run, self.other_run = (CourseRunFactory(curricula=[self.curriculum, self.other]) for _ in range(2))

    def learner(self, **values: Any) -> Learner:
        learner: Learner = LearnerFactory(school=self.program.school, **values)
        return learner

    def linked(self, **account: Any) -> Learner:
        learner: Learner = LinkedLearnerFactory(school=self.program.school, user=UserFactory(**account))
        return learner

    def enroll(self, model: type[models.Model], learner: Learner, **values: Any) -> None:
        """Enroll the learner here, and beside it."""
        if model in {PreemptiveProgramEnrollment, ProgramEnrollment}:
            factory = ProgramEnrollmentFactory if model is ProgramEnrollment else PreemptiveProgramEnrollmentFactory
            factory(curriculum=self.curriculum, learner=learner, **values)
            factory(curriculum=self.other, learner=learner)
            return
        real = model is ProgramCourseEnrollment
        program_factory = ProgramEnrollmentFactory if real else PreemptiveProgramEnrollmentFactory
        factory = ProgramCourseEnrollmentFactory if real else PreemptiveCourseEnrollmentFactory
        program_factory(curriculum=self.other, learner=learner)
        program_factory(curriculum=self.curriculum, learner=learner)
        factory(program=self.program, course_run=self.course_run, learner=learner, **values)
        factory(program=self.program, course_run=self.other_run, learner=learner)

    def cut(self, model: type[models.Model], **values: Any) -> Cut:
        place = {"program_id": self.program.pk}
        if model in {PreemptiveCourseEnrollment, ProgramCourseEnrollment}:
            place["course_run_id"] = self.course_run.pk
        return Cut(place=place, **{"behind": 0, "backward": False, "limit": 100, **values})

    def ids(self, model: type[models.Model], **values: Any) -> list[int]:
        return [row.learner_id for row in read_page(model, cut=self.cut(model, **values))]


@pytest.fixture
def place(db: None) -> Place:
    return Place()


every_table = pytest.mark.parametrize("model", MODELS)


@every_table
def test_a_page_is_cut_behind_a_learner_in_either_direction(place: Place, model: type[models.Model]) -> None:
    learners = [place.learner() for _ in range(6)]
    # Made in another order than that of the learners.
    for learner in [*learners[3:], *learners[:3]]:
        place.enroll(model, learner)
    ids = [learner.pk for learner in learners]

    assert place.ids(model) == ids
    assert place.ids(model, limit=2) == ids[:2]
    assert place.ids(model, behind=ids[1], limit=3) == ids[2:5]
    assert place.ids(model, behind=ids[5]) == []
    assert place.ids(model, behind=ids[4], backward=True, limit=3) == [ids[3], ids[2], ids[1]]
    assert place.ids(model, behind=2**63 - 1, backward=True, limit=1) == [ids[5]]
    assert place.ids(model, behind=0, backward=True) == []


@every_table
def test_a_row_is_whole(place: Place, model: type[models.Model]) -> None:
    nobody = place.learner(student_key="S-1", email="s1@uni.example")
    somebody = place.linked(username="ada", email="ada@home.example")
    course = model in {PreemptiveCourseEnrollment, ProgramCourseEnrollment}
    status = "inactive" if course else "ended"
    for learner in (nobody, somebody):
        place.enroll(model, learner, status=status, **({"course_staff": True} if course else {}))

    rows = read_page(model, cut=place.cut(model))

    of_course = (True, place.course_run.pk, place.course_run.course_id) if course else ()
    uuid = Curriculum.objects.get(pk=place.curriculum.pk).uuid
    assert rows == [
        Listed(nobody.pk, "S-1", "s1@uni.example", None, None, None, status, uuid, *of_course),
        Listed(
            somebody.pk,
            somebody.student_key,
            somebody.email,
            somebody.user_id,
            "ada",
            "ada@home.example",
            status,
            uuid,
            *of_course,
        ),
    ]
    assert {type(row.curriculum_uuid) for row in rows} == {type(uuid)}
    assert {type(row.course_staff) for row in rows} == {bool if course else type(None)}


@every_table
def test_filters_choose_before_the_page_is_cut(place: Place, model: type[models.Model]) -> None:
    course = model in {PreemptiveCourseEnrollment, ProgramCourseEnrollment}
    status, rare = ("active", "inactive") if course else ("enrolled", "ended")
    learners = [place.learner() for _ in range(4)]
    for number, learner in enumerate(learners):
        place.enroll(model, learner, status=rare if number == 2 else status)
    ids = [learner.pk for learner in learners]
    now = timezone.now()
    model._default_manager.update(modified=now - timedelta(days=1))
    model._default_manager.filter(learner_id=ids[3]).update(modified=now)

    assert place.ids(model, status=rare, limit=1) == [ids[2]]
    assert place.ids(model, status="'; --%s") == []
    assert place.ids(model, modified_since=now, limit=1) == [ids[3]]
    assert place.ids(model, modified_since=now + timedelta(microseconds=1)) == []
    assert place.ids(model, learner_ids=[ids[3], ids[1]], limit=1) == [ids[1]]
    assert place.ids(model, learner_ids=[ids[0], ids[2]], behind=ids[0]) == [ids[2]]
    assert place.ids(model, learner_ids=[ids[2]], status=status) == []


@every_table
def test_nobody_is_asked_for_without_a_statement(place: Place, model: type[models.Model]) -> None:
    place.enroll(model, place.learner())
    with CaptureQueriesContext(connection) as captured:
        assert place.ids(model, learner_ids=[]) == []
    assert len(captured) == 0


@every_table
def test_a_page_takes_one_statement(place: Place, model: type[models.Model]) -> None:
    for _ in range(3):
        place.enroll(model, place.linked())
    with CaptureQueriesContext(connection) as captured:
        assert len(place.ids(model)) == 3
    assert len(captured) == 1


@every_table
def test_an_account_may_be_asked_for(place: Place, model: type[models.Model]) -> None:
    learners = [place.learner(), place.linked(), place.learner(), place.linked()]
    for learner in learners:
        place.enroll(model, learner)
    ids = [learner.pk for learner in learners]

    assert place.ids(model, linked=True) == [ids[1], ids[3]]
    assert place.ids(model, linked=False, limit=2) == [ids[0], ids[2]]
    assert place.ids(model, linked=True, behind=ids[3], backward=True) == [ids[1]]


def test_a_refused_promise_has_the_real_enrollments_curriculum(place: Place) -> None:
    learner = place.linked()
    ProgramEnrollmentFactory(curriculum=place.curriculum, learner=learner)
    ProgramEnrollmentFactory(curriculum=place.other, learner=learner)
    PreemptiveCourseEnrollmentFactory(program=place.program, course_run=place.course_run, learner=learner)

    (row,) = read_page(PreemptiveCourseEnrollment, cut=place.cut(PreemptiveCourseEnrollment))

    assert row.user_id == learner.user_id
    assert row.curriculum_uuid == place.curriculum.uuid


@pytest.mark.parametrize(
    ("promised", "real"),
    [(PreemptiveProgramEnrollment, ProgramEnrollment), (PreemptiveCourseEnrollment, ProgramCourseEnrollment)],
)
def test_whoever_becomes_real_between_the_two_tables_is_in_both(
    place: Place, promised: type[models.Model], real: type[models.Model]
) -> None:
    """Why promises are read first: the other way round such a learner would be in neither."""
    learner = place.learner()
    place.enroll(promised, learner)
    done: list[bool] = []

    def become_real(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        answer = execute(sql, params, many, context)
        if not done:
            done.append(True)
            Learner.objects.filter(pk=learner.pk).update(user=UserFactory(), link_how="sso")
            promised._default_manager.all().delete()
            PreemptiveProgramEnrollment.objects.all().delete()
            place.enroll(real, learner)
        return answer

    with connection.execute_wrapper(become_real):
        (before,) = read_page(promised, cut=place.cut(promised))
        (after,) = read_page(real, cut=place.cut(real))
    assert (before.learner_id, before.user_id) == (learner.pk, None)
    assert after.learner_id == learner.pk
    assert after.user_id is not None
    assert place.ids(promised) == []
