"""The tests of every `CourseEnrollmentPort` and `CourseRolePort`."""

# ruff: noqa: S101  (these are tests)

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from program_enrollments.data import HostFailure, Seat
from program_enrollments.host.contracts.fixtures import FEW, MANY, HostFixtures, count_statements


class CourseEnrollmentContract(HostFixtures):
    """`CourseEnrollmentPort`."""

    def _seats(self, users: Sequence[int], *course_ids: str) -> set[Seat]:
        found = self.checked_host.course_enrollments.fetch_seats(user_ids=users, course_ids=course_ids)
        assert len(found) == len(set(found)), "a seat is reported once"
        return set(found)

    def test_seats_become_exactly_as_put(self) -> None:
        user, course = self.make_user(), self.make_course_run()
        states = [("masters", True), ("masters", False), ("verified", True), ("verified", True), ("audit", False)]
        for mode, is_active in states:
            seat = Seat(user_id=user, course_id=course, mode=mode, is_active=is_active)
            assert not self.checked_host.course_enrollments.put_seats(seats=[seat])
            assert self._seats([user], course) == {seat}

    def test_a_seat_can_be_put_inactive_at_once(self) -> None:
        seat = Seat(user_id=self.make_user(), course_id=self.make_course_run(), mode="masters", is_active=False)

        assert not self.checked_host.course_enrollments.put_seats(seats=[seat])

        assert self._seats([seat.user_id], seat.course_id) == {seat}

    def test_other_seats_are_neither_told_nor_touched(self) -> None:
        users, courses = self.make_users(count=2), [self.make_course_run(), self.make_course_run()]
        all_four = {Seat(user, course, "audit", is_active=True) for user in users for course in courses}
        assert not self.checked_host.course_enrollments.put_seats(seats=sorted(all_four))
        changed = Seat(users[0], courses[0], "masters", is_active=False)

        assert not self.checked_host.course_enrollments.put_seats(seats=[changed])

        assert self._seats(users[:1], courses[0]) == {changed}
        assert self._seats(users, *courses) == {changed} | {
            seat for seat in all_four if (seat.user_id, seat.course_id) != (users[0], courses[0])
        }

    def test_a_failing_seat_leaves_the_others_alone(self) -> None:
        user, course = self.make_user(), self.make_course_run()
        good = Seat(user, course, "masters", is_active=True)
        bad = Seat(user, self.unknown_course_id, "masters", is_active=True)

        failures = self.checked_host.course_enrollments.put_seats(seats=[bad, good])

        assert set(failures) == {(user, self.unknown_course_id)}
        self._check_failure(failures[user, self.unknown_course_id])
        assert self._seats([user], course, self.unknown_course_id) == {good}

    @staticmethod
    def _check_failure(failure: HostFailure) -> None:
        assert failure.permanent, "a course run that isn't there won't come by trying again"
        assert failure.code, "a machine word"
        assert failure.detail, "a sentence for support staff"

    def test_nothing_is_asked_and_nothing_answered(self) -> None:
        port = self.checked_host.course_enrollments
        assert not port.put_seats(seats=[])
        assert not port.fetch_seats(user_ids=[], course_ids=[self.make_course_run()])
        assert not port.fetch_seats(user_ids=[self.make_user() + 10**6], course_ids=[self.unknown_course_id])

    def test_locked_seats_are_told_like_others(self) -> None:
        seat = Seat(self.make_user(), self.make_course_run(), "masters", is_active=True)
        self.checked_host.course_enrollments.put_seats(seats=[seat])

        with transaction.atomic():
            found = self.checked_host.course_enrollments.fetch_seats(
                user_ids=[seat.user_id], course_ids=[seat.course_id], lock=True
            )

        assert list(found) == [seat]

    def test_seats_are_part_of_the_callers_transaction(self) -> None:
        seat = Seat(self.make_user(), self.make_course_run(), "masters", is_active=True)

        with transaction.atomic():
            self.checked_host.course_enrollments.put_seats(seats=[seat])
            transaction.set_rollback(True)

        assert not self._seats([seat.user_id], seat.course_id)

    def test_many_seats_take_no_more_statements(self) -> None:
        users, course = self.make_users(count=MANY), self.make_course_run()
        port = self.checked_host.course_enrollments
        for seats in (
            [Seat(user, course, "masters", is_active=True) for user in users],
            [Seat(user, course, "masters", is_active=False) for user in users],
        ):
            few = count_statements(lambda seats=seats: port.put_seats(seats=seats[:FEW]))  # type: ignore[misc]
            many = count_statements(lambda seats=seats: port.put_seats(seats=seats[FEW:]))  # type: ignore[misc]
            assert many <= few + self.statements_per_seat * (MANY - FEW)
            assert self._seats(users, course) == set(seats)
        assert count_statements(lambda: port.fetch_seats(user_ids=users, course_ids=[course])) == count_statements(
            lambda: port.fetch_seats(user_ids=users[:FEW], course_ids=[course])
        )


