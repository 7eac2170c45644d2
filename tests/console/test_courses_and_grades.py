"""Courses and their rosters, grades, attendance."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from demo_lms.models import DailyActivity
from program_enrollments.data import Permission
from program_enrollments.models import CourseRun, GradeFreeze, Learner, PreemptiveCourseEnrollment
from tests.console.conftest import Desk, administrator, enroll, learner_id
from tests.factories.enrollment import (
    LinkedLearnerFactory,
    PreemptiveCourseEnrollmentFactory,
    ProgramCourseEnrollmentFactory,
    ProgramEnrollmentFactory,
)
from tests.factories.host import CourseGradeFactory, UserFactory
from tests.rest_api.callers import Campus


def seat(campus: Campus, student_key: str) -> Learner:
    learner: Learner = LinkedLearnerFactory(school=campus.school, student_key=student_key, user=UserFactory())
    ProgramEnrollmentFactory(curriculum=campus.curriculum, learner=learner)
    ProgramCourseEnrollmentFactory(program=campus.program, course_run=campus.course_run, learner=learner)
    return learner


def place(campus: Campus) -> tuple[Any, str]:
    return campus.program.uuid, campus.course_run.course_id


class TestCourses:
    def test_they_stand_by_term_with_their_numbers(self, registrar: Desk, campus: Campus) -> None:
        enroll(campus, "S-1", active=True)
        learner = seat(campus, "S-2")
        PreemptiveCourseEnrollmentFactory(
            program=campus.program,
            course_run=campus.course_run,
            learner=LinkedLearnerFactory(school=campus.school),
            problem_code="host_refused",
            refusals=5,
        )
        CourseRun.objects.filter(pk=campus.course_run.pk).update(start="2026-10-05T08:00:00Z")

        page = registrar.open("courses", campus.program.uuid)

        assert "Starts in October 2026" in page.text
        assert page.rows()[0].endswith("3 2 1")
        assert learner.student_key in registrar.open("roster", *place(campus)).text

    def test_the_schools_own_key_leads_there_too(self, registrar: Desk, campus: Campus) -> None:
        page = registrar.open("roster", campus.program.uuid, campus.course_run.external_key)

        assert page.status == 200
        assert campus.course_run.course_id in page.text

    def test_a_roster_says_what_was_refused(self, registrar: Desk, campus: Campus) -> None:
        enroll(campus, "S-1", active=True)
        assert "Refused by the platform" not in registrar.open("roster", *place(campus)).text
        PreemptiveCourseEnrollmentFactory(
            program=campus.program,
            course_run=campus.course_run,
            learner=LinkedLearnerFactory(school=campus.school, student_key="S-2"),
            problem_code="host_refused",
            problem_detail="No such course run.",
            refusals=5,
        )

        rows = registrar.open("roster", *place(campus)).rows()

        assert rows[1].endswith("needs help The platform refused a seat in a course. No such course run.")

    def test_a_roster_is_exported_with_the_columns_of_uploads(self, registrar: Desk, campus: Campus) -> None:
        enroll(campus, "S-1", active=True)

        lines = registrar.download("roster", *place(campus))

        assert lines == [
            "course_id,student_key,email,username,status,course_staff,state,refusal",
            f"{campus.course_run.course_id},S-1,,,active,false,waiting,",
        ]

    def test_chosen_learners_leave_a_course(self, registrar: Desk, campus: Campus) -> None:
        enroll(campus, "S-1", "S-2", active=True)
        chosen = {"learner": [learner_id(campus, "S-1")], "status": "inactive"}

        preview = registrar.send("course-status", *place(campus), **chosen)
        registrar.send("course-status", *place(campus), **chosen, confirm="1", reason="Changed course")

        assert preview.rows() == ["S-1 active → inactive"]
        stored = PreemptiveCourseEnrollment.objects.values_list("learner__student_key", "status")
        assert sorted(stored) == [("S-1", "inactive"), ("S-2", "active")]

    def test_whoever_may_not_see_learners_sees_courses_without_numbers(
        self, holding: Callable[..., Desk], campus: Campus
    ) -> None:
        viewer = holding(Permission.METADATA)

        assert "Active" not in viewer.open("courses", campus.program.uuid).text
        assert viewer.open("roster", *place(campus)).status == 403


class TestGrades:
    def test_a_course_that_is_not_ready_says_why(self, registrar: Desk, campus: Campus) -> None:
        graded, _ungraded = seat(campus, "S-1"), seat(campus, "S-2")
        CourseGradeFactory(user=graded.user, course_run_id=campus.course_run.course_id, letter="B")

        text = registrar.open("course-grades", *place(campus)).text

        assert "Not frozen. 1 of 2 learners have a grade." in text
        assert registrar.open("course-grades", *place(campus)).rows()[0] == "80–90 % 1"
        assert "B: 1" in text
        assert "2 rows would be frozen as they stand now. 1 of them says that there is no grade." in text

    def test_freezing_and_reopening_make_versions(self, registrar: Desk, campus: Campus) -> None:
        learner = seat(campus, "S-1")
        CourseGradeFactory(user=learner.user, course_run_id=campus.course_run.course_id)

        frozen = registrar.send("freeze", *place(campus), reason="End of term")
        reopened = registrar.send("reopen", *place(campus), reason="A typing error")
        again = registrar.send("freeze", *place(campus), reason="Corrected")

        assert frozen.messages() == ["The grades are frozen as version 1. Keep the digest: it proves a copy."]
        assert reopened.messages() == ["Version 1 is reopened. The next freeze is a new version."]
        assert "Frozen as version 2" in again.text
        digest = GradeFreeze.objects.get(version=2).digest
        newest, oldest = again.rows()[-2:]
        assert newest.startswith("Version 2, as CSV in force")
        assert digest in newest
        assert f"Reopened by {registrar.user.username}: A typing error" in oldest
        response: Any = registrar.client.get(
            f"/console/programs/{campus.program.uuid}/courses/{campus.course_run.course_id}/grades/versions/2/"
        )
        assert b"".join(response.streaming_content).decode().splitlines() == [
            "student_key,letter_grade,percent,passed,error",
            "S-1,B,0.83,true,",
        ]

    def test_what_is_frozen_already_is_no_failure(self, registrar: Desk, campus: Campus) -> None:
        seat(campus, "S-1")
        registrar.send("freeze", *place(campus), reason="End of term")

        page = registrar.send("freeze", *place(campus), reason="Again")

        assert page.status == 200
        assert page.messages() == ["These grades are already frozen. Reopen them first if they have to change."]

    def test_without_a_reason_nothing_is_frozen(self, registrar: Desk, campus: Campus) -> None:
        seat(campus, "S-1")

        page = registrar.send("freeze", *place(campus), reason="")

        assert page.errors() == ["This field is required."]
        assert not GradeFreeze.objects.exists()

    def test_all_courses_of_a_program_are_frozen_at_once(self, registrar: Desk, campus: Campus) -> None:
        seat(campus, "S-1")

        page = registrar.send("grades", campus.program.uuid, reason="End of term")

        assert page.messages() == ["1 course was frozen."]
        assert "frozen, version 1" in page.rows()[0]

    @pytest.mark.parametrize(
        ("permission", "page", "status"),
        [
            (Permission.READ_REPORTS, "freeze", 403),
            (Permission.READ_REPORTS, "reopen", 403),
            (Permission.READ_REPORTS, "grades", 403),
            (Permission.READ_ENROLLMENTS, "freeze", 403),
        ],
    )
    def test_each_takes_its_own_permission(
        self, holding: Callable[..., Desk], campus: Campus, permission: Permission, page: str, status: int
    ) -> None:
        where = place(campus) if page != "grades" else (campus.program.uuid,)

        assert holding(permission).send(page, *where, reason="x").status == status
        assert not GradeFreeze.objects.exists()

    def test_the_form_is_not_offered_to_whoever_may_not(self, holding: Callable[..., Desk], campus: Campus) -> None:
        viewer = holding(Permission.READ_REPORTS)

        assert not viewer.open("course-grades", *place(campus)).tree.xpath("//form")


class TestAttendance:
    def test_who_has_been_away_is_found(self, registrar: Desk, campus: Campus) -> None:
        today = timezone.now().date()
        for key, days in (("S-1", 1), ("S-2", 20), ("S-3", None)):
            learner = seat(campus, key)
            if days is not None:
                assert learner.user is not None
                DailyActivity.objects.create(
                    user=learner.user, course_run_id=campus.course_run.course_id, day=today - timedelta(days=days)
                )

        everybody = registrar.open("course-attendance", *place(campus)).rows()
        away = registrar.open("course-attendance", *place(campus), days="14").rows()
        exported = registrar.download("course-attendance", *place(campus), days="14")

        assert [row.split()[0] for row in everybody] == ["S-1", "S-2", "S-3"]
        assert [row.split()[0] for row in away] == ["S-2", "S-3"]
        assert "never came" in away[1]
        assert [line.split(",")[0] for line in exported] == ["student_key", "S-2", "S-3"]

    @pytest.mark.parametrize("days", ["-1", "0", "x"])
    def test_days_that_are_none_find_nobody(self, registrar: Desk, campus: Campus, days: str) -> None:
        seat(campus, "S-1")

        page = registrar.open("course-attendance", *place(campus), days=days)

        assert (page.status, page.rows()) == (400, [])


class TestAcknowledgements:
    def freeze(self, campus: Campus, registrar: Desk) -> None:
        for key in ("S-1", "S-2"):
            seat(campus, key)
        registrar.send("freeze", *place(campus), reason="End of term")

    def test_a_version_says_what_the_universitys_system_did_with_each_grade(
        self, registrar: Desk, campus: Campus
    ) -> None:
        self.freeze(campus, registrar)
        assert "Acknowledgements" in registrar.open("course-grades", *place(campus)).text
        page = registrar.open("acknowledgements", *place(campus), 1)
        assert "Nothing has been acknowledged yet" in page.text

        sent = registrar.send(
            "acknowledgements", *place(campus), 1, lines="s-1\nS-9\n", state="rejected", detail="Not registered."
        )

        assert "1 grade is acknowledged." in sent.text
        assert "S-9: This version has no grade of this student." in sent.text
        rows = registrar.open("acknowledgements", *place(campus), 1).rows()
        assert [row.startswith("S-1 rejected Not registered.") for row in rows] == [True]
        assert registrar.open("acknowledgements", *place(campus), 1, state="open").rows()[0].startswith("S-2 open")

    def test_who_may_only_read_cannot_acknowledge(self, registrar: Desk, campus: Campus) -> None:
        self.freeze(campus, registrar)
        viewer = administrator(Permission.READ_REPORTS, campus=campus)

        assert "Acknowledge grades" not in viewer.open("acknowledgements", *place(campus), 1).text
        assert viewer.send("acknowledgements", *place(campus), 1, lines="S-1", state="recorded").status == 403

    def test_a_list_without_ids_is_sent_back(self, registrar: Desk, campus: Campus) -> None:
        self.freeze(campus, registrar)

        page = registrar.send("acknowledgements", *place(campus), 1, lines=" \n", state="recorded")

        assert page.status == 400
        assert "This field is required." in page.text
