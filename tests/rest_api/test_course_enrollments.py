"""Writing and listing course enrollments over HTTP. What the words mean for what is stored is in tests/api/."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from demo_lms.models import CourseAccessRole, CourseEnrollment
from program_enrollments.models import ProgramCourseEnrollment
from tests.factories.enrollment import (
    CourseRunFactory,
    CurriculumFactory,
    LearnerFactory,
    LinkedLearnerFactory,
    PreemptiveCourseEnrollmentFactory,
    PreemptiveProgramEnrollmentFactory,
    ProgramEnrollmentFactory,
)
from tests.factories.host import UserFactory
from tests.rest_api.callers import Caller, Campus, make_campus


@pytest.fixture
def waiting(campus: Campus) -> Any:
    """A learner of the program without an account: S-1."""
    learner = LearnerFactory(school=campus.school, student_key="S-1")
    PreemptiveProgramEnrollmentFactory(curriculum=campus.curriculum, learner=learner)
    return learner


@pytest.fixture
def linked(campus: Campus) -> Any:
    """A learner of the program with an account: S-2."""
    learner = LinkedLearnerFactory(school=campus.school, student_key="S-2", user=UserFactory(username="two"))
    ProgramEnrollmentFactory(curriculum=campus.curriculum, learner=learner)
    return learner


def rows(response: Any) -> list[dict[str, Any]]:
    assert response.status_code == 200
    listed: list[dict[str, Any]] = response.json()["results"]
    return listed


class TestWrites:
    def test_both_kinds_of_learners_are_enrolled_and_listed_together(
        self, campus: Campus, sis: Caller, waiting: Any, linked: Any
    ) -> None:
        response = sis.post(
            campus.course_enrollments,
            [
                {"student_key": "S-1", "status": "active"},
                {"student_key": "S-2", "status": "active", "course_staff": "TRUE"},
            ],
        )
        assert (response.status_code, response.json()) == (200, {"S-1": "active", "S-2": "active"})
        uuid = str(campus.curriculum.uuid)
        assert rows(sis.get(campus.course_enrollments)) == [
            {
                "student_key": "S-1",
                "status": "active",
                "account_exists": False,
                "curriculum_uuid": uuid,
                "course_staff": False,
            },
            {
                "student_key": "S-2",
                "status": "active",
                "account_exists": True,
                "curriculum_uuid": uuid,
                "course_staff": True,
            },
        ]
        seat = CourseEnrollment.objects.get()
        assert (seat.user, seat.mode, seat.is_active) == (linked.user, "masters", True)
        assert CourseAccessRole.objects.get().user == linked.user

    def test_each_method_treats_what_exists_in_its_own_way(self, campus: Campus, sis: Caller, waiting: Any) -> None:
        path, row = campus.course_enrollments, [{"student_key": "S-1", "status": "active"}]
        response = sis.patch(path, row)
        assert (response.status_code, response.json()) == (422, {"S-1": "not-found"})
        assert sis.post(path, row).json() == {"S-1": "active"}
        assert sis.post(path, row).json() == {"S-1": "conflict"}
        assert sis.patch(path, [{**row[0], "status": "inactive"}]).json() == {"S-1": "inactive"}
        assert sis.put(path, row).json() == {"S-1": "active"}

    def test_the_first_word_that_fits_is_told(self, campus: Campus, sis: Caller, waiting: Any, linked: Any) -> None:
        elsewhere = CurriculumFactory(program__school=campus.school)
        elsewhere.course_runs.add(campus.course_run)
        PreemptiveProgramEnrollmentFactory(curriculum=elsewhere, learner=waiting)
        PreemptiveCourseEnrollmentFactory(program=elsewhere.program, course_run=campus.course_run, learner=waiting)

        response = sis.put(
            campus.course_enrollments,
            [
                {"student_key": "twice", "status": "gone"},
                {"student_key": "TWICE", "status": "gone"},
                {"student_key": "S-1", "status": "active"},
                {"student_key": "stranger", "status": "gone"},
                {"student_key": "x" * 256, "status": "active"},
                {"student_key": "nobody", "status": "active"},
                {"student_key": "S-2", "status": "active"},
            ],
        )

        assert (response.status_code, response.json()) == (
            207,
            {
                "twice": "duplicated",
                "TWICE": "duplicated",
                "S-1": "conflict",
                "stranger": "invalid-status",
                "x" * 256: "invalid-identity",
                "nobody": "not-in-program",
                "S-2": "active",
            },
        )
        assert sis.put(campus.course_enrollments, [{"student_key": "S-1", "status": "inactive"}]).json() == {
            "S-1": "inactive"
        }

    def test_course_staff_left_out_leaves_the_role(self, campus: Campus, sis: Caller, linked: Any) -> None:
        row = {"student_key": "S-2", "status": "active"}
        sis.put(campus.course_enrollments, [{**row, "course_staff": True}])
        for left_out in ({}, {"course_staff": None}, {"course_staff": ""}):
            sis.put(campus.course_enrollments, [{**row, **left_out}])
            assert ProgramCourseEnrollment.objects.get().course_staff
        sis.put(campus.course_enrollments, [{**row, "course_staff": "false"}])
        assert not ProgramCourseEnrollment.objects.get().course_staff
        assert not CourseAccessRole.objects.exists()


class TestPaths:
    KEY = "course-v1:Uni+CS101+2026"

    @pytest.mark.parametrize(
        "segment",
        [
            KEY,
            KEY.replace("+", "%2B"),
            quote(KEY, safe=""),
            "CS/101 (spring)",
            quote("CS/101 (spring)", safe=""),
        ],
    )
    def test_a_course_run_is_named_by_its_key_or_the_schools(self, campus: Campus, sis: Caller, segment: str) -> None:
        CourseRunFactory(course_id=self.KEY, external_key="CS/101 (spring)", curricula=[campus.curriculum])
        assert rows(sis.get(f"{campus.path}courses/{segment}/enrollments/")) == []

    @pytest.mark.parametrize(
        "key",
        [
            "enrollments/",
            "a/enrollments/b",
            "50% off?",
            "# 1",
            "Ünï/☃",
            " ",
            "..",
            "a//b",
            "a\nb",
            "%2F",
            "grades/freeze",
        ],
    )
    def test_an_external_key_may_be_anything(self, campus: Campus, sis: Caller, key: str) -> None:
        CourseRunFactory(external_key=key, curricula=[campus.curriculum])
        assert rows(sis.get(f"{campus.path}courses/{quote(key, safe='')}/enrollments/")) == []

    @pytest.mark.parametrize("key", ["nowhere", "x" * 300, "a%00b", "%00", "%FF%FE", "%F0%9F%98", "💥"])
    def test_what_no_run_has_is_404(self, campus: Campus, sis: Caller, key: str) -> None:
        response = sis.get(f"{campus.path}courses/{key}/enrollments/")
        assert (response.status_code, response.json()["error_code"]) == (404, "course_does_not_exist")

    def test_a_run_of_another_program_is_told_apart_only_where_that_is_visible(
        self, campus: Campus, sis: Caller
    ) -> None:
        sibling = CourseRunFactory(curricula=[CurriculumFactory(program__school=campus.school)])
        foreign = make_campus("uni-b").course_run
        for run, code in ((sibling, "course_not_in_program"), (foreign, "course_does_not_exist")):
            for key in (run.course_id, run.external_key):
                response = sis.get(f"{campus.path}courses/{key}/enrollments/")
                assert (response.status_code, response.json()["error_code"]) == (404, code)


class TestFilters:
    def test_they_narrow_the_list(self, campus: Campus, sis: Caller, waiting: Any, linked: Any) -> None:
        sis.put(
            campus.course_enrollments,
            [{"student_key": "S-1", "status": "active"}, {"student_key": "S-2", "status": "inactive"}],
        )

        def listed(**query: Any) -> list[str]:
            return [row["student_key"] for row in rows(sis.get(campus.course_enrollments, query=query))]

        assert listed() == ["S-1", "S-2"]
        assert listed(status="active") == ["S-1"]
        assert listed(account_exists="true") == ["S-2"]
        assert listed(student_key=["s-1", "S-9"]) == ["S-1"]
        assert listed(modified_since="2999-01-01T00:00:00Z") == []

    def test_the_statuses_are_those_of_course_enrollments(self, campus: Campus, sis: Caller) -> None:
        response = sis.get(campus.course_enrollments, query={"status": "enrolled"})
        assert (response.status_code, response.json()["parameter"]) == (400, "status")