class CourseRoleContract(HostFixtures):
    """`CourseRolePort`."""

    def _staff(self, users: Sequence[int], *course_ids: str) -> set[tuple[int, str]]:
        return set(self.checked_host.course_roles.fetch_course_staff(user_ids=users, course_ids=course_ids))

    def test_the_role_is_granted_once_and_taken_away(self) -> None:
        users, courses = self.make_users(count=2), [self.make_course_run(), self.make_course_run()]
        roles = self.checked_host.course_roles
        pair = (users[0], courses[0])

        for _time in range(2):
            assert not roles.grant_course_staff(pairs=[pair])
            assert self._staff(users, *courses) == {pair}
        assert not self._staff(users[1:], *courses)
        assert not self._staff(users, courses[1])
        for _time in range(2):
            assert not roles.revoke_course_staff(pairs=[pair])
            assert not self._staff(users, *courses)

    def test_taking_a_role_away_leaves_the_others(self) -> None:
        users, courses = self.make_users(count=2), [self.make_course_run(), self.make_course_run()]
        pairs = {(user, course) for user in users for course in courses}
        self.checked_host.course_roles.grant_course_staff(pairs=pairs)
        doomed = {(users[0], courses[0]), (users[1], courses[1])}

        assert not self.checked_host.course_roles.revoke_course_staff(pairs=doomed)

        assert self._staff(users, *courses) == pairs - doomed

    def test_a_failing_role_leaves_the_others_alone(self) -> None:
        user, course = self.make_user(), self.make_course_run()

        failures = self.checked_host.course_roles.grant_course_staff(
            pairs=[(user, self.unknown_course_id), (user, course)]
        )

        assert set(failures) == {(user, self.unknown_course_id)}
        assert failures[user, self.unknown_course_id].permanent
        assert self._staff([user], course, self.unknown_course_id) == {(user, course)}
        assert not self.checked_host.course_roles.revoke_course_staff(pairs=[(user, self.unknown_course_id)])

    def test_roles_are_part_of_the_callers_transaction(self) -> None:
        pair = (self.make_user(), self.make_course_run())

        with transaction.atomic():
            self.checked_host.course_roles.grant_course_staff(pairs=[pair])
            transaction.set_rollback(True)

        assert not self._staff([pair[0]], pair[1])

    def test_many_roles_take_no_more_statements(self) -> None:
        users, course = self.make_users(count=MANY), self.make_course_run()
        pairs = [(user, course) for user in users]
        roles = self.checked_host.course_roles
        for call in (roles.grant_course_staff, roles.revoke_course_staff):
            few = count_statements(lambda call=call: call(pairs=pairs[:FEW]))  # type: ignore[misc]
            many = count_statements(lambda call=call: call(pairs=pairs[FEW:]))  # type: ignore[misc]
            assert many <= few + self.statements_per_seat * (MANY - FEW)
        assert not self._staff(users, course)
