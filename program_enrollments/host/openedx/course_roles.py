"""The course staff role on Open edX: `CourseRolePort`.

Through the platform's role class alone: it knows whether a course run's roles are in its table or in openedx-authz.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from program_enrollments.data import HostFailure
from program_enrollments.host.openedx.platform import (
    account_unknown,
    course_staff_role,
    fetch_course_runs,
    fetch_users,
    parse_course_keys,
    run_unknown,
)
from program_enrollments.host.ports import UserCourse


class OpenEdxCourseRoles:
    """Course staff of the platform's course runs."""

    def fetch_course_staff(self, *, user_ids: Collection[int], course_ids: Collection[str]) -> Collection[UserCourse]:
        """Return who of these users is staff in which of these course runs, in one call per run."""
        return _held(user_ids=user_ids, keys=parse_course_keys(course_ids))

    def grant_course_staff(self, *, pairs: Collection[UserCourse]) -> Mapping[UserCourse, HostFailure]:
        """Give the role; the platform does so one by one.

        An account that is not active is a passing failure: the platform would skip it without a word.
        """
        runs = fetch_course_runs(course_id for _user, course_id in pairs)
        users = fetch_users({user_id for user_id, _course in pairs})
        failures = {}
        for course_id, user_ids in _by_course(pairs).items():
            entitled = []
            for user_id in user_ids:
                failure = _find_failure(users.get(user_id), known=course_id in runs)
                if failure is None:
                    entitled.append(users[user_id])
                else:
                    failures[user_id, course_id] = failure
            if entitled:
                course_staff_role(runs[course_id]).add_users(*entitled)
        return failures

    def revoke_course_staff(self, *, pairs: Collection[UserCourse]) -> Mapping[UserCourse, HostFailure]:
        """Take the role from those who hold it: the platform announces the loss of others, too."""
        keys = parse_course_keys(course_id for _user, course_id in pairs)
        held = _held(user_ids={user_id for user_id, _course in pairs}, keys=keys) & set(pairs)
        users = fetch_users({user_id for user_id, _course in held})
        for course_id, user_ids in _by_course(held).items():
            course_staff_role(keys[course_id]).remove_users(*(users[user_id] for user_id in user_ids))
        return {}


def _find_failure(user: Any, *, known: bool) -> HostFailure | None:
    if not known:
        return run_unknown()
    if user is None:
        return account_unknown()
    if not user.is_active:
        detail = _("The account is not active yet. The role is given once its e-mail address is confirmed.")
        return HostFailure("account_inactive", detail, permanent=False)
    return None


def _held(*, user_ids: Collection[int], keys: Mapping[str, Any]) -> set[UserCourse]:
    asked = set(user_ids)
    if not asked:
        return set()
    return {
        (user_id, course_id)
        for course_id, key in keys.items()
        for user_id in course_staff_role(key).users_with_role().values_list("pk", flat=True)
        if user_id in asked
    }


def _by_course(pairs: Iterable[UserCourse]) -> dict[str, list[int]]:
    """Return the users of each course run, in one order for all writers."""
    grouped: defaultdict[str, list[int]] = defaultdict(list)
    for user_id, course_id in sorted(set(pairs), key=lambda pair: (pair[1], pair[0])):
        grouped[course_id].append(user_id)
    return grouped
