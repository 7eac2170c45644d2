"""What a look-up tells of a learner, and of whom it tells nothing."""

from __future__ import annotations

import contextlib
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from program_enrollments import api
from program_enrollments.data import LearnerProblem
from program_enrollments.exceptions import LearnerDoesNotExist
from program_enrollments.models import CourseRun, Learner, LedgerEntry
from tests.api.conftest import World
from tests.factories.enrollment import (
    CourseRunFactory,
    CurriculumFactory,
    LearnerFactory,
    LinkedLearnerFactory,
    PreemptiveCourseEnrollmentFactory,
)
from tests.factories.host import CourseEnrollmentFactory, UserFactory


def look_up(world: World, name: str = "", **named: str) -> dict[str, Any]:
    return api.look_up_learner(program=world.program, name=name, **named)


def test_who_waits_is_shown_with_what_is_promised(world: World) -> None:
    world.write_program(("S-1", "enrolled"))
    world.write_course(("S-1", "active", True))

    found = look_up(world, "S-1")

    enrollment = found.pop("program_enrollment")
    changes = found.pop("changes")
    assert found == {
        "student_key": "S-1",
        "email": "",
        "link": {
            "state": "waiting",
            "how": None,
            "at": None,
            "detail": "Nobody has signed in through the school with this student ID yet.",
        },
        "username": "",
        "course_enrollments": [
            {
                "course_id": world.course_run.course_id,
                "status": "active",
                "real": False,
                "course_staff": True,
                "host": None,
                "drift": False,
                "problem": None,
                "keep": None,
            }
        ],
    }
    assert isinstance(enrollment.pop("created"), datetime)
    assert isinstance(enrollment.pop("modified"), datetime)
    assert enrollment == {
        "status": "enrolled",
        "curriculum_uuid": str(world.curriculum.uuid),
        "real": False,
        "keep": None,
    }
    assert [change["kind"] for change in changes] == ["course_staff", "course_enrollment", "program_enrollment"]


def test_who_signed_in_is_shown_with_account_and_seat(world: World) -> None:
    world.write_program(("S-1", "enrolled"))
    world.write_course(("S-1", "active"))
    user = world.sign_on("s-1", user=UserFactory(username="ada", email="ada@mail.example"))

    found = look_up(world, "s-1")

    assert found["student_key"] == "S-1"
    assert found["username"] == "ada"
    assert found["email"] == "ada@mail.example"
    assert found["link"] == {
        "state": "linked",
        "how": "sso",
        "at": Learner.objects.get(user=user).linked_at,
        "detail": None,
    }
    assert found["program_enrollment"]["real"] is True
    [course] = found["course_enrollments"]
    assert course["real"] is True
    assert course["host"] == {"is_active": True, "mode": "masters"}
    assert course["problem"] is None


def test_a_run_that_the_host_refuses_says_why_and_how_often(world: World) -> None:
    world.write_program(("S-1", "enrolled"))
    missing = CourseRunFactory(curricula=[world.curriculum], in_host=False, course_id="course-v1:Uni+Gone+2026")
    world.write_course(("S-1", "active"))
    world.write_course(("S-1", "active"), course_run=missing)
    world.sign_on("S-1")

    found = look_up(world, "S-1")

    courses = {course["course_id"]: course for course in found["course_enrollments"]}
    refused = courses[missing.course_id]
    assert refused["real"] is False
    assert refused["host"] is None
    assert refused["problem"]["code"] == "course_run_unknown"
    assert refused["problem"]["detail"]
    assert refused["problem"]["tries"] == 1
    assert refused["problem"]["last_tried"] <= timezone.now()
    assert courses[world.course_run.course_id]["problem"] is None
    assert found["program_enrollment"]["real"] is True


def test_a_seat_that_the_learner_has_anyway_is_shown_beside_the_refusal(world: World) -> None:
    learner = LinkedLearnerFactory(school=world.school)
    PreemptiveCourseEnrollmentFactory(
        program=world.program, course_run=world.course_run, learner=learner, problem_code="enrollment_closed", tries=3
    )
    CourseEnrollmentFactory(user=learner.user, course_run_id=world.course_run.course_id, mode="verified")
    CourseEnrollmentFactory(user=learner.user)

    [course] = look_up(world, learner.student_key)["course_enrollments"]

    assert course["real"] is False
    assert course["host"] == {"is_active": True, "mode": "verified"}
    assert course["problem"]["tries"] == 3


@pytest.mark.parametrize(
    ("code", "detail", "state", "shown"),
    [
        (LearnerProblem.CONFLICT, "Two accounts claim this.", "conflict", "Two accounts claim this."),
        # What is stored then is the name of an exception: nothing a school could do anything with.
        (LearnerProblem.REALIZING_FAILED, "OperationalError", "waiting", "The enrollments could not be made real."),
    ],
)
def test_a_problem_of_the_learner_is_told_since_when(
    world: World, code: LearnerProblem, detail: str, state: str, shown: str
) -> None:
    since = datetime(2026, 2, 3, tzinfo=UTC)
    world.write_program(("S-1", "enrolled"))
    Learner.objects.update(problem_code=code, problem_detail=detail, problem_at=since)

    link = look_up(world, "S-1")["link"]

    assert (link["state"], link["at"]) == (state, since)
    assert link["detail"].startswith(shown)


