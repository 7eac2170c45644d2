"""Enrollments are listed, found, and given another status, which is written as the API writes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import Model
from pytest_django import Settings

from demo_lms.models import CourseAccessRole, CourseEnrollment
from program_enrollments.admin import enrollment_lists
from program_enrollments.models import (
    Learner,
    LedgerEntry,
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
    ProgramCourseEnrollment,
    ProgramEnrollment,
)
from tests.admin.conftest import Desk, Page, last_entry, url_of
from tests.factories.enrollment import (
    CurriculumFactory,
    LearnerFactory,
    LinkedLearnerFactory,
    PreemptiveCourseEnrollmentFactory,
    PreemptiveProgramEnrollmentFactory,
    ProgramCourseEnrollmentFactory,
    ProgramEnrollmentFactory,
)

FACTORIES: dict[type[Model], Any] = {
    PreemptiveProgramEnrollment: PreemptiveProgramEnrollmentFactory,
    PreemptiveCourseEnrollment: PreemptiveCourseEnrollmentFactory,
}


def change_status(desk: Desk, *enrollments: Model, **data: Any) -> Page:
    """Choose these in their list, as a browser sends it; with `apply`, what the page that asks then sends."""
    chosen = [str(enrollment.pk) for enrollment in enrollments]
    if "apply" in data:
        data["chosen"] = ",".join(chosen)
    return desk.post(url_of(type(enrollments[0])), action="change_status", _selected_action=chosen, **data)


def test_found_by_learner_and_by_program(desk: Desk) -> None:
    one = ProgramEnrollmentFactory(curriculum__program__title="Master's in Physics", learner__student_key="P-1")
    ProgramEnrollmentFactory(curriculum__program__title="Master's in History", learner__student_key="H-1")

    for text in (
        "p-1",
        "P-",
        "physics",
        str(one.program.uuid),
        one.program.uuid.hex.upper(),
        one.learner.user.username,
    ):
        (row,) = desk.get(url_of(ProgramEnrollment), q=text).rows()
        assert "P-1" in row


def test_a_status_can_be_chosen_within_a_school(desk: Desk) -> None:
    curriculum = CurriculumFactory()
    ProgramEnrollmentFactory(curriculum=curriculum, status="enrolled")
    ProgramEnrollmentFactory(curriculum=curriculum, status="ended")
    ProgramEnrollmentFactory(status="ended")
    url, school = url_of(ProgramEnrollment), str(curriculum.program.school.pk)

    assert "status=ended" not in desk.get(url).text
    assert "status=ended" in desk.get(url, school=school).text
    assert len(desk.get(url, school=school).rows()) == 2
    assert len(desk.get(url, school=school, status="ended").rows()) == 1
    assert len(desk.get(url, program=str(curriculum.program.pk), status="enrolled").rows()) == 1
    assert len(desk.get(url, status="ended").rows()) == 3


def test_promises_that_were_refused_can_be_chosen(desk: Desk) -> None:
    PreemptiveCourseEnrollmentFactory()
    PreemptiveCourseEnrollmentFactory(problem_code="enrollment_closed", problem_detail="Closed", tries=1, refusals=1)

    (row,) = desk.get(url_of(PreemptiveCourseEnrollment), refused="yes").rows()
    assert "Closed" in row


@pytest.mark.parametrize("factory", [ProgramEnrollmentFactory, PreemptiveProgramEnrollmentFactory])
def test_a_program_status_is_asked_with_a_reason_then_written_and_recorded(factory: Any, desk: Desk) -> None:
    enrollment = factory(learner__student_key="S-1")

    asked = change_status(desk, enrollment)
    assert "S-1" in asked.text
    refused = change_status(desk, enrollment, apply="1", status="suspended", reason="")
    assert refused.errors() == ["This field is required."]
    done = change_status(desk, enrollment, apply="1", status="suspended", reason="Asked by the school")

    enrollment.refresh_from_db()
    assert enrollment.status == "suspended"
    assert done.messages() == ["The status of 1 enrollment changed."]
    entry = last_entry()
    assert (entry.before, entry.after, entry.program) == ("enrolled", "suspended", enrollment.program)
    assert (entry.source, entry.actor_id, entry.reason) == ("staff", desk.user.pk, "Asked by the school")
    assert (entry.position, LedgerEntry.objects.count()) == (1, 1)


def test_a_leaving_status_can_take_course_enrollments_along(desk: Desk) -> None:
    enrollment = ProgramEnrollmentFactory()
    course = ProgramCourseEnrollmentFactory(program=enrollment.program, learner=enrollment.learner)

    change_status(desk, enrollment, apply="1", status="canceled", cascade="on", reason="why")

    course.refresh_from_db()
    assert course.status == "inactive"


def test_the_host_is_told_of_a_course_status_and_role(desk: Desk) -> None:
    course = ProgramCourseEnrollmentFactory(status="inactive")
    ProgramEnrollmentFactory(learner=course.learner, program=course.program, curriculum__program=course.program)

    change_status(desk, course, apply="1", status="active", course_staff="true", reason="why")

    course.refresh_from_db()
    assert (course.status, course.course_staff) == ("active", True)
    assert CourseEnrollment.objects.get(user=course.learner.user).is_active
    assert CourseAccessRole.objects.filter(user=course.learner.user).exists()


def test_many_are_changed_at_once_over_programs_and_what_is_refused_is_said(desk: Desk) -> None:
    first, second = (ProgramCourseEnrollmentFactory() for _ in range(2))
    for course in (first, second):
        ProgramEnrollmentFactory(learner=course.learner, program=course.program, curriculum__program=course.program)
    astray = ProgramCourseEnrollmentFactory()  # its learner is in no program

    page = change_status(desk, first, second, astray, apply="1", status="inactive", reason="why")

    assert page.messages() == [
        "The status of 2 enrollments changed.",
        "1 enrollment was not changed: The learner is not in this program.",
    ]


def test_asking_for_the_status_there_is_changes_nothing(desk: Desk) -> None:
    page = change_status(desk, ProgramEnrollmentFactory(), apply="1", status="enrolled", reason="why")

    assert page.messages() == ["1 enrollment has that status already."]
    assert not LedgerEntry.objects.exists()


def test_a_learner_known_by_address_alone_can_be_changed_too(desk: Desk) -> None:
    learner = LearnerFactory(student_key="", email="ann@uni.example")
    enrollment = PreemptiveProgramEnrollmentFactory(learner=learner, curriculum__program__school=learner.school)

    change_status(desk, enrollment, apply="1", status="ended", reason="why")

    enrollment.refresh_from_db()
    assert enrollment.status == "ended"


def test_an_enrollment_that_became_real_meanwhile_is_not_forgotten(desk: Desk) -> None:
    promise = PreemptiveProgramEnrollmentFactory()
    pk = promise.pk
    promise.delete()
    promise.pk = pk

    page = change_status(desk, promise, apply="1", status="ended", reason="why")

    assert page.messages()[0].startswith("These enrollments are not there any more")


def test_more_than_a_chunk_is_refused_before_anything_is_written(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enrollment_lists, "MAX_AT_ONCE", 1)
    one, two = ProgramEnrollmentFactory.create_batch(2)

    page = change_status(desk, one, two, apply="1", status="ended", reason="why")

    assert page.messages() == ["Choose at most 1 enrollments at a time. For more, upload a file or use the API."]
    assert not ProgramEnrollment.objects.filter(status="ended").exists()


class TestManyAtOnce:
    """The action as a browser sends it: all of a list chosen, then the form that it is asked with."""

    @pytest.fixture(params=[PreemptiveProgramEnrollment, PreemptiveCourseEnrollment], ids=lambda model: model.__name__)
    def model(self, request: pytest.FixtureRequest) -> Any:
        return request.param

    def make(self, model: type[Model], count: int) -> None:
        """Make so many enrollments of one program, waiting for accounts."""
        first = FACTORIES[model]()
        if model is PreemptiveCourseEnrollment:
            PreemptiveProgramEnrollmentFactory(
                learner=first.learner, program=first.program, curriculum__program=first.program
            )
        where: dict[str, Any] = {"program": first.program, "status": first.status}
        curriculum = CurriculumFactory(program=first.program)
        Learner.objects.bulk_create(
            Learner(school=first.program.school, student_key=f"Z-{number}", student_key_normalized=f"z-{number}")
            for number in range(count - 1)
        )
        # MySQL does not return the keys of new rows.
        learners = list(Learner.objects.filter(student_key__startswith="Z-").order_by("pk"))
        PreemptiveProgramEnrollment.objects.bulk_create(
            PreemptiveProgramEnrollment(
                learner=learner, program=first.program, curriculum=curriculum, status="enrolled"
            )
            for learner in learners
        )
        if model is PreemptiveCourseEnrollment:
            PreemptiveCourseEnrollment.objects.bulk_create(
                PreemptiveCourseEnrollment(learner=learner, course_run=first.course_run, **where)
                for learner in learners
            )

    def choose_all(self, desk: Desk, model: type[Model]) -> Page:
        first = model._default_manager.order_by("pk").first()
        assert first is not None
        return desk.post(url_of(model), action="change_status", _selected_action=str(first.pk), select_across="1")

    def send(self, desk: Desk, model: type[Model], asked: Page, status: str) -> Page:
        """Fill in the form that a page asks with, as a browser does."""
        fields: dict[str, Any] = {}
        for field in asked.tree.xpath('//div[@id="content-main"]//form//input[@type="hidden"]'):
            fields.setdefault(field.get("name"), []).append(field.get("value"))
        return desk.post(url_of(model), **fields, status=status, reason="Asked by the school")

    def test_as_many_as_are_allowed_are_changed(self, model: type[Model], desk: Desk) -> None:
        self.make(model, enrollment_lists.MAX_AT_ONCE)
        status = "suspended" if model is PreemptiveProgramEnrollment else "inactive"

        asked = self.choose_all(desk, model)
        assert "1000 enrollments are chosen" in asked.text
        done = self.send(desk, model, asked, status)

        assert done.messages() == ["The status of 1000 enrollments changed."]
        assert model._default_manager.filter(status=status).count() == 1000

    def test_one_more_is_refused_in_words(self, model: type[Model], desk: Desk) -> None:
        self.make(model, enrollment_lists.MAX_AT_ONCE + 1)
        page = self.choose_all(desk, model)
        assert page.status == 200
        assert page.messages()[0].startswith("Choose at most 1000 enrollments at a time.")

    def test_a_limit_of_the_api_below_that_does_not_matter(
        self, model: type[Model], desk: Desk, settings: Settings
    ) -> None:
        settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "MAX_ROWS": 2, "CHUNK_SIZE": 3}
        self.make(model, 5)
        status = "suspended" if model is PreemptiveProgramEnrollment else "inactive"
        done = self.send(desk, model, self.choose_all(desk, model), status)
        assert done.messages() == ["The status of 5 enrollments changed."]

    def test_only_those_chosen_when_asked_are_changed(self, model: type[Model], desk: Desk) -> None:
        self.make(model, 3)
        asked = self.choose_all(desk, model)
        later = FACTORIES[model]()
        self.send(desk, model, asked, "ended" if model is PreemptiveProgramEnrollment else "inactive")
        later.refresh_from_db()
        assert later.status in {"enrolled", "active"}

    @pytest.mark.parametrize("chosen", ["", "x", "1,x", "1,,2", "9" * 30, "-1", "1;2"])
    def test_nonsense_chosen_is_told(self, model: type[Model], desk: Desk, chosen: str) -> None:
        self.make(model, 1)
        pk = str(model._default_manager.get().pk)
        page = desk.post(
            url_of(model), action="change_status", _selected_action=pk, apply="1", chosen=chosen, status="ended"
        )
        assert page.status == 200
        assert page.messages()[0].startswith("These enrollments are not there any more")
        assert not LedgerEntry.objects.exists()


@pytest.mark.parametrize("factory", [PreemptiveProgramEnrollmentFactory, ProgramCourseEnrollmentFactory])
def test_numbers_are_sent_plain_where_numbers_are_shown_with_separators(
    factory: Any, desk: Desk, settings: Settings
) -> None:
    settings.USE_THOUSAND_SEPARATOR = True
    enrollment = factory(pk=1_234_502)
    model = type(enrollment)
    shown = desk.get(url_of(model, "change", enrollment.pk))
    [field] = shown.tree.xpath('//form[@id="change-status"]//input[@name="_selected_action"]')
    assert field.get("value") == "1234502"

    asked = change_status(desk, enrollment)
    values = asked.tree.xpath('//div[@id="content-main"]//form//input[@type="hidden"]/@value')
    assert "1234502" in values
    assert not [value for value in values if "1,234" in value or "1\xa0234" in value]


@pytest.mark.parametrize("model", [ProgramEnrollment, ProgramCourseEnrollment], ids=lambda model: model.__name__)
def test_whoever_may_only_look_cannot_change(model: type[Model], desk_with: Callable[..., Desk]) -> None:
    desk = desk_with(f"view_{model.__name__.lower()}")
    factory = ProgramEnrollmentFactory if model is ProgramEnrollment else ProgramCourseEnrollmentFactory
    enrollment = factory(learner=LinkedLearnerFactory())

    assert "change_status" not in desk.get(url_of(model)).text
    assert "change_status" not in desk.get(url_of(model, "change", enrollment.pk)).text
    change_status(desk, enrollment, apply="1", status="inactive", reason="why")
    assert not LedgerEntry.objects.exists()


def test_the_page_of_an_enrollment_leads_to_its_learner_and_to_the_change(desk: Desk) -> None:
    enrollment = PreemptiveProgramEnrollmentFactory()

    page = desk.get(url_of(PreemptiveProgramEnrollment, "change", enrollment.pk))

    assert page.tree.xpath(f'//a[contains(@href,"/learner/{enrollment.learner.pk}/change/")]')
    (button,) = page.tree.xpath('//input[@type="submit" and @form=//form[contains(@action,"/")]/@id]')
    assert button.get("value") == "Change the status"
