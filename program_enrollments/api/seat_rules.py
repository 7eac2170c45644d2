"""Whose seat is whose: what the host's course enrollment should be, and whether it differs."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from program_enrollments.conf import get_setting
from program_enrollments.data import CourseStatus, Seat
from program_enrollments.host.ports import UserCourse


class SeatWish(NamedTuple):
    """A school's wish for a user in a course run. If not `active`, only this app's seats are taken back."""

    user_id: int
    course_id: str
    active: bool

    @property
    def pair(self) -> UserCourse:
        """The user and the course run."""
        return self.user_id, self.course_id


def decide_seat(*, wish: SeatWish, current: Seat | None, mode: str, upgradable_modes: Collection[str]) -> Seat | None:
    """Return the seat that the host should have, or None if nothing has to change.

    A seat in another mode than `mode` and the upgradable ones was paid for. It keeps its mode and is never deactivated,
    only re-activated (docs/api.rst, Course enrollments).
    """
    user_id, course_id, active = wish
    if not active:
        ours = current is not None and current.is_active and current.mode == mode
        return Seat(user_id, course_id, mode, False) if ours else None
    if current is None or current.mode in upgradable_modes:
        return Seat(user_id, course_id, mode, True)
    return None if current.is_active else Seat(user_id, course_id, current.mode, True)


def differs(*, user_id: int, course_id: str, status: str, seat: Seat | None) -> bool:
    """Return whether the host's seat is not as a course enrollment of this status wants it."""
    wish = SeatWish(user_id, course_id, status == CourseStatus.ACTIVE)
    mode, upgradable_modes = get_setting("COURSE_MODE"), frozenset(get_setting("UPGRADABLE_MODES"))
    return decide_seat(wish=wish, current=seat, mode=mode, upgradable_modes=upgradable_modes) is not None
