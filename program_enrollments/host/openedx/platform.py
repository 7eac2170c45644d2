"""The platform's classes, imported when they are used.

Importing them earlier fails: this package is imported while Django's apps are still being loaded, and on hosts that are
not Open edX.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django.apps import apps
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from program_enrollments.data import HostFailure

STUDENT_MODELS = "common.djangoapps.student.models"


def get_model(label: str) -> Any:
    """Return one of the platform's models, such as `student.CourseEnrollment`. Raises LookupError."""
    return apps.get_model(label)


def seat_exception(name: str) -> type[Exception]:
    """Return one of the exceptions of `CourseEnrollment`."""
    exception: type[Exception] = import_string(f"{STUDENT_MODELS}.{name}")
    return exception


def course_staff_role(course_key: Any) -> Any:
    """Return the course staff role of a course run, by the class that knows where the platform keeps it."""
    return import_string("common.djangoapps.student.roles.CourseStaffRole")(course_key)


def parse_course_keys(course_ids: Iterable[str]) -> dict[str, Any]:
    """Return the platform's key for each of `course_ids` that writes one, and writes it in its own way."""
    from opaque_keys import InvalidKeyError  # noqa: PLC0415  (installed with the platform only)
    from opaque_keys.edx.keys import CourseKey  # noqa: PLC0415

    keys = {}
    for course_id in set(course_ids):
        try:
            key = CourseKey.from_string(course_id)
        except InvalidKeyError:
            continue
        if str(key) == course_id:
            keys[course_id] = key
    return keys


def fetch_course_runs(course_ids: Iterable[str]) -> dict[str, Any]:
    """Return the platform's key of each of `course_ids` that is a course run, in one statement.

    Keys that differ in case are different runs here, while MySQL finds either by the other.
    """
    keys = parse_course_keys(course_ids)
    if not keys:
        return {}
    overviews = get_model("course_overviews.CourseOverview").objects.filter(id__in=list(keys.values()))
    existing = {str(pk) for pk in overviews.values_list("pk", flat=True)}
    return {course_id: key for course_id, key in keys.items() if course_id in existing}


def fetch_users(user_ids: Collection[int]) -> dict[int, Any]:
    """Return accounts with their profiles by ID, in one statement."""
    users = get_model("auth.User").objects.filter(pk__among=user_ids).select_related("profile")
    return {user.pk: user for user in users}


def run_unknown() -> HostFailure:
    """Return the failure of whatever is asked of a course run that the platform does not have."""
    detail = _("The learning platform has no course run with this key.")
    return HostFailure("course_run_unknown", detail, permanent=True)


def account_unknown() -> HostFailure:
    """Return the failure of whatever is asked for an account that is gone."""
    return HostFailure("account_unknown", _("The account is no longer there."), permanent=True)
