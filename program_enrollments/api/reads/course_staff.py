"""The course staff role as lists and the look-up show it.

For learners with an account, the host decides.
"""

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
    """Who holds the role at the host, or nothing if the host could not be asked."""

    def __init__(self, pairs: frozenset[UserCourse] | None) -> None:
        self._pairs = pairs

    def show(self, *, user_id: int | None, course_id: str, wish: bool) -> bool:
        """Return whether a learner is course staff: as the host has it, or as the school wishes.

        The wish is what is promised to a learner without an account, and all that is known while the host is down.
        """
        if user_id is None or self._pairs is None:
            return wish
        return (user_id, course_id) in self._pairs


def fetch_roles(*, user_ids: Collection[int], course_ids: Collection[str]) -> HeldRoles:
    """Return who of these users holds the role in these course runs.

    One call of the host, none for no users.

    A host that is down costs no reader the list: what it shows then is the school's wish (docs/api.rst).
    """
    if not user_ids or not course_ids:
        return HeldRoles(frozenset())
    try:
        with limited("CALL_HOST_SECONDS"):
            pairs = get_host().course_roles.fetch_course_staff(user_ids=user_ids, course_ids=course_ids)
    except DatabaseError:
        raise
    # Whatever the host's code raises; the message may hold personal data.
    except Exception as error:  # noqa: BLE001
        logger.warning(
            "The host's course staff roles could not be read, wishes are shown: %s.", describe_failure(error)
        )
        return HeldRoles(None)
    return HeldRoles(frozenset(pairs))
