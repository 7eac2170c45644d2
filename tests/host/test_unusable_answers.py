"""What a host hands over is checked once, at the port: one unusable record costs nobody else anything."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.utils.translation import gettext_lazy
from pytest_django import Settings

from demo_lms.models import CourseEnrollment
from program_enrollments import api
from program_enrollments.data import Attendance, Grade, GradeUnavailable, HostFailure, LearnerProblem, Seat
from program_enrollments.exceptions import HostAnswerUnusable, HostError
from program_enrollments.host import get_host
from program_enrollments.models import (
    FrozenGrade,
    Learner,
    PreemptiveCourseEnrollment,
    ProgramCourseEnrollment,
    ProgramEnrollment,
)
from tests.api.conftest import World
from tests.api.grade_freezes import freeze
from tests.api.grades.test_attendance import attend
from tests.api.grades.test_attendance import read as read_attendance
from tests.api.grades.test_final_grades import enroll
from tests.api.grades.test_final_grades import read as read_grades
from tests.factories.enrollment import CourseRunFactory, LearnerFactory
from tests.factories.host import HostCourseRunFactory, UserFactory
from tests.host.odd_hosts import ODD_HOST, Change, OddHost

UNUSABLE_GRADE = "The learning platform gave a grade that cannot be used. Ask its support."
UNUSABLE_ATTENDANCE = "The learning platform gave an attendance record that cannot be used. Ask its support."
MONDAY = date(2026, 3, 2)

UseOddHost = Callable[..., None]


@pytest.fixture
def odd_host(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> UseOddHost:
    """Let the host's methods answer what the test makes of their answers."""

    def use(**changes: Change) -> None:
        monkeypatch.setattr(OddHost, "changes", changes)
        settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "HOST": ODD_HOST}

    return use


def for_user(user: Any, value: Any) -> Change:
    return lambda answer: {**answer, user.pk: value}


