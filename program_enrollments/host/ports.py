"""What this app asks of an LMS: one small protocol a concern, gathered in `Host`.

Rules every adapter keeps (they are tested by `program_enrollments.host.contract`):

- Calls are for many at once; an adapter that can, answers with a constant number of statements whatever the number of
  rows.
- Calls run inside the caller's transaction, if it has one, and use the default database; they never commit, and they
  start no threads.
- Whatever is not there is left out of the answer; asking about unknown users or course runs is no error.
- Every answer is checked before it is used (`checked_host`). A value that cannot be used counts as a failure of the
  user or the pair it is about, and is logged by its type.
- Adapters that call another service pass `deadline.remaining_seconds()` to their client as its time-out.
- The rules about whose seat is whose are not the adapter's: it stores what it is told and reports what it finds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Protocol

from program_enrollments.data import (
    Attendance,
    AttendanceUnavailable,
    Grade,
    GradeUnavailable,
    HostFailure,
    Seat,
)

UserCourse = tuple[int, str]
"""(user ID, course key)"""


class AccountPort(Protocol):
    """Who is who among the host's accounts."""

    def confirmed_emails(self, *, user_ids: Collection[int]) -> Mapping[int, str]:
        """Return the e-mail address of each user whose address the host knows to be confirmed, as stored."""
        ...

    def users_by_confirmed_email(self, *, emails: Collection[str]) -> Mapping[str, int]:
        """Return, for each of `emails` (normalized) that is some user's confirmed address, that user's ID.

        Compared with `normalize_identity`, whatever the database's collation. An address confirmed by two users is
        left out.
        """
        ...

    def users_by_email(self, *, emails: Collection[str]) -> Mapping[str, Collection[int]]:
        """Return, per address of `emails`, the IDs of all users who have it, confirmed or not.

        The addresses are normalized. One that no user has is left out.

        Compared as in `users_by_confirmed_email`. Asked only where somebody signs on for the first time.
        """
        ...

    def confirm_email(self, *, user_id: int, email: str) -> bool:
        """Record that the user's present address is confirmed, because their university vouches for it.

        Return whether it is now.

        False where the account's address is not `email` (any more), or another user has confirmed it. Nothing else is
        done: the app itself goes on with what a confirmed address entails.
        """
        ...


class CourseEnrollmentPort(Protocol):
    """The host's course enrollments ("seats")."""

    def fetch_seats(
        self, *, user_ids: Collection[int], course_ids: Collection[str], lock: bool = False
    ) -> Sequence[Seat]:
        """Return every seat of any of these users in any of these course runs.

        With `lock`, held until the commit.
        """
        ...

    def put_seats(self, *, seats: Sequence[Seat]) -> Mapping[UserCourse, HostFailure]:
        """Create or change seats so that each is exactly as given.

        Return the failures, empty if there are none.

        A failing seat must leave the others alone. An exception means that nothing of the call may be relied on: the
        caller rolls back to its savepoint and tries the seats one by one.
        """
        ...


class CourseRolePort(Protocol):
    """The host's course staff role."""

    def fetch_course_staff(self, *, user_ids: Collection[int], course_ids: Collection[str]) -> Collection[UserCourse]:
        """Return who of these users holds the staff role in which of these course runs."""
        ...

    def grant_course_staff(self, *, pairs: Collection[UserCourse]) -> Mapping[UserCourse, HostFailure]:
        """Grant the role; having it already is no failure. Failures and exceptions as in `put_seats`."""
        ...

    def revoke_course_staff(self, *, pairs: Collection[UserCourse]) -> Mapping[UserCourse, HostFailure]:
        """Take the role away; not having it is no failure. Failures and exceptions as in `put_seats`."""
        ...


class GradePort(Protocol):
    """The host's final grades."""

    def fetch_grades(self, *, course_id: str, user_ids: Collection[int]) -> Mapping[int, Grade | GradeUnavailable]:
        """Return the final grade of each user as it stands; a user left out has no grade record at all."""
        ...


class AttendancePort(Protocol):
    """The host's record of activity."""

    def fetch_attendance(
        self, *, course_id: str, user_ids: Collection[int], since: date | None = None
    ) -> Mapping[int, Attendance | AttendanceUnavailable]:
        """Return attendance of each user who has any.

        `since` limits `days_attended` alone, to that UTC day and on.
        """
        ...


class Host(Protocol):
    """A host adapter: an object with one attribute a port. It is made once a process, without arguments."""

    accounts: AccountPort
    course_enrollments: CourseEnrollmentPort
    course_roles: CourseRolePort
    grades: GradePort
    attendance: AttendancePort

    def login_url(self) -> str:
        """Return the path of the host's sign-in page."""
        ...
