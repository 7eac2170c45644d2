"""The tests of the optional ports; those of a port that the adapter lacks are skipped."""

# ruff: noqa: S101  (these are tests)

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from unittest import SkipTest

from program_enrollments.data import DueDate, Grade, Seat
from program_enrollments.host.answer_rules import find_link_flaw
from program_enrollments.host.contracts.fixtures import FEW, MANY, HostFixtures, count_statements

P = TypeVar("P")


def _offered(port: P | None) -> P:
    if port is None:
        raise SkipTest("The adapter lacks this optional port.")
    return port


class OptionalPortsContract(HostFixtures):
    """`OptionalPorts`."""

    now = datetime(2026, 3, 2, 12, tzinfo=UTC)

    def take_seats(self, *, user_id: int, course_ids: Collection[str]) -> None:
        """Enroll the user."""
        seats = [Seat(user_id, course_id, "audit", is_active=True) for course_id in course_ids]
        assert not self.checked_host.course_enrollments.put_seats(seats=seats)

    def make_seats(self, *, count: int) -> tuple[int, list[str]]:
        """Create a user who is enrolled in `count` new course runs."""
        user, courses = self.make_user(), [self.make_course_run() for _number in range(count)]
        self.take_seats(user_id=user, course_ids=courses)
        return user, courses

    def test_progress_is_the_learners_own(self) -> None:
        port = _offered(self.checked_host.progress)
        user, (begun, other) = self.make_seats(count=2)
        neighbor = self.make_user()
        self.take_seats(user_id=neighbor, course_ids=[begun])
        self.record_progress(user_id=user, course_id=begun, share=0.4)
        self.record_progress(user_id=neighbor, course_id=begun, share=0.9)

        progress = port.fetch_progress(user_id=user, course_ids=[begun, other, self.unknown_course_id])

        assert abs(progress[begun] - 0.4) < 0.001
        assert progress.get(other, 0) == 0
        assert self.unknown_course_id not in progress

    def test_a_learners_grades_are_those_of_the_grade_port(self) -> None:
        port = _offered(self.checked_host.learner_grades)
        user, (graded, other) = self.make_seats(count=2)
        neighbor = self.make_user()
        self.record_grade(user_id=user, course_id=graded, letter="A", percent=0.925, passed=True)
        self.record_grade(user_id=neighbor, course_id=other, letter="B", percent=0.8, passed=True)

        grades = port.fetch_learner_grades(user_id=user, course_ids=[graded, other, self.unknown_course_id])

        assert dict(grades) == {graded: Grade(letter_grade="A", percent=0.925, passed=True)}

    def test_resume_links_lead_into_the_learners_courses(self) -> None:
        port = _offered(self.checked_host.resume_links)
        user, courses = self.make_seats(count=2)

        links = port.fetch_resume_links(user_id=user, course_ids=[*courses, self.unknown_course_id])

        assert set(links) == set(courses)
        assert len(set(links.values())) == len(courses)
        assert not any(map(find_link_flaw, links.values()))

    def test_the_next_due_date_is_the_first_after_the_moment_given(self) -> None:
        port = _offered(self.checked_host.due_dates)
        user, (course, other) = self.make_seats(count=2)
        for days in (-1, 9, 2):
            self.make_due_date(course_id=course, title=f"Essay {days}", due=self.now + timedelta(days=days))

        dates = port.fetch_due_dates(user_id=user, course_ids=[course, other, self.unknown_course_id], after=self.now)

        assert dict(dates) == {course: DueDate("Essay 2", self.now + timedelta(days=2))}

    def test_certificates_are_the_learners_own(self) -> None:
        port = _offered(self.checked_host.certificates)
        user, (earned, other) = self.make_seats(count=2)
        neighbor = self.make_user()
        self.take_seats(user_id=neighbor, course_ids=[other])
        self.award_certificate(user_id=user, course_id=earned)
        self.award_certificate(user_id=neighbor, course_id=other)

        certificates = port.fetch_certificates(user_id=user, course_ids=[earned, other, self.unknown_course_id])

        assert set(certificates) == {earned}

    def test_an_account_is_kept_by_adding_what_it_lacks(self) -> None:
        port = _offered(self.checked_host.keep_account)

        assert port.keep_account_url(user_id=self.make_account_of_the_university())
        assert not port.keep_account_url(user_id=self.make_account_with_password())

    def test_many_course_runs_of_a_learner_take_no_more_statements(self) -> None:
        host = self.checked_host
        ports: list[Callable[[int, list[str]], object]] = []
        if (progress := host.progress) is not None:
            ports.append(lambda user, runs: progress.fetch_progress(user_id=user, course_ids=runs))
        if (grades := host.learner_grades) is not None:
            ports.append(lambda user, runs: grades.fetch_learner_grades(user_id=user, course_ids=runs))
        if (links := host.resume_links) is not None:
            ports.append(lambda user, runs: links.fetch_resume_links(user_id=user, course_ids=runs))
        if (dates := host.due_dates) is not None:
            ports.append(lambda user, runs: dates.fetch_due_dates(user_id=user, course_ids=runs, after=self.now))
        if (certificates := host.certificates) is not None:
            ports.append(lambda user, runs: certificates.fetch_certificates(user_id=user, course_ids=runs))
        if not ports:
            raise SkipTest("The adapter lacks the optional ports.")
        user, courses = self.make_seats(count=MANY // 10)
        for call in ports:
            # Caches of the host are warm by then, or are not.
            call(user, courses)
            many = count_statements(lambda call=call: call(user, courses))  # type: ignore[misc]
            assert many <= max(1, count_statements(lambda call=call: call(user, courses[:FEW])))  # type: ignore[misc]
