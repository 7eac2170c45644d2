"""The host as the app sees it: an adapter whose every answer has been checked.

An unusable record fails only for its own user or course run. An answer whose users and course runs cannot be
recognized raises HostAnswerUnusable, which callers handle like a host that is down.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import TypeVar

from django.conf import settings
from django.shortcuts import resolve_url
from django.utils.translation import gettext as _

from program_enrollments.data import (
    Attendance,
    AttendanceUnavailable,
    Grade,
    GradeUnavailable,
    HostFailure,
    Seat,
)
from program_enrollments.exceptions import HostAnswerUnusable
from program_enrollments.host.answer_rules import (
    Fault,
    Flaw,
    as_asked,
    find_account_flaw,
    find_address_flaw,
    find_attendance_flaw,
    find_failure_flaw,
    find_grade_flaw,
    find_seat_flaw,
    is_one_of,
)
from program_enrollments.host.checked_calls import Call, CheckedPort, Report, log_faults, name_of
from program_enrollments.host.checked_optional_ports import (
    CheckedCertificates,
    CheckedDueDates,
    CheckedKeepAccount,
    CheckedLearnerGrades,
    CheckedProgress,
    CheckedResumeLinks,
)
from program_enrollments.host.ports import Host, UserCourse

P = TypeVar("P", bound=CheckedPort)

UNUSABLE_FAILURE = HostFailure(HostAnswerUnusable.code, HostAnswerUnusable.detail, False)
WANTED_PAIR = "one of the pairs (user ID, course key) that the call names, of the same type"


class CheckedHost:
    """An adapter, with its answers checked. Faults go to `report`. Optional ports that it lacks are None."""

    def __init__(self, adapter: Host, *, report: Report = log_faults) -> None:
        self.adapter = adapter
        self.accounts = CheckedAccounts(adapter, "accounts", report)
        self.course_enrollments = CheckedCourseEnrollments(adapter, "course_enrollments", report)
        self.course_roles = CheckedCourseRoles(adapter, "course_roles", report)
        self.grades = CheckedGrades(adapter, "grades", report)
        self.attendance = CheckedAttendance(adapter, "attendance", report)
        self._report = report
        self.progress = self._optional("progress", CheckedProgress)
        self.learner_grades = self._optional("learner_grades", CheckedLearnerGrades)
        self.resume_links = self._optional("resume_links", CheckedResumeLinks)
        self.due_dates = self._optional("due_dates", CheckedDueDates)
        self.certificates = self._optional("certificates", CheckedCertificates)
        self.keep_account = self._optional("keep_account", CheckedKeepAccount)

    def _optional(self, name: str, checked: type[P]) -> P | None:
        return None if getattr(self.adapter, name, None) is None else checked(self.adapter, name, self._report)

    def login_url(self) -> str:
        """Return the path of the host's sign-in page; Django's `LOGIN_URL` if the adapter returns no path."""
        path: object = self.adapter.login_url()
        if isinstance(path, str) and path.startswith("/") and path[1:2] not in {"/", "\\"} and path.isprintable():
            return path
        wanted = "a path of this site, such as /login"
        self._report([Fault(name_of(self.adapter), "login_url", Flaw("the answer", path, wanted))])
        return str(resolve_url(settings.LOGIN_URL))


class Seats(list[Seat]):
    """The usable seats of an answer, and the users and course runs whose seats are unusable."""

    unusable: frozenset[UserCourse] = frozenset()


class CheckedAccounts(CheckedPort):
    """`AccountPort`. Unusable evidence is ignored."""

    def confirmed_emails(self, *, user_ids: Collection[int]) -> Mapping[int, str]:
        call = self._call("confirmed_emails")
        answer = call.make(user_ids=user_ids)
        call.mapping(answer, wanted="a mapping of user IDs to addresses")
        return call.done(self._by_user(call, answer, user_ids, find_address_flaw)[0])

    def users_by_confirmed_email(self, *, emails: Collection[str]) -> Mapping[str, int]:
        call = self._call("users_by_confirmed_email")
        answer = call.mapping(call.make(emails=emails), wanted="a mapping of addresses to user IDs")
        asked = as_asked(emails)
        found: dict[str, int] = {}
        for email, user_id in answer.items():
            flaw = find_account_flaw(user_id) if is_one_of(email, asked=asked) else _not_asked(email)
            if flaw is None:
                found[email] = user_id
            else:
                call.note(flaw)
        return call.done(found)

    def users_by_email(self, *, emails: Collection[str]) -> Mapping[str, Collection[int]]:
        """Return the same as the port.

        Any unusable value raises: a user who is missing from the answer would get a second account.
        """
        call = self._call("users_by_email")
        answer = call.mapping(call.make(emails=emails), wanted="a mapping of addresses to collections of user IDs")
        asked = as_asked(emails)
        for email, user_ids in answer.items():
            if not is_one_of(email, asked=asked):
                raise call.refuse(_not_asked(email))
            call.collection(user_ids, wanted="a collection of user IDs per address")
            for flaw in filter(None, map(find_account_flaw, user_ids)):
                raise call.refuse(flaw)
        return answer

    def confirm_email(self, *, user_id: int, email: str) -> bool:
        call = self._call("confirm_email")
        answer = call.make(user_id=user_id, email=email)
        if not isinstance(answer, bool):
            call.note(Flaw("the answer", answer, "True or False"))
        return call.done(answer is True)


class CheckedCourseEnrollments(CheckedPort):
    """`CourseEnrollmentPort`. An unusable seat fails only for its own user and course run."""

    def fetch_seats(self, *, user_ids: Collection[int], course_ids: Collection[str], lock: bool = False) -> Seats:
        call = self._call("fetch_seats")
        answer = call.make(user_ids=user_ids, course_ids=course_ids, lock=lock)
        users, runs = as_asked(user_ids), as_asked(course_ids)
        seats = Seats()
        first: dict[UserCourse, Seat] = {}
        unusable: set[UserCourse] = set()
        for seat in call.collection(answer, wanted="a sequence of Seats"):
            if not isinstance(seat, Seat):
                raise call.refuse(Flaw("a seat", seat, "a Seat"))
            pair = (seat.user_id, seat.course_id)
            if not (is_one_of(seat.user_id, asked=users) and is_one_of(seat.course_id, asked=runs)):
                flaw = Flaw("user_id and course_id", pair, WANTED_PAIR)
                if find_account_flaw(seat.user_id) is not None or not isinstance(seat.course_id, str):
                    raise call.refuse(flaw)
                call.note(flaw)
                continue
            wanted = Flaw("the seats", [first.get(pair), seat], "one Seat per user and course run")
            flaw_or_none = find_seat_flaw(seat) or (wanted if first.setdefault(pair, seat) != seat else None)
            if flaw_or_none is None:
                seats.append(seat)
            else:
                call.note(flaw_or_none)
                unusable.add(pair)
        usable = Seats(seat for seat in seats if (seat.user_id, seat.course_id) not in unusable)
        usable.unusable = frozenset(unusable)
        return call.done(usable)

    def put_seats(self, *, seats: Sequence[Seat]) -> dict[UserCourse, HostFailure]:
        call = self._call("put_seats")
        pairs = {(seat.user_id, seat.course_id) for seat in seats}
        return _failures(call, call.make(seats=seats), pairs)


class CheckedCourseRoles(CheckedPort):
    """`CourseRolePort`."""

    def fetch_course_staff(self, *, user_ids: Collection[int], course_ids: Collection[str]) -> Collection[UserCourse]:
        call = self._call("fetch_course_staff")
        answer = call.make(user_ids=user_ids, course_ids=course_ids)
        users, runs = as_asked(user_ids), as_asked(course_ids)
        held: set[UserCourse] = set()
        for pair in call.collection(answer, wanted="a collection of pairs (user ID, course key)"):
            if _is_pair(pair) and is_one_of(pair[0], asked=users) and is_one_of(pair[1], asked=runs):
                held.add(pair)
                continue
            flaw = Flaw("a pair", pair, WANTED_PAIR)
            if not _is_pair(pair) or find_account_flaw(pair[0]) is not None or not isinstance(pair[1], str):
                raise call.refuse(flaw)
            call.note(flaw)
        return call.done(held)

    def grant_course_staff(self, *, pairs: Collection[UserCourse]) -> Mapping[UserCourse, HostFailure]:
        call = self._call("grant_course_staff")
        return _failures(call, call.make(pairs=pairs), pairs)

    def revoke_course_staff(self, *, pairs: Collection[UserCourse]) -> Mapping[UserCourse, HostFailure]:
        call = self._call("revoke_course_staff")
        return _failures(call, call.make(pairs=pairs), pairs)


class CheckedGrades(CheckedPort):
    """`GradePort`. An unusable grade is reported as that learner's error."""

    def fetch_grades(self, *, course_id: str, user_ids: Collection[int]) -> Mapping[int, Grade | GradeUnavailable]:
        call = self._call("fetch_grades")
        answer = call.make_report(course_id=course_id, user_ids=user_ids)
        usable, unusable = self._by_user(call, answer, user_ids, find_grade_flaw)
        reason = GradeUnavailable(_("The learning platform gave a grade that cannot be used. Ask its support."))
        return call.done(usable | dict.fromkeys(unusable, reason))


