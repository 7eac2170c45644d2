"""The interface that this app needs of an LMS: one small protocol per concern, collected in `Host`.

Rules every adapter keeps (they are tested by `program_enrollments.host.contract`):

- Calls are for many users at once. If possible, an adapter answers with a constant number of statements, however many
  rows there are.
- Calls run inside the caller's transaction, if it has one, and use the default database. They never commit and start
  no threads.
- Answers leave out what doesn't exist. Unknown users and course runs are no error.
- Every answer is checked before it is used (`checked_host`). An unusable value counts as a failure of its user or its
  pair, and the log names its type.
- Adapters that call another service pass `deadline.remaining_seconds()` to their client as its time-out.
- Adapters don't decide whose seat is whose: they store the given seats and report the existing ones.
- An adapter may lack any of the ports in `OptionalPorts`. Pages then leave out what the port would have given.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from program_enrollments.data import (
    Attendance,
    AttendanceUnavailable,
    DueDate,
    Grade,
    GradeUnavailable,
    HostFailure,
    Seat,
)

UserCourse = tuple[int, str]
"""(user ID, course key)"""


class AccountPort(Protocol):
    """The host's accounts and their e-mail addresses."""

    def confirmed_emails(self, *, user_ids: Collection[int]) -> Mapping[int, str]:
        """Return the e-mail address, as stored, of each user whose address is confirmed."""
        ...

    def users_by_confirmed_email(self, *, emails: Collection[str]) -> Mapping[str, int]:
        """Return, per address of `emails` that a user has confirmed, that user's ID.

        The addresses are normalized. Compare with `normalize_identity`, whatever the database's collation. Leave out
        an address that two users have confirmed.
        """
        ...

    def users_by_email(self, *, emails: Collection[str]) -> Mapping[str, Collection[int]]:
        """Return, per address of `emails`, the IDs of all users who have it, confirmed or not.

        The addresses are normalized, and compared as in `users_by_confirmed_email`. Leave out addresses that no user
        has. The app calls this only when somebody signs on for the first time.
        """
        ...

    def confirm_email(self, *, user_id: int, email: str) -> bool:
        """Record the user's address as confirmed, because their university vouches for it.

        Return whether it is confirmed now: False if the account's address is not `email` (any more), or if another
        user has confirmed it. Do nothing else: the app itself handles what follows from a confirmed address.
        """
        ...


class CourseEnrollmentPort(Protocol):
    """The host's course enrollments ("seats")."""

    def fetch_seats(
        self, *, user_ids: Collection[int], course_ids: Collection[str], lock: bool = False
    ) -> Sequence[Seat]:
        """Return every seat of any of these users in any of these course runs.

        With `lock`, lock them until the commit.
        """
        ...

    def put_seats(self, *, seats: Sequence[Seat]) -> Mapping[UserCourse, HostFailure]:
        """Create or change seats so that each is exactly as given. Return the failures by pair.

        A failing seat must not affect the others. If the call raises, the caller rolls back to its savepoint and
        tries the seats one by one.
        """
        ...


class CourseRolePort(Protocol):
    """The host's course staff role."""

    def fetch_course_staff(self, *, user_ids: Collection[int], course_ids: Collection[str]) -> Collection[UserCourse]:
        """Return who of these users holds the staff role in which of these course runs."""
        ...

    def grant_course_staff(self, *, pairs: Collection[UserCourse]) -> Mapping[UserCourse, HostFailure]:
        """Grant the role. Users who have it already are no failure. Failures and exceptions as in `put_seats`."""
        ...

    def revoke_course_staff(self, *, pairs: Collection[UserCourse]) -> Mapping[UserCourse, HostFailure]:
        """Revoke the role. Users without it are no failure. Failures and exceptions as in `put_seats`."""
        ...


class GradePort(Protocol):
    """The host's final grades."""

    def fetch_grades(self, *, course_id: str, user_ids: Collection[int]) -> Mapping[int, Grade | GradeUnavailable]:
        """Return the present final grade of each user. Leave out users without any grade record."""
        ...


class AttendancePort(Protocol):
    """The host's record of activity."""

    def fetch_attendance(
        self, *, course_id: str, user_ids: Collection[int], since: date | None = None
    ) -> Mapping[int, Attendance | AttendanceUnavailable]:
        """Return the attendance of each user who has any.

        With `since`, `days_attended` counts that UTC day and later ones; the other fields are not limited.
        """
        ...


class Host(Protocol):
    """A host adapter: an object with one attribute per port, created once per process without arguments."""

    accounts: AccountPort
    course_enrollments: CourseEnrollmentPort
    course_roles: CourseRolePort
    grades: GradePort
    attendance: AttendancePort

    def login_url(self) -> str:
        """Return the path of the host's sign-in page."""
        ...


class ProgressPort(Protocol):
    """Optional: how far a learner is through course runs."""

    def fetch_progress(self, *, user_id: int, course_ids: Collection[str]) -> Mapping[str, float]:
        """Return the share done of each course run, from 0 to 1; unknown ones are left out."""
        ...


class LearnerGradePort(Protocol):
    """Optional: one learner's grades in many course runs, as the learner may see them.

    `GradePort` is about many users in one course run, and for the school.
    """

    def fetch_learner_grades(self, *, user_id: int, course_ids: Collection[str]) -> Mapping[str, Grade]:
        """Return the user's present grade in each course run. Leave out course runs without one."""
        ...


class ResumeLinkPort(Protocol):
    """Optional: where a learner goes on learning."""

    def fetch_resume_links(self, *, user_id: int, course_ids: Collection[str]) -> Mapping[str, str]:
        """Return, per course run, the page to go on with: a path of this site, or an https address.

        For a course run that the user has not begun, that is its first page. Leave out course runs that the user
        cannot open.
        """
        ...


class DueDatePort(Protocol):
    """Optional: what a learner has to hand in."""

    def fetch_due_dates(self, *, user_id: int, course_ids: Collection[str], after: datetime) -> Mapping[str, DueDate]:
        """Return, per course run, the first due date after `after`. Leave out course runs without one."""
        ...


class CertificatePort(Protocol):
    """Optional: the certificates of a learner."""

    def fetch_certificates(self, *, user_id: int, course_ids: Collection[str]) -> Mapping[str, str]:
        """Return the page of the user's certificate per course run: a path here, or an https address."""
        ...


class KeepAccountPort(Protocol):
    """Optional: how a learner keeps the account after the university has closed their identity."""

    def keep_account_url(self, *, user_id: int) -> str:
        """Return the page on which the user adds an address and a password: a path, or an https address.

        Return an empty string if the user can sign on without the university already.
        """
        ...


class OptionalPorts(Protocol):
    """The ports that an adapter may have as well, as attributes of the same object.

    They are about one learner and any number of course runs: a page calls each of them once. Each is called only if
    the adapter has the attribute, and all together get the seconds of `DASHBOARD_HOST_SECONDS`.
    """

    progress: ProgressPort
    learner_grades: LearnerGradePort
    resume_links: ResumeLinkPort
    due_dates: DueDatePort
    certificates: CertificatePort
    keep_account: KeepAccountPort
