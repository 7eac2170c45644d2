"""What the contract's tests need from the host whose adapter is tested."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime

from django.db import connection
from django.test.utils import CaptureQueriesContext

from program_enrollments.host.answer_rules import Fault
from program_enrollments.host.checked_host import CheckedHost
from program_enrollments.host.ports import Host

FEW, MANY = 3, 300


def count_statements(call: Callable[[], object]) -> int:
    """Return the number of statements that `call` sends."""
    with CaptureQueriesContext(connection) as captured:
        call()
    return len(captured)


def fail_on_faults(faults: Sequence[Fault]) -> None:
    """Fail the test with the returned value and the accepted ones."""
    raise AssertionError("\n".join(sorted({str(fault) for fault in faults})))


class HostFixtures:
    """What a host's test suite implements: methods that create records in the host without its adapter."""

    host: Host

    @property
    def checked_host(self) -> CheckedHost:
        """The adapter as the app sees it. An unusable answer fails the test with the reason."""
        return CheckedHost(self.host, report=fail_on_faults)

    statements_per_seat = 0
    """How many statements a write may take per further seat or role; 0 if the host can write in bulk."""

    unknown_course_id = "course-v1:Nobody+NONE+1900"
    """The key of a course run that doesn't exist."""

    def make_user(self, *, email: str = "") -> int:
        """Create an account and return the user's ID. Its address, if one is given, is not confirmed yet."""
        raise NotImplementedError

    def make_users(self, *, count: int) -> list[int]:
        """Create `count` accounts and return their users' IDs."""
        return [self.make_user() for _number in range(count)]

    def confirm_email(self, *, user_id: int) -> bool:
        """Let the user confirm the address.

        Return False if the host refuses because another user has confirmed it.
        """
        raise NotImplementedError

    def change_email(self, *, user_id: int, email: str) -> bool | None:
        """Let the user change the address, without confirming the new one.

        Return False if the host keeps the address before until the new one is confirmed.
        """
        raise NotImplementedError

    def make_course_run(self) -> str:
        """Create a course run that anybody can be enrolled in, and return its key."""
        raise NotImplementedError

    def record_grade(self, *, user_id: int, course_id: str, letter: str, percent: float, passed: bool) -> None:
        """Record a final grade; `letter` may be empty."""
        raise NotImplementedError

    def record_grade_problem(self, *, user_id: int, course_id: str) -> bool:
        """Put a user into the state in which the host has a grade record, but no grade.

        Return False if the host has no such state.
        """
        raise NotImplementedError

    def record_activity(self, *, user_id: int, course_id: str, day: date) -> None:
        """Record that the user was active in the course run on a day (UTC)."""
        raise NotImplementedError

    # For the optional ports; implement what the ports of your adapter need.

    def record_progress(self, *, user_id: int, course_id: str, share: float) -> None:
        """Record that the user has done a share of the course run, given in tenths."""
        raise NotImplementedError

    def make_due_date(self, *, course_id: str, title: str, due: datetime) -> None:
        """Let all learners of the course run hand something in."""
        raise NotImplementedError

    def award_certificate(self, *, user_id: int, course_id: str) -> None:
        """Give the user a certificate of the course run."""
        raise NotImplementedError

    def make_account_of_the_university(self) -> int:
        """Create an account whose owner can sign on through a university only, and return the user's ID."""
        raise NotImplementedError

    def make_account_with_password(self) -> int:
        """Create an account whose owner can sign on with a password of this site, and return the user's ID."""
        raise NotImplementedError