class CheckedAttendance(CheckedPort):
    """`AttendancePort`. An unusable record is reported as that learner's error."""

    def fetch_attendance(
        self, *, course_id: str, user_ids: Collection[int], since: date | None = None
    ) -> Mapping[int, Attendance | AttendanceUnavailable]:
        call = self._call("fetch_attendance")
        answer = call.make_report(course_id=course_id, user_ids=user_ids, since=since)
        usable, unusable = self._by_user(call, answer, user_ids, find_attendance_flaw)
        reason = AttendanceUnavailable(
            _("The learning platform gave an attendance record that cannot be used. Ask its support.")
        )
        return call.done(usable | dict.fromkeys(unusable, reason))


def _failures(call: Call, answer: object, pairs: Collection[UserCourse]) -> dict[UserCourse, HostFailure]:
    """Return the failures of a write.

    Raises HostAnswerUnusable if a key is not one of `pairs`: it is unknown then what the host did.
    """
    asked = as_asked(pairs)
    failures: dict[UserCourse, HostFailure] = {}
    for pair, failure in call.mapping(answer, wanted="a mapping of failures, empty if there are none").items():
        if not is_one_of(pair, asked=asked):
            raise call.refuse(Flaw("a key", pair, WANTED_PAIR))
        flaw = find_failure_flaw(failure)
        failures[pair] = failure if flaw is None else UNUSABLE_FAILURE
        if flaw is not None:
            call.note(flaw)
    return call.done(failures)


def _is_pair(value: object) -> bool:
    return isinstance(value, tuple) and len(value) == 2


def _not_asked(email: object) -> Flaw:
    return Flaw("a key", email, "one of the addresses that the call names")
