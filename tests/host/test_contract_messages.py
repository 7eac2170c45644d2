"""The contract tells authors of adapters what their adapter returned, and what the app wants there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time
from typing import Any

import pytest

from program_enrollments.data import Attendance, Grade, HostFailure, Seat
from program_enrollments.host.ports import Host
from tests.host import test_demo_contract
from tests.host.odd_hosts import Change, OddHost

pytestmark = pytest.mark.once


class OddContract(test_demo_contract.TestDemoHost):
    __test__ = False
    host: Host = OddHost()


def each(change: Callable[[Any], Any]) -> Change:
    return lambda answer: {key: change(value) for key, value in answer.items()}


def at_noon(attendance: Attendance) -> Attendance:
    assert attendance.first_attended is not None
    noon = datetime.combine(attendance.first_attended, time(12), tzinfo=UTC)
    return Attendance(noon, attendance.last_attended, attendance.days_attended)


MISTAKES: dict[str, tuple[str, str, Change, str]] = {
    "a percentage of 100": (
        "test_grades_are_told_as_they_stand",
        "fetch_grades",
        each(lambda grade: Grade(grade.letter_grade, grade.percent * 100, grade.passed)),
        r"grades.fetch_grades with percent 92.5 \(float\). Return a finite number from 0 to 1.",
    ),
    "no percentage": (
        "test_many_grades_take_no_more_statements",
        "fetch_grades",
        each(lambda grade: Grade("P", None, True)),  # type: ignore[arg-type]
        r"percent None \(NoneType\). Return a finite number",
    ),
    "a blank letter": (
        "test_grades_are_told_as_they_stand",
        "fetch_grades",
        each(lambda grade: Grade(grade.letter_grade or "", grade.percent, grade.passed)),
        r"letter_grade '' \(str\). Return None or printable text",
    ),
    "a list of grades": (
        "test_grades_are_told_as_they_stand",
        "fetch_grades",
        lambda answer: list(answer.values()),
        r"with the answer \[.*\] \(list\). Return a mapping of user IDs.",
    ),
    "moments for days": (
        "test_days_are_counted_from_the_first_to_the_last",
        "fetch_attendance",
        each(at_noon),
        r"attendance.fetch_attendance with first_attended datetime.datetime\(.*\). Return None or a date \(UTC\)",
    ),
    "days as text": (
        "test_since_limits_the_number_of_days_alone",
        "fetch_attendance",
        each(lambda told: Attendance(told.first_attended, told.last_attended, str(told.days_attended))),  # type: ignore[arg-type]
        r"days_attended '4' \(str\). Return a whole number",
    ),
    "whole users": (
        "test_users_are_found_by_confirmed_address_alone",
        "users_by_confirmed_email",
        each(str),
        r"accounts.users_by_confirmed_email with a user ID '\d+' \(str\). Return the primary key of a user.",
    ),
    "one user for many": (
        "test_all_users_with_an_address_are_found_confirmed_or_not",
        "users_by_email",
        each(min),
        r"\(int\). Return a collection of user IDs per address.",
    ),
    "a confirmation without an answer": (
        "test_an_address_can_be_confirmed_for_its_owner",
        "confirm_email",
        lambda _: None,
        r"accounts.confirm_email with the answer None \(NoneType\). Return True or False.",
    ),
    "a state as a number": (
        "test_seats_become_exactly_as_put",
        "fetch_seats",
        lambda answer: [Seat(seat.user_id, seat.course_id, seat.mode, int(seat.is_active)) for seat in answer],  # type: ignore[arg-type]
        r"course_enrollments.fetch_seats with is_active 1 \(int\). Return True or False.",
    ),
    "tuples for seats": (
        "test_seats_become_exactly_as_put",
        "fetch_seats",
        lambda answer: [tuple(seat) for seat in answer],
        r"with a seat \(.*\) \(tuple\). Return a Seat.",
    ),
    "a write that returns nothing": (
        "test_seats_become_exactly_as_put",
        "put_seats",
        lambda answer: None,
        r"course_enrollments.put_seats with the answer None \(NoneType\). Return a mapping of failures, empty",
    ),
    "failures without words": (
        "test_a_failing_role_leaves_the_others_alone",
        "grant_course_staff",
        each(lambda failure: HostFailure("", failure.detail, failure.permanent)),
        r"course_roles.grant_course_staff with code '' \(str\). Return a machine word.",
    ),
    "roles as a mapping": (
        "test_the_role_is_granted_once_and_taken_away",
        "fetch_course_staff",
        dict,
        r"course_roles.fetch_course_staff with the answer .* \(dict\). Return a collection of pairs",
    ),
    "a sign-in page elsewhere": (
        "test_the_sign_in_page_is_a_path_of_this_site",
        "login_url",
        lambda _: "https://sso.example/",
        r"login_url with the answer 'https://sso.example/' \(str\). Return a path of this site",
    ),
}


@pytest.mark.django_db
@pytest.mark.parametrize(("test", "method", "change", "message"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_named(
    monkeypatch: pytest.MonkeyPatch, test: str, method: str, change: Change, message: str
) -> None:
    monkeypatch.setattr(OddHost, "changes", {method: change})

    with pytest.raises(AssertionError, match=rf"tests.host.odd_hosts.OddHost answered .*{message}"):
        getattr(OddContract(), test)()
