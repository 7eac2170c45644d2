"""The learners of a program: listed, found, filtered, exported, changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from program_enrollments.data import Permission, Source
from program_enrollments.models import (
    Disclosure,
    Learner,
    LedgerEntry,
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
)
from tests.console.conftest import Desk, enroll, learner_id
from tests.factories.enrollment import (
    LearnerFactory,
    LinkedLearnerFactory,
    PreemptiveCourseEnrollmentFactory,
    ProgramCourseEnrollmentFactory,
    ProgramEnrollmentFactory,
)
from tests.factories.host import UserFactory
from tests.rest_api.callers import Campus


def test_a_program_without_learners_says_what_to_do(registrar: Desk, campus: Campus) -> None:
    page = registrar.open("learners", campus.program.uuid)

    assert page.heading == "Learners"
    assert "Nobody is in this program yet" in page.text
    assert "Add learners" in page.text


def test_learners_stand_with_their_state(registrar: Desk, campus: Campus) -> None:
    enroll(campus, "S-1")
    enroll(campus, "S-2", status="canceled")
    sasha = LinkedLearnerFactory(school=campus.school, student_key="S-3", user=UserFactory(username="sasha"))
    ProgramEnrollmentFactory(curriculum=campus.curriculum, learner=sasha)
    Learner.objects.filter(pk=sasha.pk).update(problem_code="conflict", problem_detail="Two accounts.")

    rows = registrar.open("learners", campus.program.uuid).rows()

    assert "S-1 – none – none enrolled waiting for an account" in rows[0]
    assert "canceled no account" in rows[1]
    assert "S-3 – none sasha enrolled needs help Two accounts claim this learner." in rows[2]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "s-1"}, ["S-1", "S-10"]),
        ({"q": "SASHA@uni.example"}, ["S-3"]),
        ({"q": "sasha"}, ["S-3"]),
        ({"status": "pending"}, ["S-2"]),
        ({"state": "in"}, ["S-3"]),
        ({"state": "waiting"}, ["S-1", "S-10", "S-2"]),
        ({"state": "help"}, ["S-3"]),
        ({"state": "help", "q": "S-1"}, []),
        ({"since": "2100-01-01"}, []),
    ],
)
def test_filters_stand_in_the_address(registrar: Desk, campus: Campus, query: dict[str, str], found: list[str]) -> None:
    enroll(campus, "S-1", "S-10")
    enroll(campus, "S-2", status="pending")
    sasha = LinkedLearnerFactory(
        school=campus.school, student_key="S-3", email="sasha@uni.example", user=UserFactory(username="sasha")
    )
    ProgramEnrollmentFactory(curriculum=campus.curriculum, learner=sasha)
    PreemptiveCourseEnrollmentFactory(
        program=campus.program, course_run=campus.course_run, learner=sasha, problem_code="host_refused", refusals=5
    )

    page = registrar.open("learners", campus.program.uuid, **query)
    exported = registrar.download("learners", campus.program.uuid, **query)

    assert sorted(row.split()[0].removeprefix("Choose ") for row in page.tree.xpath("//tbody/tr/th//text()")) == found
    assert sorted(line.split(",")[0] for line in exported[1:]) == found
    if not found:
        assert "No learner fits" in page.text


def test_a_filter_that_cannot_be_read_shows_nobody(registrar: Desk, campus: Campus) -> None:
    enroll(campus, "S-1")

    page = registrar.open("learners", campus.program.uuid, status="enroled")

    assert page.status == 400
    assert page.rows() == []


def test_an_export_goes_back_in_as_an_upload(registrar: Desk, campus: Campus) -> None:
    enroll(campus, "S-1")
    enroll(campus, "=1+1")

    lines = registrar.download("learners", campus.program.uuid)

    assert lines[0] == "student_key,email,username,status,curriculum_uuid,state"
    assert lines[1] == f"S-1,,,enrolled,{campus.curriculum.uuid},waiting"
    assert lines[2].startswith("'=1+1,"), "no spreadsheet computes it"


def test_pages_are_turned_without_losing_filters(registrar: Desk, campus: Campus, settings: Any) -> None:
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "PAGE_SIZE": 2}
    enroll(campus, "S-1", "S-2", "S-3")

    first = registrar.open("learners", campus.program.uuid, status="enrolled")
    (following,) = first.tree.xpath('//a[@rel="next"]/@href')
    second = registrar.client.get(f"/console/programs/{campus.program.uuid}/learners/{following}")

    assert "status=enrolled" in following
    assert b"S-3" in second.content
    assert b"S-2" not in second.content


def test_who_looked_and_who_exported_is_recorded_without_naming_anybody(registrar: Desk, campus: Campus) -> None:
    enroll(campus, "S-1", "S-2")

    registrar.open("learners", campus.program.uuid, q="S-1", status="enrolled")
    registrar.download("learners", campus.program.uuid)
    registrar.open("learner", campus.program.uuid, learner_id(campus, "S-2"))

    looks = list(Disclosure.objects.order_by("pk").values_list("page", "filters", "rows", "is_export", "learner_id"))
    assert looks == [
        ("learners", "search, status=enrolled", 1, False, None),
        ("learners", "", 2, True, None),
        ("learner", "", 1, False, learner_id(campus, "S-2")),
    ]
    assert set(Disclosure.objects.values_list("user_id", "school_id")) == {(registrar.user.pk, campus.school.pk)}


class TestChangingStatuses:
    def test_a_preview_changes_nothing(self, registrar: Desk, campus: Campus) -> None:
        enroll(campus, "S-1", "S-2", active=True)
        before = LedgerEntry.objects.count()

        page = registrar.send(
            "status", campus.program.uuid, learner=[learner_id(campus, "S-1")], status="suspended", cascade="on"
        )

        assert page.rows() == ["S-1 enrolled → suspended"]
        assert "1 learner would be changed" in page.text
        assert LedgerEntry.objects.count() == before

    def test_with_a_reason_it_is_done_and_recorded(self, registrar: Desk, campus: Campus) -> None:
        enroll(campus, "S-1", "S-2", active=True)
        back = f"/console/programs/{campus.program.uuid}/learners/?status=enrolled"

        page = registrar.send(
            "status",
            campus.program.uuid,
            learner=[learner_id(campus, "S-1")],
            status="suspended",
            cascade="on",
            confirm="1",
            reason="Fees are open",
            back=back,
        )

        assert page.messages() == ["1 learner was changed."]
        assert page.redirected_to == back
        assert PreemptiveProgramEnrollment.objects.get(learner__student_key="S-1").status == "suspended"
        assert PreemptiveCourseEnrollment.objects.get(learner__student_key="S-1").status == "inactive"
        assert PreemptiveCourseEnrollment.objects.get(learner__student_key="S-2").status == "active"
        entry = LedgerEntry.objects.filter(kind="program_enrollment").latest("pk")
        assert (entry.source, entry.reason, entry.actor_id) == (Source.CONSOLE, "Fees are open", registrar.user.pk)
        assert len(entry.request_id) == 9

    def test_without_a_reason_it_is_not(self, registrar: Desk, campus: Campus) -> None:
        enroll(campus, "S-1")

        page = registrar.send(
            "status", campus.program.uuid, learner=[learner_id(campus, "S-1")], status="ended", confirm="1", reason=" "
        )

        assert page.errors() == ["This field is required."]
        assert PreemptiveProgramEnrollment.objects.get().status == "enrolled"

    def test_nobody_chosen_is_said(self, registrar: Desk, campus: Campus) -> None:
        page = registrar.send("status", campus.program.uuid, status="ended")

        assert page.messages() == ["Choose at least one learner."]

    def test_a_learner_of_another_school_is_left_out(self, registrar: Desk, campus: Campus) -> None:
        """Even if a learner with the same student ID is here: it was not that one who was chosen."""
        enroll(campus, "S-1")
        stranger = LearnerFactory(student_key="S-1")

        page = registrar.send(
            "status", campus.program.uuid, learner=[stranger.pk], status="ended", confirm="1", reason="A mistake"
        )

        assert page.messages() == ["0 learners were changed."]
        assert PreemptiveProgramEnrollment.objects.get().status == "enrolled"

    def test_it_never_leads_to_another_site(self, registrar: Desk, campus: Campus) -> None:
        page = registrar.client.post(
            f"/console/programs/{campus.program.uuid}/learners/status/", {"back": "https://evil.example/"}
        )

        assert page["Location"] == f"/console/programs/{campus.program.uuid}/learners/"

    def test_whoever_only_reads_cannot(self, holding: Callable[..., Desk], campus: Campus) -> None:
        enroll(campus, "S-1")
        viewer = holding(Permission.READ_ENROLLMENTS)

        page = viewer.send(
            "status", campus.program.uuid, learner=[learner_id(campus, "S-1")], status="ended", confirm="1", reason="x"
        )

        assert page.status == 403
        assert "You lack the permission to write enrollments here." in page.text
        assert PreemptiveProgramEnrollment.objects.get().status == "enrolled"
        assert "Preview the change" not in viewer.open("learners", campus.program.uuid).text


class TestTheFilterByCourse:
    """It keeps those who are active in the course, with and without an account."""

    @pytest.fixture(autouse=True)
    def _learners(self, campus: Campus) -> None:
        enroll(campus, "S-1", active=True)
        enroll(campus, "S-2")
        for key in ("S-3", "S-4", "S-5"):
            learner = LinkedLearnerFactory(school=campus.school, student_key=key)
            ProgramEnrollmentFactory(curriculum=campus.curriculum, learner=learner)
            place = {"program": campus.program, "course_run": campus.course_run, "learner": learner}
            if key == "S-3":
                ProgramCourseEnrollmentFactory(**place)
            elif key == "S-4":
                ProgramCourseEnrollmentFactory(**place, status="inactive")
            else:
                PreemptiveCourseEnrollmentFactory(**place, problem_code="host_refused", refusals=5)

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({}, ["S-1", "S-3", "S-5"]),
            ({"state": "waiting"}, ["S-1"]),
            ({"state": "in"}, ["S-3", "S-5"]),
            ({"q": "S-3"}, ["S-3"]),
            ({"status": "ended"}, []),
        ],
    )
    def test_goes_with_the_others(
        self, registrar: Desk, campus: Campus, query: dict[str, str], found: list[str]
    ) -> None:
        page = registrar.open("learners", campus.program.uuid, course=campus.course_run.course_id, **query)

        assert [row.split()[1] for row in page.rows()] == found

    def test_pages_follow_each_other(self, registrar: Desk, campus: Campus, settings: Any) -> None:
        settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "PAGE_SIZE": 2}
        page = registrar.open("learners", campus.program.uuid, course=campus.course_run.course_id)
        (following,) = page.tree.xpath('//a[@rel="next"]/@href')
        cursor = following.split("cursor=")[1]
        later = registrar.open("learners", campus.program.uuid, course=campus.course_run.course_id, cursor=cursor)

        assert [row.split()[1] for row in later.rows()] == ["S-5"]

    def test_names_courses_of_the_program_only(self, registrar: Desk, campus: Campus) -> None:
        page = registrar.open("learners", campus.program.uuid, course="course-v1:Other+X+1")

        assert page.status == 400


def test_a_course_of_another_program_is_no_filter(registrar: Desk, campus: Campus) -> None:
    enroll(campus, "S-1", active=True)
    chosen = registrar.open("learners", campus.program.uuid, course=campus.course_run.course_id)
    strange = registrar.open("learners", campus.program.uuid, course="course-v1:Other+X+1")
    everybody = registrar.send(
        "status", campus.program.uuid, everybody="1", filter="course=course-v1:Other%2BX%2B1", status="suspended"
    )

    assert len(chosen.rows()) == 1
    assert chosen.tree.xpath('//select[@name="course"]/option[@selected]/@value') == [campus.course_run.course_id]
    assert (strange.status, strange.rows()) == (400, [])
    assert "Select a valid choice" in strange.text
    assert everybody.messages() == ["Look at the filters, and choose a status."]