@pytest.mark.parametrize(
    ("student_key", "email", "detail"),
    [
        ("S-1", "", "Nobody has signed in through the school with this student ID yet."),
        ("", "ada@uni-a.example", "No account has confirmed this e-mail address yet."),
        (
            "S-1",
            "ada@uni-a.example",
            "Nobody has signed in through the school with this student ID yet, or confirmed this e-mail address.",
        ),
    ],
)
def test_what_is_waited_for_depends_on_what_is_known(world: World, student_key: str, email: str, detail: str) -> None:
    learner = LearnerFactory(school=world.school, student_key=student_key, email=email)
    PreemptiveCourseEnrollmentFactory(program=world.program, learner=learner)

    assert look_up(world, student_key or email)["link"]["detail"] == detail


class TestNames:
    @pytest.mark.parametrize("given", ["S-1", " s-1 ", "ｓ-1"])
    def test_a_student_id_is_found_in_any_spelling(self, world: World, given: str) -> None:
        world.write_program(("S-1", "enrolled"))
        assert look_up(world, given)["student_key"] == "S-1"
        assert look_up(world, student_key=given)["student_key"] == "S-1"

    def test_who_has_no_student_id_is_found_by_address_under_each_name(self, world: World) -> None:
        world.write_program(("Ada@uni-a.example", "enrolled"))
        for found in (
            look_up(world, "ada@UNI-A.example"),
            look_up(world, student_key="ada@uni-a.example"),
            look_up(world, email="ada@uni-a.example"),
        ):
            assert found["student_key"] == found["email"] == "Ada@uni-a.example"

    def test_an_address_is_no_student_id_of_who_has_another(self, world: World) -> None:
        learner = LearnerFactory(school=world.school, student_key="S-1", email="ada@uni-a.example")
        PreemptiveCourseEnrollmentFactory(program=world.program, learner=learner)

        assert look_up(world, "ada@uni-a.example")["student_key"] == "S-1"
        assert look_up(world, email="ada@uni-a.example")["student_key"] == "S-1"
        with pytest.raises(LearnerDoesNotExist):
            look_up(world, student_key="ada@uni-a.example")

    def test_the_student_id_comes_before_another_learners_address(self, world: World) -> None:
        addressed = LearnerFactory(school=world.school, student_key="S-1", email="x@uni-a.example")
        named = LearnerFactory(school=world.school, student_key="x@uni-a.example")
        for learner in (addressed, named):
            PreemptiveCourseEnrollmentFactory(program=world.program, learner=learner)

        assert look_up(world, "x@uni-a.example")["student_key"] == "x@uni-a.example"
        assert look_up(world, email="x@uni-a.example")["student_key"] == "S-1"

    def test_the_address_is_tried_where_the_student_id_is_in_another_program(self, world: World) -> None:
        addressed = LearnerFactory(school=world.school, student_key="S-1", email="x@uni-a.example")
        named = LearnerFactory(school=world.school, student_key="x@uni-a.example")
        PreemptiveCourseEnrollmentFactory(program=world.program, learner=addressed)
        PreemptiveCourseEnrollmentFactory(
            program=CurriculumFactory(program__school=world.school).program, learner=named
        )

        assert look_up(world, "x@uni-a.example")["student_key"] == "S-1"

    def test_both_names_must_be_the_same_learners(self, world: World) -> None:
        learner = LearnerFactory(school=world.school, student_key="S-1", email="ada@uni-a.example")
        PreemptiveCourseEnrollmentFactory(program=world.program, learner=learner)

        assert look_up(world, student_key="s-1", email="ADA@uni-a.example")["student_key"] == "S-1"
        with pytest.raises(LearnerDoesNotExist):
            look_up(world, student_key="S-1", email="eve@uni-a.example")

    @pytest.mark.parametrize("name", ["", "S-2", "\x00", "S-1\x00", "x" * 256, "   "])
    def test_nobody_of_that_name(self, world: World, name: str) -> None:
        world.write_program(("S-1", "enrolled"))
        with pytest.raises(LearnerDoesNotExist):
            look_up(world, name)

    def test_an_accent_makes_another_student(self, world: World) -> None:
        world.write_program(("José", "enrolled"), ("Jose", "pending"))
        assert look_up(world, "josé")["program_enrollment"]["status"] == "enrolled"
        assert look_up(world, "jose")["program_enrollment"]["status"] == "pending"


