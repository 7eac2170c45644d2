"""The course staff role in lists and look-ups: the host's, if the learner has an account."""

from __future__ import annotations

import logging
from collections.abc import Collection

from django.db import DatabaseError

from program_enrollments.failures import describe_failure
from program_enrollments.host import get_host
from program_enrollments.host.deadline import limited
from program_enrollments.host.ports import UserCourse

logger = logging.getLogger(__name__)


class HeldRoles:
    """The users with the role at the host, or nothing if the host failed."""

    def __init__(self, pairs: frozenset[UserCourse] | None) -> None:
        self._pairs = pairs

    def show(self, *, user_id: int | None, course_id: str, wish: bool) -> bool:
        """Return whether a learner is course staff at the host.

        For a learner without an account, and while the host is down, return the school's wish.
        """
        if user_id is None or self._pairs is None:
            return wish
        return (user_id, course_id) in self._pairs


def fetch_roles(*, user_ids: Collection[int], course_ids: Collection[str]) -> HeldRoles:
    """Return which of these users hold the role in which of these course runs.

    One call of the host, none without users. If the host is down, lists show the schools' wishes (docs/api.rst).
    """
    if not user_ids or not course_ids:
        return HeldRoles(frozenset())
    try:
        with limited("CALL_HOST_SECONDS"):
            pairs = get_host().course_roles.fetch_course_staff(user_ids=user_ids, course_ids=course_ids)
    except DatabaseError:
        raise
    # The host's code can raise anything, and its message can contain personal data.
    except Exception as error:  # noqa: BLE001
        logger.warning(
            "The host's course staff roles could not be read, wishes are shown: %s.", describe_failure(error)
        )
        return HeldRoles(None)
    return HeldRoles(frozenset(pairs))