UNUSABLE_GRADES = {
    "no percent": Grade("P", None, passed=True),  # type: ignore[arg-type]
    "percent is a bool": Grade("P", True, passed=True),
    "percent is text": Grade("P", "0.9", passed=True),  # type: ignore[arg-type]
    "percent is not a number": Grade("P", float("nan"), passed=True),
    "percent is a decimal that is not a number": Grade("P", Decimal("sNaN"), passed=True),  # type: ignore[arg-type]
    "percent is infinite": Grade("P", float("inf"), passed=True),
    "percent is over 1": Grade("P", 85, passed=True),
    "percent is below 0": Grade("P", -0.5, passed=True),
    "letter is blank": Grade(" ", 0.9, passed=True),
    "letter is a number": Grade(5, 0.9, passed=True),  # type: ignore[arg-type]
    "letter cannot be stored": Grade("A\x00", 0.9, passed=True),
    "letter is too long": Grade("A" * 256, 0.9, passed=True),
    "passed is a number": Grade("A", 0.9, passed=1),  # type: ignore[arg-type]
    "passed is missing": Grade("A", 0.9, passed=None),  # type: ignore[arg-type]
    "a dict": {"letter_grade": "A", "percent": 0.9, "passed": True},
    "nothing": None,
    "a reason that is none": GradeUnavailable(None),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("grade", UNUSABLE_GRADES.values(), ids=UNUSABLE_GRADES.keys())
def test_an_unusable_grade_is_that_learners_error_live_and_frozen(
    world: World, odd_host: UseOddHost, caplog: pytest.LogCaptureFixture, grade: Any
) -> None:
    odd = enroll(world, "SECRET", grade=("A", "0.9", True))
    enroll(world, "S-2", grade=("B", "0.8", True))
    odd_host(fetch_grades=for_user(odd.user, grade))
    expected = [
        {"student_key": "S-2", "letter_grade": "B", "percent": 0.8, "passed": True},
        {"student_key": "SECRET", "error": UNUSABLE_GRADE},
    ]

    assert sorted(read_grades(world).page.rows, key=lambda row: row["student_key"]) == expected
    assert freeze(world).count == 2
    assert read_grades(world).page.rows == expected
    assert "tests.host.odd_hosts.OddHost" in caplog.text
    assert "grades.fetch_grades" in caplog.text
    assert "SECRET" not in caplog.text


@pytest.mark.parametrize(
    "change",
    [
        lambda answer: list(answer.values()),
        lambda answer: None,
        lambda answer: {str(user_id): grade for user_id, grade in answer.items()},
        lambda answer: {float(user_id): grade for user_id, grade in answer.items()},
        lambda answer: dict.fromkeys([(1, "a"), None], *answer.values()),
    ],
    ids=["a list", "nothing", "IDs are text", "IDs are floats", "no IDs"],
)
def test_grades_that_are_nobodys_are_an_error_instead_of_no_grade_yet(
    world: World, odd_host: UseOddHost, change: Change
) -> None:
    enroll(world, "S-1", grade=("A", "0.9", True))
    odd_host(fetch_grades=change)

    assert read_grades(world).page.rows == [{"student_key": "S-1", "error": UNUSABLE_GRADE}]
    freeze(world)
    assert FrozenGrade.objects.get().error == UNUSABLE_GRADE


def test_grades_of_others_are_passed_over(world: World, odd_host: UseOddHost, caplog: pytest.LogCaptureFixture) -> None:
    enroll(world, "S-1", grade=("A", "0.9", True))
    enroll(world, "S-2")
    odd_host(fetch_grades=lambda answer: {**answer, 10**6: Grade("B", 0.8, passed=True)})

    rows = read_grades(world).page.rows

    assert [row.get("error") for row in rows] == [None, "There is no grade for this learner yet."]
    assert "OddHost" in caplog.text


@pytest.mark.parametrize(
    "attendance",
    [
        Attendance(datetime(2026, 3, 2, tzinfo=UTC), MONDAY, 1),
        Attendance(MONDAY, datetime(2026, 3, 2, tzinfo=UTC), 1),
        Attendance("2026-03-02", MONDAY, 1),  # type: ignore[arg-type]
        Attendance(MONDAY, date(2026, 3, 1), 1),
        Attendance(MONDAY, None, 1),
        Attendance(MONDAY, MONDAY, "3"),  # type: ignore[arg-type]
        Attendance(MONDAY, MONDAY, True),
        Attendance(MONDAY, MONDAY, 1.5),  # type: ignore[arg-type]
        Attendance(MONDAY, MONDAY, -1),
        Attendance(MONDAY, MONDAY, None),  # type: ignore[arg-type]
        Attendance(MONDAY, MONDAY, 1, completion=True),
        Attendance(MONDAY, MONDAY, 1, completion="0.5"),  # type: ignore[arg-type]
        Attendance(MONDAY, MONDAY, 1, completion=float("nan")),
        Attendance(MONDAY, MONDAY, 1, completion=float("-inf")),
        Attendance(MONDAY, MONDAY, 1, completion=40),
        {"days_attended": 3},
        None,
    ],
    ids=repr,
)
def test_unusable_attendance_is_that_learners_error(
    world: World, odd_host: UseOddHost, caplog: pytest.LogCaptureFixture, attendance: Any
) -> None:
    odd, fine = enroll(world, "SECRET"), enroll(world, "S-2")
    attend(world, fine, 2)
    odd_host(fetch_attendance=for_user(odd.user, attendance))

    first, second = read_attendance(world).rows

    assert first == {"student_key": "SECRET", "error": UNUSABLE_ATTENDANCE}
    assert second["days_attended"] == 1
    assert "attendance.fetch_attendance" in caplog.text
    assert "SECRET" not in caplog.text


def test_attendance_that_is_no_mapping_is_everybodys_error(world: World, odd_host: UseOddHost) -> None:
    enroll(world, "S-1")
    odd_host(fetch_attendance=lambda answer: [*answer.items()])

    assert read_attendance(world).rows == [{"student_key": "S-1", "error": UNUSABLE_ATTENDANCE}]


UNUSABLE_SEATS: dict[str, Callable[[Any, Any], Any]] = {
    "mode is missing": lambda user, run: Seat(user.pk, run.course_id, None, True),  # type: ignore[arg-type]
    "mode is blank": lambda user, run: Seat(user.pk, run.course_id, "", True),
    "active is a word": lambda user, run: Seat(user.pk, run.course_id, "masters", "yes"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("make_seat", UNUSABLE_SEATS.values(), ids=UNUSABLE_SEATS.keys())
def test_an_unusable_seat_costs_only_its_own_row(
    world: World, odd_host: UseOddHost, caplog: pytest.LogCaptureFixture, make_seat: Callable[[Any, Any], Any]
) -> None:
    world.write_program(("S-1", "enrolled"), ("S-2", "enrolled"))
    odd, fine = world.sign_on("S-1"), world.sign_on("S-2")
    seat = make_seat(odd, world.course_run)
    odd_host(fetch_seats=lambda answer: [*answer, seat])

    assert world.write_course(("S-1", "active"), ("S-2", "active")) == {"S-1": "internal-error", "S-2": "active"}
    assert CourseEnrollment.objects.get().user == fine
    assert "course_enrollments.fetch_seats" in caplog.text


def test_an_unusable_seat_keeps_only_its_own_promise_waiting(world: World, odd_host: UseOddHost) -> None:
    other = CourseRunFactory(curricula=[world.curriculum])
    world.write_program(("S-1", "enrolled"))
    world.write_course(("S-1", "active"))
    world.write_course(("S-1", "active"), course_run=other)
    user = UserFactory()
    odd_host(fetch_seats=lambda answer: [*answer, Seat(user.pk, other.course_id, "masters", None)])  # type: ignore[arg-type]

    world.sign_on("S-1", user=user)

    assert ProgramEnrollment.objects.get().learner.user == user
    assert ProgramCourseEnrollment.objects.get().course_run == world.course_run
    waiting = PreemptiveCourseEnrollment.objects.get()
    assert (waiting.course_run, waiting.problem_code, waiting.tries, waiting.refusals) == (
        other,
        "host_unavailable",
        1,
        0,
    )


def test_the_look_up_says_that_a_seat_cannot_be_understood(world: World, odd_host: UseOddHost) -> None:
    world.write_program(("S-1", "enrolled"))
    user = world.sign_on("S-1")
    world.write_course(("S-1", "active"))
    odd_host(fetch_seats=lambda _: [Seat(user.pk, world.course_run.course_id, "", True)])

    (course,) = api.look_up_learner(program=world.program, name="S-1")["course_enrollments"]

    assert course["host"] is None
    assert course["problem"] == {
        "code": "host_unavailable",
        "detail": HostAnswerUnusable.detail,
        "tries": 0,
        "last_tried": None,
    }


def test_two_seats_in_one_course_run_that_disagree_are_unusable(world: World, odd_host: UseOddHost) -> None:
    world.write_program(("S-1", "enrolled"))
    user = world.sign_on("S-1")
    seats = [Seat(user.pk, world.course_run.course_id, "masters", active) for active in (True, False)]
    odd_host(fetch_seats=lambda answer: seats)

    assert world.write_course(("S-1", "active")) == {"S-1": "internal-error"}


@pytest.mark.parametrize(
    "answer",
    [None, 5, "seats", [None], [(1, "course", "masters", True)], [Seat("1", "x", "masters", True)]],  # type: ignore[arg-type]
    ids=repr,
)
def test_seats_that_are_nobodys_are_a_host_that_is_down(world: World, odd_host: UseOddHost, answer: Any) -> None:
    world.write_program(("S-1", "enrolled"))
    world.write_course(("S-1", "active"))
    odd_host(fetch_seats=lambda _: answer)

    world.sign_on("S-1")

    assert PreemptiveCourseEnrollment.objects.get().problem_code == "host_unavailable"
    with pytest.raises(HostError):
        get_host().course_enrollments.fetch_seats(user_ids=[1], course_ids=["x"])


@pytest.mark.parametrize("method", ["put_seats", "grant_course_staff"])
@pytest.mark.parametrize(
    "change",
    [
        lambda answer: None,
        lambda answer: True,
        lambda answer: {"S-1": HostFailure("full", "It is full.", False)},
        lambda answer: {(10**9, "x"): HostFailure("full", "It is full.", False)},
    ],
    ids=["nothing", "a bool", "a key that is no pair", "a pair nobody asked about"],
)
def test_a_write_whose_outcome_cannot_be_read_did_not_happen(
    world: World, odd_host: UseOddHost, method: str, change: Change
) -> None:
    world.write_program(("S-1", "enrolled"))
    world.write_course(("S-1", "active", True))
    odd_host(**{method: change})

    world.sign_on("S-1")

    assert PreemptiveCourseEnrollment.objects.get().problem_code == "host_unavailable"
    assert not CourseEnrollment.objects.exists()


@pytest.mark.parametrize(
    "failure",
    [
        None,
        "It is full.",
        ("full", "It is full.", False),
        HostFailure("", "It is full.", False),
        HostFailure("full", None, False),  # type: ignore[arg-type]
        HostFailure("full", "It is full.", 0),  # type: ignore[arg-type]
        HostFailure("full\x00", "It is full.", False),
        HostFailure("full", "It is full\x00.", False),
    ],
    ids=repr,
)
def test_a_failure_that_cannot_be_read_is_still_that_pairs_failure(
    world: World, odd_host: UseOddHost, failure: Any
) -> None:
    other = HostCourseRunFactory()
    run = CourseRunFactory(course_id=other.course_id, curricula=[world.curriculum])
    world.write_program(("S-1", "enrolled"))
    world.write_course(("S-1", "active"))
    world.write_course(("S-1", "active"), course_run=run)
    user = UserFactory()
    odd_host(put_seats=lambda answer: {**answer, (user.pk, run.course_id): failure})

    world.sign_on("S-1", user=user)

    waiting = PreemptiveCourseEnrollment.objects.get()
    assert (waiting.course_run, waiting.problem_code, waiting.refusals) == (run, "host_unavailable", 0)
    assert waiting.problem_detail


@pytest.mark.parametrize("answer", [None, 7, "staff", [7], [("x",)], [("1", "x")]], ids=repr)
def test_roles_that_are_nobodys_are_a_host_that_is_down(world: World, odd_host: UseOddHost, answer: Any) -> None:
    world.write_program(("S-1", "enrolled"))
    world.write_course(("S-1", "active", True))
    odd_host(fetch_course_staff=lambda _: answer)

    world.sign_on("S-1")

    assert PreemptiveCourseEnrollment.objects.get().problem_code == "host_unavailable"


@pytest.mark.parametrize("address", [None, 7, "", "a" * 300 + "@uni.example", "a\x00@uni.example"], ids=repr)
def test_an_address_that_is_none_confirms_nothing(
    world: World, odd_host: UseOddHost, caplog: pytest.LogCaptureFixture, address: Any
) -> None:
    learner = LearnerFactory(school=world.school, email="ann@uni.example")
    user = UserFactory(email="ann@uni.example")
    odd_host(confirmed_emails=for_user(user, address))

    assert api.email_confirmed(user_id=user.pk).linked == 0
    learner.refresh_from_db()
    assert (learner.user, learner.problem_code) == (None, "")
    assert "accounts.confirmed_emails" in caplog.text
    assert "uni.example" not in caplog.text


@pytest.mark.parametrize("account", [None, True, "1", 1.0, float("inf"), -1, [1]], ids=repr)
def test_an_account_that_is_none_costs_nobody_else_theirs(world: World, odd_host: UseOddHost, account: Any) -> None:
    world.confirm_email(UserFactory(), "ann@uni.example")
    odd_host(users_by_confirmed_email=lambda answer: {**answer, "ben@uni.example": account})

    assert world.write_program(("ann@uni.example", "enrolled"), ("ben@uni.example", "enrolled")) == {
        "ann@uni.example": "enrolled",
        "ben@uni.example": "enrolled",
    }
    assert Learner.objects.filter(user__isnull=False).count() == 1


def test_addresses_that_are_no_mapping_are_shown_on_the_learner(world: World, odd_host: UseOddHost) -> None:
    learner = LearnerFactory(school=world.school, email="ann@uni.example")
    user = UserFactory(email="old@uni.example")
    odd_host(confirmed_emails=list)
    with world.run_callbacks(execute=True):
        user.email = "ann@uni.example"
        user.save()

    learner.refresh_from_db()
    assert learner.problem_code == LearnerProblem.REALIZING_FAILED


@pytest.mark.parametrize("users", [None, "12", 5, ["x"], [True], {1.5}], ids=repr)
def test_who_has_an_address_is_never_guessed(db: None, odd_host: UseOddHost, users: Any) -> None:
    odd_host(users_by_email=lambda answer: {"ann@uni.example": users})

    with pytest.raises(HostError):
        get_host().accounts.users_by_email(emails=["ann@uni.example"])


@pytest.mark.parametrize("answer", [None, 1, "yes"], ids=repr)
def test_a_confirmation_that_is_no_bool_is_none(db: None, odd_host: UseOddHost, answer: Any) -> None:
    odd_host(confirm_email=lambda _: answer)

    assert get_host().accounts.confirm_email(user_id=1, email="ann@uni.example") is False


@pytest.mark.parametrize("path", ["", "//evil.example/", "/\\evil.example", "https://evil.example/", "javascript:x"])
def test_a_sign_in_page_that_is_elsewhere_is_djangos_own(
    odd_host: UseOddHost, settings: Settings, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    settings.LOGIN_URL = "/sign-in/"
    odd_host(login_url=lambda _: path)

    assert get_host().login_url() == "/sign-in/"
    assert "login_url" in caplog.text


def test_one_line_of_the_log_speaks_for_many_records(
    world: World, odd_host: UseOddHost, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(20):
        enroll(world, f"S-{number}", grade=("A", "0.9", True))
    odd_host(fetch_grades=lambda answer: dict.fromkeys(answer, Grade("P", None, passed=True)))  # type: ignore[arg-type]

    read_grades(world)

    (line,) = [record.getMessage() for record in caplog.records if record.name.startswith("program_enrollments")]
    for part in ("OddHost", "grades.fetch_grades", "percent", "NoneType", "20"):
        assert part in line


def test_a_lazy_reason_is_a_reason(world: World, odd_host: UseOddHost) -> None:
    learner = enroll(world, "S-1")
    odd_host(fetch_grades=for_user(learner.user, GradeUnavailable(gettext_lazy("Wait."))))  # type: ignore[arg-type]

    assert read_grades(world).page.rows == [{"student_key": "S-1", "error": "Wait."}]
