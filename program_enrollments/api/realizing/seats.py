"""Seats: the host's course enrollments and staff roles are made to agree with the school's wishes.

`seat_rules` alone knows whose seat is whose.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from program_enrollments.api.seat_rules import SeatWish, decide_seat
from program_enrollments.api.transactions import atomic, is_lost, is_rehearsal, roll_back
from program_enrollments.conf import get_setting
from program_enrollments.data import CourseStatus, HostFailure
from program_enrollments.exceptions import HostError, HostRefused
from program_enrollments.failures import describe_failure
from program_enrollments.host import get_host
from program_enrollments.host.checked_host import UNUSABLE_FAILURE, Seats
from program_enrollments.host.ports import UserCourse
from program_enrollments.models import Learner, ProgramCourseEnrollment
from program_enrollments.sql.bulk import select_rows

logger = logging.getLogger(__name__)
T = TypeVar("T")


_writing: ContextVar[bool] = ContextVar("program_enrollments_writing_seats", default=False)


@contextmanager
def _writing_seats() -> Iterator[None]:
    token = _writing.set(True)
    try:
        yield
    finally:
        _writing.reset(token)


def is_writing_seats() -> bool:
    """Whether this app is writing seats right now: the host's events of it are no news."""
    return _writing.get()


def find_agreeing(*, wishes: Sequence[SeatWish]) -> set[UserCourse]:
    """Return those of `wishes` with which the host agrees already, without locking anything."""
    if not wishes:
        return set()
    seats = get_host().course_enrollments.fetch_seats(
        user_ids={wish.user_id for wish in wishes}, course_ids={wish.course_id for wish in wishes}
    )
    current = {(seat.user_id, seat.course_id): seat for seat in seats}
    mode, upgradable_modes = get_setting("COURSE_MODE"), frozenset(get_setting("UPGRADABLE_MODES"))
    return {
        wish.pair
        for wish in wishes
        if wish.pair not in seats.unusable
        and decide_seat(wish=wish, current=current.get(wish.pair), mode=mode, upgradable_modes=upgradable_modes) is None
    }


def agree_on_seats(*, wishes: Sequence[SeatWish], one_by_one: bool = False) -> dict[UserCourse, HostFailure]:
    """Make the host's seats agree with `wishes`, and return the failures.

    The seats are read with one call and written with one call, however many wishes there are. With `one_by_one` each
    seat is written in its own savepoint, and an exception becomes that seat's failure. Without, exceptions reach the
    caller, who rolls back.
    """
    if not wishes:
        return {}
    port = get_host().course_enrollments
    user_ids = {wish.user_id for wish in wishes}
    course_ids = {wish.course_id for wish in wishes}

    def fetch() -> Seats:
        return port.fetch_seats(user_ids=user_ids, course_ids=course_ids, lock=True)

    if one_by_one:
        found, failure = _guarded(fetch)
        if failure is not None or found is None:
            return {wish.pair: failure or UNKNOWN_FAILURE for wish in wishes}
    else:
        found = fetch()
    current = {(seat.user_id, seat.course_id): seat for seat in found}
    unusable = {wish.pair: UNUSABLE_FAILURE for wish in wishes if wish.pair in found.unusable}
    mode, upgradable_modes = get_setting("COURSE_MODE"), frozenset(get_setting("UPGRADABLE_MODES"))
    decided = (
        decide_seat(wish=wish, current=current.get(wish.pair), mode=mode, upgradable_modes=upgradable_modes)
        for wish in wishes
        if wish.pair not in unusable
    )
    seats = [seat for seat in decided if seat is not None]
    if is_rehearsal():
        # Only writing to the host can reveal what it refuses.
        return unusable
    with _writing_seats():
        if not one_by_one:
            return unusable | (port.put_seats(seats=seats) if seats else {})
        return unusable | _collect(
            ((seat.user_id, seat.course_id) for seat in seats),
            lambda pair: port.put_seats(seats=[seat for seat in seats if (seat.user_id, seat.course_id) == pair]),
        )


def agree_on_roles(
    *, grants: Collection[UserCourse], revokes: Collection[UserCourse], one_by_one: bool = False
) -> tuple[set[UserCourse], dict[UserCourse, HostFailure]]:
    """Grant and revoke the course staff role. Return which of `grants` are new, and the failures.

    Exceptions and `one_by_one` as in `agree_on_seats`.
    """
    if not grants and not revokes:
        return set(), {}
    port = get_host().course_roles
    missing: set[UserCourse] = set()
    failures: dict[UserCourse, HostFailure] = {}
    if grants:
        user_ids, course_ids = {user_id for user_id, _ in grants}, {course_id for _, course_id in grants}

        def fetch() -> set[UserCourse]:
            return set(port.fetch_course_staff(user_ids=user_ids, course_ids=course_ids))

        if one_by_one:
            held, failure = _guarded(fetch)
            if failure is not None or held is None:
                return set(), dict.fromkeys([*grants, *revokes], failure or UNKNOWN_FAILURE)
        else:
            held = fetch()
        missing = set(grants) - held
    if is_rehearsal():
        return missing, {}
    if missing:
        failures.update(
            _collect(missing, lambda pair: port.grant_course_staff(pairs=[pair]))
            if one_by_one
            else port.grant_course_staff(pairs=missing)
        )
    if revokes:
        failures.update(
            _collect(revokes, lambda pair: port.revoke_course_staff(pairs=[pair]))
            if one_by_one
            else port.revoke_course_staff(pairs=revokes)
        )
    return missing - failures.keys(), failures


