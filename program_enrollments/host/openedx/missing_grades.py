"""Grades that the platform has not stored, computed by the platform itself.

That takes seconds per learner and sends events, certificates included: for commands and cron only, never in a request.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator

from django.db import transaction
from django.utils.module_loading import import_string

from program_enrollments.failures import describe_failure
from program_enrollments.host.openedx.platform import get_model, parse_course_keys

logger = logging.getLogger(__name__)

FACTORY = "lms.djangoapps.grades.course_grade_factory.CourseGradeFactory"


def find_ungraded(*, course_id: str, user_ids: Collection[int]) -> list[int]:
    """Return those of `user_ids` who worked in the course run and have no stored grade, in two statements."""
    key = parse_course_keys([course_id]).get(course_id)
    if key is None:
        return []
    modules = get_model("courseware.StudentModule").objects.filter(course_id=key, student__among=user_ids)
    grades = get_model("grades.PersistentCourseGrade").objects.filter(course_id=key, user_id__among=user_ids)
    worked = set(modules.order_by().values_list("student_id", flat=True).distinct())
    return sorted(worked - set(grades.values_list("user_id", flat=True)))


def compute_grades(*, course_id: str, user_ids: Collection[int]) -> Iterator[tuple[int, bool]]:
    """Compute the grades of these users, and yield each user and whether it worked.

    Each is stored in a transaction of its own.
    """
    from edx_django_utils.cache import RequestCache  # noqa: PLC0415  (installed with the platform only)

    factory = import_string(FACTORY)()
    key = parse_course_keys([course_id])[course_id]
    for user in get_model("auth.User").objects.filter(pk__among=user_ids).order_by("pk"):
        try:
            with transaction.atomic():
                factory.update(user, course_key=key)
        # The platform raises whatever its blocks raise, and one learner must not stop the others.
        except Exception as error:  # noqa: BLE001
            logger.error(
                "The grade of user %s in %s was not computed: %s.", user.pk, course_id, describe_failure(error)
            )
            yield user.pk, False
        else:
            yield user.pk, True
        finally:
            # What the platform keeps for a request would be stale for the next learner, and grow.
            RequestCache.clear_all_namespaces()