class TestOthers:
    def test_a_learner_of_another_program_is_not_there(self, world: World) -> None:
        other = CurriculumFactory(program__school=world.school).program
        world.write_program(("S-1", "enrolled"), program=other)
        with pytest.raises(LearnerDoesNotExist):
            look_up(world, "S-1")

    def test_a_learner_known_without_enrollments_is_not_there(self, world: World) -> None:
        LearnerFactory(school=world.school, student_key="S-1")
        with pytest.raises(LearnerDoesNotExist):
            look_up(world, "S-1")

    def test_the_same_student_id_at_another_school_is_somebody_else(self, world: World) -> None:
        elsewhere = CurriculumFactory()
        world.write_program(("S-1", "enrolled"))
        world.write_program(("S-1", "ended"), program=elsewhere.program)
        world.sign_on("S-1")

        assert look_up(world, "S-1")["program_enrollment"]["status"] == "enrolled"
        there = api.look_up_learner(program=elsewhere.program, name="S-1")
        assert there["program_enrollment"]["status"] == "ended"
        assert there["username"] == ""

    def test_other_programs_courses_and_changes_stay_out(self, world: World) -> None:
        other = CurriculumFactory(program__school=world.school)
        run = CourseRunFactory(curricula=[other])
        world.write_program(("S-1", "enrolled"))
        world.write_program(("S-1", "enrolled"), program=other.program)
        world.write_course(("S-1", "active"), program=other.program, course_run=run)

        found = look_up(world, "S-1")

        assert found["course_enrollments"] == []
        assert [change["kind"] for change in found["changes"]] == ["program_enrollment"]

    def test_who_is_only_in_a_course_run_has_no_program_enrollment(self, world: World) -> None:
        learner = LearnerFactory(school=world.school, student_key="S-1")
        PreemptiveCourseEnrollmentFactory(program=world.program, learner=learner)

        found = look_up(world, "S-1")

        assert found["program_enrollment"] is None
        assert len(found["course_enrollments"]) == 1


def test_the_last_ten_changes_newest_first_with_the_link(world: World) -> None:
    for status in ["enrolled", "pending"] * 6:
        world.write_program(("S-1", status))
    world.sign_on("S-1")

    changes = look_up(world, "S-1")["changes"]

    assert len(changes) == 10
    assert [change["id"] for change in changes] == sorted(
        LedgerEntry.objects.values_list("pk", flat=True), reverse=True
    )[:10]
    assert {change["kind"] for change in changes} == {"program_enrollment", "link", "program_realized"}


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("named", [{"name": "S-7"}, {"student_key": "S-7"}, {"email": "ann@uni-a.example"}])
def test_a_learner_is_found_by_indexes_of_both_names_once_tables_are_analyzed(
    world: World, named: dict[str, str]
) -> None:
    """Nobody has an address: to SQLite's statistics the index of addresses then is of no use."""
    Learner.objects.bulk_create(
        Learner(school=world.school, student_key=f"S-{number}", student_key_normalized=f"s-{number}")
        for number in range(2000)
    )
    world.write_program(("S-7", "enrolled"))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")

    with CaptureQueriesContext(connection) as captured, contextlib.suppress(LearnerDoesNotExist):
        look_up(world, **named)

    plans = []
    for query in captured.captured_queries:
        if 'FROM "university_enrollments_learner"' in query["sql"]:
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
                plans += [detail for *_, detail in cursor.fetchall() if "university_enrollments_learner" in detail]
    assert len(plans) == (1 if "email" in named else 2)
    assert all(plan.count("=?") >= 2 or "email_normalized=?" in plan for plan in plans), plans


def test_the_number_of_statements_does_not_grow(world: World) -> None:
    def statements(name: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            look_up(world, name)
        return len(captured)

    runs: list[CourseRun] = CourseRunFactory.create_batch(12, curricula=[world.curriculum])
    world.write_program(("few", "enrolled"), ("many", "enrolled"))
    world.write_course(("few", "active"))
    for run in runs:
        world.write_course(("many", "active"), course_run=run)
    world.sign_on("few")
    world.sign_on("many")
    few = statements("few")

    assert statements("many") == few
    # Two of them are the host's, its seats and its roles; two find the learner, each by an index of its own.
    assert few <= 10


def test_what_files_leave_alone_is_shown(world: World) -> None:
    world.write_program(("S-1", "enrolled"))
    world.write_course(("S-1", "active"))
    learner = Learner.objects.get(student_key="S-1")
    keeping: dict[str, Any] = {"program_id": world.program.pk, "learner_ids": [learner.pk], "by": "support"}
    api.keep_enrollments(**keeping, course_run_id=None, reason="Appeal pending", until=date(2100, 1, 31))
    api.keep_enrollments(**keeping, course_run_id=world.course_run.pk, reason="Over", until=date(2000, 1, 1))

    found = look_up(world, "S-1")

    assert found["program_enrollment"]["keep"] == {"by": "support", "reason": "Appeal pending", "until": "2100-01-31"}
    assert found["course_enrollments"][0]["keep"] is None
