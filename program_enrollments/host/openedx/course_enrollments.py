"""Seats in course runs on Open edX: `CourseEnrollmentPort`.

The platform's functions are called for one seat at a time, so that its filters, events, schedules and roles follow;
everything around them is read for all seats at once (ADR 0020).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.utils.translation import gettext as _

from program_enrollments.data import HostFailure, Seat
from program_enrollments.host.answer_rules import plain_line
from program_enrollments.host.openedx.platform import (
    account_unknown,
    fetch_course_runs,
    fetch_users,
    get_model,
    parse_course_keys,
    run_unknown,
    seat_exception,
)
from program_enrollments.host.ports import UserCourse

MAX_MESSAGE_LENGTH = 500
"""Characters kept of what a filter says."""


class SeatRefused(Exception):
    """Takes back what was written for one seat, and carries why."""

    def __init__(self, failure: HostFailure) -> None:
        self.failure = failure
        super().__init__(failure.code)


class OpenEdxCourseEnrollments:
    """The platform's course enrollments."""

    def fetch_seats(
        self, *, user_ids: Collection[int], course_ids: Collection[str], lock: bool = False
    ) -> Sequence[Seat]:
        """Return all seats of these users in these course runs, in one statement."""
        keys = parse_course_keys(course_ids)
        if not keys or not user_ids:
            return []
        rows = _seat_rows(user_ids=user_ids, keys=keys)
        if lock:
            # The order of the unique index: all writers lock seats in one order.
            rows = rows.order_by("user_id", "course_id").select_for_update()
        found = (
            Seat(user_id, str(course_id), mode, is_active)
            for user_id, course_id, mode, is_active in rows.values_list("user_id", "course_id", "mode", "is_active")
        )
        return [seat for seat in found if seat.course_id in keys]

    def put_seats(self, *, seats: Sequence[Seat]) -> Mapping[UserCourse, HostFailure]:
        """Make each seat as given, each in a savepoint. What the platform has already is not written."""
        if not seats:
            return {}
        surroundings = read_surroundings(seats)
        refusals = (seat_exception("EnrollmentNotAllowed"), seat_exception("UnenrollmentNotAllowed"))
        failures: dict[UserCourse, HostFailure] = {}
        for seat in sorted(seats):
            pair = seat.user_id, seat.course_id
            failure = surroundings.find_failure(seat)
            if failure is None:
                failure = _put_or_take_back(seat, surroundings, refusals)
            if failure is not None:
                failures[pair] = failure
        return failures


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known about the seats of one call: accounts, course runs, modes, and present seats."""

    users: Mapping[int, Any]
    runs: Mapping[str, Any]
    modes: Collection[tuple[str, str]]
    present: Mapping[UserCourse, Any]

    def find_failure(self, seat: Seat) -> HostFailure | None:
        """Return why the platform must not be asked for this seat, None if it may be."""
        user, present = self.users.get(seat.user_id), self.present.get((seat.user_id, seat.course_id))
        if seat.course_id not in self.runs:
            return run_unknown()
        if user is None:
            return account_unknown()
        if not _has_profile(user):
            detail = _("The account has no profile on the learning platform. Open it in the admin and give it one.")
            return HostFailure("account_without_profile", detail, permanent=True)
        keeps_its_mode = present is not None and present.mode == seat.mode
        if not keeps_its_mode and (seat.course_id, seat.mode) not in self.modes:
            detail = _("The course run is not offered in the mode %(mode)s. Add it to the run's course modes.")
            return HostFailure("course_mode_missing", detail % {"mode": seat.mode}, permanent=True)
        return None


def read_surroundings(seats: Sequence[Seat]) -> Surroundings:
    """Read what is needed around `seats`, in four statements whatever their number."""
    users = fetch_users({seat.user_id for seat in seats})
    runs = fetch_course_runs({seat.course_id for seat in seats})
    modes = get_model("course_modes.CourseMode").objects.filter(course__in=list(runs.values()))
    present = {}
    if runs:
        # The user and the course run come along: the platform reads both for its events.
        for row in _seat_rows(user_ids=users, keys=runs).select_related("course"):
            row.user = users[row.user_id]
            present[row.user_id, str(row.course_id)] = row
    return Surroundings(
        users=users,
        runs=runs,
        modes={(str(course_id), slug) for course_id, slug in modes.values_list("course_id", "mode_slug")},
        present=present,
    )


def _seat_rows(*, user_ids: Collection[int], keys: Mapping[str, Any]) -> Any:
    rows = get_model("student.CourseEnrollment").objects
    return rows.filter(user__among=list(user_ids), course__in=list(keys.values()))


def _has_profile(user: Any) -> bool:
    try:
        return user.profile is not None
    except ObjectDoesNotExist:
        return False


def _put_or_take_back(
    seat: Seat, surroundings: Surroundings, refusals: tuple[type[Exception], ...]
) -> HostFailure | None:
    """Put one seat in a savepoint; return why it was taken back, None if it stands."""
    try:
        with transaction.atomic():
            _put(seat, surroundings)
            if transaction.get_rollback():
                # A receiver swallowed a database error: the savepoint is lost, and would go without a word.
                detail = _("The learning platform could not store the course enrollment. It is tried again.")
                raise SeatRefused(HostFailure("enrollment_failed", detail, permanent=False))
    except SeatRefused as refused:
        return refused.failure
    except refusals as error:
        message = plain_line(str(error))[:MAX_MESSAGE_LENGTH].strip()
        detail = message or _("The learning platform refused the course enrollment, and gave no reason.")
        return HostFailure("enrollment_refused", detail, permanent=True)
    return None


def _put(seat: Seat, surroundings: Surroundings) -> None:
    """Make the platform's seat as given. Raises SeatRefused where a filter made it something else."""
    enrollments = get_model("student.CourseEnrollment")
    user, key = surroundings.users[seat.user_id], surroundings.runs[seat.course_id]
    present = surroundings.present.get((seat.user_id, seat.course_id))
    if seat.is_active and (present is None or not present.is_active):
        # Also a seat that was ended: only this announces that somebody is in again.
        made = enrollments.enroll(user, key, mode=seat.mode, check_access=False)
        _check(made, seat)
        return
    if present is None:
        # Enrolling and unenrolling at once would tell the learner of both.
        present = enrollments.get_or_create_enrollment(user, key)
    elif present.is_active and not seat.is_active:
        # Nothing is refunded: the app never ends a seat that was paid for.
        enrollments.unenroll(user, key, skip_refund=True)
        if present.mode == seat.mode:
            return
        present = enrollments.objects.get(pk=present.pk)
    present.update_enrollment(mode=seat.mode)


def _check(made: Any, seat: Seat) -> None:
    if (made.user_id, str(made.course_id), made.mode, made.is_active) == seat:
        return
    detail = _("A filter of the learning platform would have enrolled another person, run or mode.")
    raise SeatRefused(HostFailure("enrollment_changed", detail, permanent=True))