def agree_on_seats_and_roles(
    *,
    wishes: Sequence[SeatWish],
    grants: Collection[UserCourse],
    revokes: Collection[UserCourse],
    one_by_one: bool = False,
) -> tuple[set[UserCourse], dict[UserCourse, HostFailure]]:
    """Make seats and course staff roles agree. Return which of `grants` are new, and the failures.

    If a pair's seat or role fails, neither is changed: after a failed role, all others are written once more without
    that pair. Exceptions and `one_by_one` as in `agree_on_seats`.
    """
    if not grants and not revokes:
        return set(), agree_on_seats(wishes=wishes, one_by_one=one_by_one)
    refused: dict[UserCourse, HostFailure] = {}
    while True:
        with atomic():
            failures = agree_on_seats(
                wishes=[wish for wish in wishes if wish.pair not in refused], one_by_one=one_by_one
            )
            left_out = refused.keys() | failures.keys()
            given, role_failures = agree_on_roles(
                grants=set(grants) - left_out, revokes=set(revokes) - left_out, one_by_one=one_by_one
            )
            if not role_failures:
                return given, refused | failures
            roll_back()
        refused |= role_failures


def find_heirs(*, revokes: Collection[UserCourse], except_ids: Collection[int]) -> dict[UserCourse, int]:
    """Return, per role that is about to be revoked, another course enrollment that wants it, too.

    It is not one of `except_ids`, and is in another program or at another school. The role is kept then, and that
    enrollment becomes responsible for revoking it.
    """
    if not revokes:
        return {}
    rows = ProgramCourseEnrollment.objects.filter(
        learner__user_id__among={user_id for user_id, _ in revokes},
        course_run__course_id__in={course_id for _, course_id in revokes},
        course_staff=True,
    ).values_list("pk", "learner__user_id", "course_run__course_id")
    excluded, wanted = set(except_ids), set(revokes)
    return {
        (user_id, course_id): pk
        for pk, user_id, course_id in rows
        if pk not in excluded and (user_id, course_id) in wanted
    }


def hand_over_roles(*, heirs: Collection[int]) -> None:
    """Store on these course enrollments that they are responsible for revoking the role from now on."""
    ProgramCourseEnrollment.objects.filter(pk__among=heirs).update(course_staff_given=True)


def find_learners_at_other_schools(*, learners: Mapping[int, int]) -> dict[int, int]:
    """Return the other learners of these users, with user IDs. `learners` maps user IDs to learners."""
    rows = select_rows(Learner, fields=("id", "user"), among=("user", learners.keys()))
    return {pk: user_id for pk, user_id in rows if learners[user_id] != pk}


def find_occupied_elsewhere(
    *, user_ids: Collection[int], course_run_ids: Collection[int], except_ids: Collection[int]
) -> set[tuple[int, int]]:
    """Return (user ID, course run's primary key) of active course enrollments other than `except_ids`.

    Their seats must stay, even if another program or school withdraws the same person from the same run.
    """
    rows = ProgramCourseEnrollment.objects.filter(
        learner__user_id__among=set(user_ids), course_run_id__in=course_run_ids, status=CourseStatus.ACTIVE
    ).values_list("pk", "learner__user_id", "course_run_id")
    excluded = set(except_ids)
    return {(user_id, run_id) for pk, user_id, run_id in rows if pk not in excluded and user_id is not None}


UNKNOWN_FAILURE = HostFailure("host_unavailable", HostError.detail, False)


def _guarded(call: Callable[[], T]) -> tuple[T | None, HostFailure | None]:
    """Run `call` in a savepoint.

    An exception becomes a failure without its text, which can contain personal data.
    """
    try:
        with atomic():
            return call(), None
    except HostError as error:
        return None, HostFailure(error.code, error.detail, isinstance(error, HostRefused))
    # The host's code can raise anything, and must not fail the other rows.
    except Exception as error:
        if is_lost():
            raise
        logger.error("The host raised %s.", describe_failure(error))
        return None, UNKNOWN_FAILURE


def _collect(
    pairs: Iterable[UserCourse], put: Callable[[UserCourse], Mapping[UserCourse, HostFailure]]
) -> dict[UserCourse, HostFailure]:
    failures: dict[UserCourse, HostFailure] = {}
    for pair in pairs:
        answer, failure = _guarded(lambda pair=pair: put(pair))  # type: ignore[misc]
        if failure is not None:
            failures[pair] = failure
        elif answer:
            failures.update(answer)
    return failures
