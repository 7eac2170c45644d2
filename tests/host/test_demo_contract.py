from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from demo_lms.accounts.confirmation import mark_confirmed
from demo_lms.host import DemoHost
from demo_lms.models import Assignment, CourseRun, EmailAddress
from demo_lms.models.primary import rows_of
from program_enrollments.data import Attendance, Seat
from program_enrollments.host.contract import HostContract
from program_enrollments.host.ports import Host
from tests.factories.accounts import EMAIL, MODEL
from tests.factories.host import CourseGradeFactory, DailyActivityFactory, HostCourseRunFactory, UserFactory


@pytest.mark.django_db
class TestDemoHost(HostContract):
    host: Host = DemoHost()

    def make_user(self, *, email: str = "") -> int:
        return int(UserFactory(email=email).pk)

    def confirm_email(self, *, user_id: int) -> bool:
        return mark_confirmed(address=rows_of(EmailAddress).get(user=user_id), now=timezone.now())

    def change_email(self, *, user_id: int, email: str) -> None:
        user = MODEL._default_manager.get(pk=user_id)
        setattr(user, EMAIL, email)
        user.save()

    def make_course_run(self) -> str:
        return str(HostCourseRunFactory().course_id)

    def record_grade(self, *, user_id: int, course_id: str, letter: str, percent: float, passed: bool) -> None:
        CourseGradeFactory(
            user_id=user_id, course_run_id=course_id, letter=letter, percent=Decimal(str(percent)), passed=passed
        )

    def record_grade_problem(self, *, user_id: int, course_id: str) -> bool:
        CourseGradeFactory(user_id=user_id, course_run_id=course_id, letter="", percent=None, passed=False)
        return True

    def record_activity(self, *, user_id: int, course_id: str, day: date) -> None:
        DailyActivityFactory(user_id=user_id, course_run_id=course_id, day=day, units_done=3)

    def record_progress(self, *, user_id: int, course_id: str, share: float) -> None:
        DailyActivityFactory(user_id=user_id, course_run_id=course_id, day=date(2026, 3, 1), units_done=0)
        DailyActivityFactory(user_id=user_id, course_run_id=course_id, units_done=round(share * 10))

    def make_due_date(self, *, course_id: str, title: str, due: datetime) -> None:
        Assignment.objects.create(course_run_id=course_id, title=title, due=due)

    def award_certificate(self, *, user_id: int, course_id: str) -> None:
        CourseRun.objects.filter(pk=course_id).update(end=timezone.now() - timedelta(days=1))
        CourseGradeFactory(user_id=user_id, course_run_id=course_id)

    def make_account_of_the_university(self) -> int:
        user = UserFactory()
        user.set_unusable_password()
        user.save()
        return int(user.pk)

    def make_account_with_password(self) -> int:
        return int(UserFactory().pk)


@pytest.mark.django_db
class TestWhatTheContractLeavesOpen:
    @pytest.mark.only_on("sqlite")
    @pytest.mark.parametrize("lock", [False, True])
    def test_seats_are_found_by_who_sits_in_them_not_by_reading_the_whole_course_run(self, lock: bool) -> None:
        run = HostCourseRunFactory()
        with CaptureQueriesContext(connection) as captured:
            DemoHost().course_enrollments.fetch_seats(user_ids=[1, 2], course_ids=[run.course_id], lock=lock)
        (asked,) = captured.captured_queries
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {asked['sql']}")
            plan = " ".join(step for *_, step in cursor.fetchall())
        assert "(user_id=? AND course_id=?)" in plan

    def test_a_closed_course_run_takes_in_nobody_new(self) -> None:
        newcomer, returning, inside = (UserFactory() for _ in range(3))
        run = HostCourseRunFactory()
        host = DemoHost()
        host.course_enrollments.put_seats(
            seats=[
                Seat(returning.pk, run.course_id, "masters", is_active=False),
                Seat(inside.pk, run.course_id, "audit", is_active=True),
            ]
        )
        run.enrollment_closed = True
        run.save()

        failures = host.course_enrollments.put_seats(
            seats=[Seat(user.pk, run.course_id, "masters", is_active=True) for user in (newcomer, returning, inside)]
        )

        assert set(failures) == {(newcomer.pk, run.course_id), (returning.pk, run.course_id)}
        assert {(failure.code, failure.permanent) for failure in failures.values()} == {("enrollment_closed", True)}
        assert not host.course_enrollments.put_seats(seats=[Seat(inside.pk, run.course_id, "masters", is_active=False)])

    def test_a_course_key_in_another_case_is_another_course_run(self) -> None:
        user, run = UserFactory(), HostCourseRunFactory(course_id="course-v1:Uni+CS101+2026")
        key = run.course_id.lower()

        failures = DemoHost().course_enrollments.put_seats(seats=[Seat(user.pk, key, "masters", is_active=True)])

        assert failures[user.pk, key].code == "course_run_unknown"

    def test_an_address_changed_in_bulk_is_no_longer_confirmed(self) -> None:
        user = UserFactory(email="ann@uni.example")
        assert mark_confirmed(address=user.email_address, now=timezone.now())

        MODEL._default_manager.filter(pk=user.pk).update(**{EMAIL: "ann@elsewhere.example"})

        assert not DemoHost().accounts.confirmed_emails(user_ids=[user.pk])
        assert not DemoHost().accounts.users_by_confirmed_email(emails=["ann@uni.example"])

    def test_completion_is_the_share_of_units_done_and_never_over_one(self) -> None:
        user, run = UserFactory(), HostCourseRunFactory(units=4)
        DailyActivityFactory(user=user, course_run=run, day=date(2026, 3, 2), units_done=1)
        DailyActivityFactory(user=user, course_run=run, day=date(2026, 3, 3), units_done=3)

        def completion() -> float | None:
            told = DemoHost().attendance.fetch_attendance(course_id=run.course_id, user_ids=[user.pk])
            attendance = told[user.pk]
            assert isinstance(attendance, Attendance)
            return attendance.completion

        assert completion() == 0.75
        run.units = 2
        run.save()
        assert completion() == 1.0
