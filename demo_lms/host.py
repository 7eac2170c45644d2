"""The host adapter of the demo LMS: how `program_enrollments` reaches this LMS's accounts, course enrollments, roles,
grades and activity.

An adapter for another LMS looks like this one: one small class a port (`program_enrollments.host.ports`), gathered in a
class that `PROGRAM_ENROLLMENTS["HOST"]` names. `program_enrollments.host.contract` has the tests that every adapter
must pass.

Everything here works on many rows at once, in a number of statements that doesn't depend on how many they are.
All of it is read where it is written: a replica would not know yet who was given a seat a moment ago.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date

from django.contrib.auth import get_user_model
from django.db.models import Count, Max, Min, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from demo_lms.accounts.confirmation import mark_confirmed
from demo_lms.learner_ports import (
    DemoCertificates,
    DemoDueDates,
    DemoKeepAccount,
    DemoLearnerGrades,
    DemoProgress,
    DemoResumeLinks,
)
from demo_lms.models import CourseAccessRole, CourseEnrollment, CourseGrade, CourseRun, DailyActivity, EmailAddress
from demo_lms.models.accounts import email_digest
from demo_lms.models.primary import rows_of
from program_enrollments.data import Attendance, Grade, GradeUnavailable, HostFailure, Seat
from program_enrollments.host.ports import (
    AccountPort,
    AttendancePort,
    CertificatePort,
    CourseEnrollmentPort,
    CourseRolePort,
    DueDatePort,
    GradePort,
    KeepAccountPort,
    LearnerGradePort,
    ProgressPort,
    ResumeLinkPort,
    UserCourse,
)
from program_enrollments.normalization import normalize_identity
from program_enrollments.sql.bulk import insert_rows


def _run_unknown() -> HostFailure:
    return HostFailure(
        "course_run_unknown", _("The learning platform has no course run with this key."), permanent=True
    )


def _enrollment_closed() -> HostFailure:
    return HostFailure("enrollment_closed", _("This course run no longer takes anybody in."), permanent=True)


def _existing_runs(course_ids: Collection[str]) -> dict[str, bool]:
    """Return, for each of `course_ids` that exists, whether its enrollment is closed."""
    runs = dict(rows_of(CourseRun).filter(pk__in=course_ids).values_list("pk", "enrollment_closed"))
    # Some databases find a key whatever its case. Keys that differ in case are different course runs here.
    return {course_id: closed for course_id, closed in runs.items() if course_id in course_ids}


class DemoAccounts:
    """Who is who: `AccountPort`."""

    def confirmed_emails(self, *, user_ids: Collection[int]) -> Mapping[int, str]:
        """Return the confirmed address of each user who has one."""
        return self._current(rows_of(EmailAddress).filter(user__in=user_ids, verified_at__isnull=False))

    def users_by_confirmed_email(self, *, emails: Collection[str]) -> Mapping[str, int]:
        """Return the user of each of `emails` that is a confirmed address. No address can be confirmed by two users
        here.
        """
        digests = {email_digest(email) for email in emails}
        current = self._current(rows_of(EmailAddress).filter(verified_digest__in=digests))
        return {normalize_identity(email): user_id for user_id, email in current.items()}

    def users_by_email(self, *, emails: Collection[str]) -> Mapping[str, Collection[int]]:
        """Return all users with each of `emails`. Anybody may claim an address, so there can be several."""
        digests = {email_digest(email) for email in emails}
        found: dict[str, set[int]] = {}
        for user_id, email in self._current(rows_of(EmailAddress).filter(digest__in=digests)).items():
            found.setdefault(normalize_identity(email), set()).add(user_id)
        return found

    def confirm_email(self, *, user_id: int, email: str) -> bool:
        """Mark the account's address as confirmed if it is `email` and nobody else's."""
        address = rows_of(EmailAddress).filter(user=user_id).first()
        if address is None or normalize_identity(address.email) != normalize_identity(email):
            return False
        return mark_confirmed(address=address, now=timezone.now())

    @staticmethod
    def _current(addresses: QuerySet[EmailAddress]) -> dict[int, str]:
        """Return the address of each user, without those that the account no longer has.

        A bulk update of accounts sends no signal, and so leaves `EmailAddress` behind.
        """
        rows = addresses.values_list("user_id", "email", f"user__{get_user_model().get_email_field_name()}")
        return {user_id: email for user_id, email, of_account in rows if email == of_account}


class DemoCourseEnrollments:
    """Seats in course runs: `CourseEnrollmentPort`."""

    def fetch_seats(
        self, *, user_ids: Collection[int], course_ids: Collection[str], lock: bool = False
    ) -> Sequence[Seat]:
        """Return all seats of these users in these course runs."""
        # `among` is the app's own lookup: `in`, for thousands of values at once.
        rows = rows_of(CourseEnrollment).filter(user__among=user_ids, course_run__in=course_ids)
        if lock:
            # One order for whoever locks seats, and the order of the index that finds them: for another one SQLite
            # would read all seats of the course runs.
            rows = rows.order_by("user_id", "course_run_id").select_for_update()
        return [Seat._make(row) for row in rows.values_list("user_id", "course_run_id", "mode", "is_active")]

    def put_seats(self, *, seats: Sequence[Seat]) -> Mapping[UserCourse, HostFailure]:
        """Make each seat as given. Fails for course runs that don't exist, and for newcomers where enrollment is
        closed.
        """
        wanted = {(seat.user_id, seat.course_id): seat for seat in seats}
        runs = _existing_runs({seat.course_id for seat in seats})
        failures = {pair: _run_unknown() for pair in wanted if pair[1] not in runs}

        entering_closed = [pair for pair, seat in wanted.items() if seat.is_active and runs.get(pair[1])]
        if entering_closed:
            already_in = self._active_in(entering_closed)
            failures.update({pair: _enrollment_closed() for pair in entering_closed if pair not in already_in})

        now = timezone.now()
        insert_rows(
            CourseEnrollment,
            fields=["user", "course_run", "mode", "is_active", "created", "modified"],
            rows=[(*seat, now, now) for pair, seat in wanted.items() if pair not in failures],
            unique=["user", "course_run"],
            update=["mode", "is_active", "modified"],
        )
        return failures

    @staticmethod
    def _active_in(pairs: Collection[UserCourse]) -> set[UserCourse]:
        """Return at least those of `pairs` that are active seats already."""
        rows = rows_of(CourseEnrollment).filter(
            user__in={user_id for user_id, _course in pairs},
            course_run__in={course_id for _user, course_id in pairs},
            is_active=True,
        )
        return set(rows.values_list("user_id", "course_run_id"))


class DemoCourseRoles:
    """The course staff role: `CourseRolePort`."""

    def fetch_course_staff(self, *, user_ids: Collection[int], course_ids: Collection[str]) -> Collection[UserCourse]:
        """Return who of these users is staff in which of these course runs."""
        return set(self._staff(user_ids, course_ids).values_list("user_id", "course_run_id"))

    def grant_course_staff(self, *, pairs: Collection[UserCourse]) -> Mapping[UserCourse, HostFailure]:
        """Grant the role in course runs that exist."""
        runs = _existing_runs({course_id for _user, course_id in pairs})
        insert_rows(
            CourseAccessRole,
            fields=["user", "course_run", "role"],
            rows=[(*pair, CourseAccessRole.STAFF) for pair in set(pairs) if pair[1] in runs],
            unique=["user", "course_run", "role"],
        )
        return {pair: _run_unknown() for pair in pairs if pair[1] not in runs}

    def revoke_course_staff(self, *, pairs: Collection[UserCourse]) -> Mapping[UserCourse, HostFailure]:
        """Take the role away where it is held."""
        held = self._staff({user_id for user_id, _course in pairs}, {course_id for _user, course_id in pairs})
        asked = set(pairs)
        doomed = [
            pk
            for pk, user_id, course_id in held.values_list("pk", "user_id", "course_run_id")
            if (user_id, course_id) in asked
        ]
        rows_of(CourseAccessRole).filter(pk__in=doomed).delete()
        return {}

    @staticmethod
    def _staff(user_ids: Collection[int], course_ids: Collection[str]) -> QuerySet[CourseAccessRole]:
        return rows_of(CourseAccessRole).filter(
            user__in=user_ids, course_run__in=course_ids, role=CourseAccessRole.STAFF
        )


class DemoGrades:
    """Final grades: `GradePort`."""

    def fetch_grades(self, *, course_id: str, user_ids: Collection[int]) -> Mapping[int, Grade | GradeUnavailable]:
        """Return each user's grade; one whose grading isn't finished has none yet."""
        rows = rows_of(CourseGrade).filter(course_run=course_id, user__in=user_ids)
        return {
            user_id: GradeUnavailable(_("The grading of this learner isn't finished."))
            if percent is None
            else Grade(letter_grade=letter or None, percent=float(percent), passed=passed)
            for user_id, letter, percent, passed in rows.values_list("user_id", "letter", "percent", "passed")
        }


class DemoAttendance:
    """Days of activity: `AttendancePort`."""

    def fetch_attendance(
        self, *, course_id: str, user_ids: Collection[int], since: date | None = None
    ) -> Mapping[int, Attendance]:
        """Return each user's first, last and number of days, and the share of the course run's units done."""
        rows = (
            rows_of(DailyActivity)
            .filter(course_run=course_id, user__in=user_ids)
            .values("user_id", "course_run__units")
            .annotate(
                first=Min("day"),
                last=Max("day"),
                days=Count("pk", filter=Q(day__gte=since) if since else None),
                done=Max("units_done"),
            )
        )
        return {
            row["user_id"]: Attendance(
                first_attended=row["first"],
                last_attended=row["last"],
                days_attended=row["days"],
                completion=min(1.0, row["done"] / row["course_run__units"]),
            )
            for row in rows
        }


class DemoHost:
    """The demo LMS as a host."""

    def __init__(self) -> None:
        self.accounts: AccountPort = DemoAccounts()
        self.course_enrollments: CourseEnrollmentPort = DemoCourseEnrollments()
        self.course_roles: CourseRolePort = DemoCourseRoles()
        self.grades: GradePort = DemoGrades()
        self.attendance: AttendancePort = DemoAttendance()
        # An adapter may lack each of these.
        self.progress: ProgressPort | None = DemoProgress()
        self.learner_grades: LearnerGradePort | None = DemoLearnerGrades()
        self.resume_links: ResumeLinkPort | None = DemoResumeLinks()
        self.due_dates: DueDatePort | None = DemoDueDates()
        self.certificates: CertificatePort | None = DemoCertificates()
        self.keep_account: KeepAccountPort | None = DemoKeepAccount()

    def login_url(self) -> str:
        """Return the path of the sign-in page."""
        return reverse("login")
