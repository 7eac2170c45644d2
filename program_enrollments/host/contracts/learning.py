"""The tests of every `GradePort` and `AttendancePort`."""

# ruff: noqa: S101  (these are tests)

from __future__ import annotations

from datetime import date, timedelta

from program_enrollments.data import Attendance, Grade, GradeUnavailable
from program_enrollments.host.contracts.fixtures import FEW, MANY, HostFixtures, count_statements


class GradeContract(HostFixtures):
    """`GradePort`."""

    def test_grades_are_told_as_they_stand(self) -> None:
        passed, failed, without = self.make_users(count=3)
        course, other = self.make_course_run(), self.make_course_run()
        self.record_grade(user_id=passed, course_id=course, letter="A", percent=0.925, passed=True)
        self.record_grade(user_id=failed, course_id=course, letter="", percent=0.1, passed=False)
        self.record_grade(user_id=without, course_id=other, letter="B", percent=0.8, passed=True)

        grades = self.checked_host.grades.fetch_grades(course_id=course, user_ids=[passed, failed, without])

        assert dict(grades) == {
            passed: Grade(letter_grade="A", percent=0.925, passed=True),
            failed: Grade(letter_grade=None, percent=0.1, passed=False),
        }
        assert not self.checked_host.grades.fetch_grades(course_id=self.unknown_course_id, user_ids=[passed])

    def test_a_grade_that_cannot_be_told_says_why(self) -> None:
        user, course = self.make_user(), self.make_course_run()
        if not self.record_grade_problem(user_id=user, course_id=course):
            return

        told = self.checked_host.grades.fetch_grades(course_id=course, user_ids=[user])[user]

        assert isinstance(told, GradeUnavailable)
        assert told.error.strip()

    def test_many_grades_take_no_more_statements(self) -> None:
        users, course = self.make_users(count=MANY), self.make_course_run()
        for user in users:
            self.record_grade(user_id=user, course_id=course, letter="B", percent=0.5, passed=True)
        grades = self.checked_host.grades

        assert len(grades.fetch_grades(course_id=course, user_ids=users)) == MANY
        assert count_statements(lambda: grades.fetch_grades(course_id=course, user_ids=users)) == count_statements(
            lambda: grades.fetch_grades(course_id=course, user_ids=users[:FEW])
        )


class AttendanceContract(HostFixtures):
    """`AttendancePort`."""

    monday = date(2026, 3, 2)

    def test_days_are_counted_from_the_first_to_the_last(self) -> None:
        keen, absent = self.make_users(count=2)
        course, other = self.make_course_run(), self.make_course_run()
        days = [self.monday, self.monday + timedelta(days=1), self.monday + timedelta(days=7)]
        for day in days:
            self.record_activity(user_id=keen, course_id=course, day=day)
        self.record_activity(user_id=absent, course_id=other, day=self.monday)

        told = self.checked_host.attendance.fetch_attendance(course_id=course, user_ids=[keen, absent])

        assert set(told) == {keen}
        attendance = told[keen]
        assert isinstance(attendance, Attendance)
        assert (attendance.first_attended, attendance.last_attended) == (days[0], days[-1])
        assert attendance.days_attended == len(days)
        assert attendance.completion is None or 0 <= attendance.completion <= 1
        assert not self.checked_host.attendance.fetch_attendance(course_id=self.unknown_course_id, user_ids=[keen])

    def test_since_limits_the_number_of_days_alone(self) -> None:
        user, course = self.make_user(), self.make_course_run()
        for offset in (0, 1, 2, 9):
            self.record_activity(user_id=user, course_id=course, day=self.monday + timedelta(days=offset))

        for since, days in ((0, 4), (2, 2), (3, 1), (9, 1), (10, 0)):
            told = self.checked_host.attendance.fetch_attendance(
                course_id=course, user_ids=[user], since=self.monday + timedelta(days=since)
            )[user]
            assert isinstance(told, Attendance)
            assert told.days_attended == days
            assert told.first_attended == self.monday
            assert told.last_attended == self.monday + timedelta(days=9)

    def test_many_learners_take_no_more_statements(self) -> None:
        users, course = self.make_users(count=MANY), self.make_course_run()
        for user in users:
            self.record_activity(user_id=user, course_id=course, day=self.monday)
        attendance = self.checked_host.attendance

        assert len(attendance.fetch_attendance(course_id=course, user_ids=users)) == MANY
        assert count_statements(
            lambda: attendance.fetch_attendance(course_id=course, user_ids=users)
        ) == count_statements(lambda: attendance.fetch_attendance(course_id=course, user_ids=users[:FEW]))
