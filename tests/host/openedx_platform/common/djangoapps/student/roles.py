"""Roles in courses."""

from common.djangoapps.student.models import CourseAccessRole
from django.contrib.auth.models import User


class RoleBase:
    def __init__(self, role_name, org="", course_key=None):
        self._role_name, self.org, self.course_key = role_name, org, course_key

    def add_users(self, *users):
        """Give the role; accounts that are not active are skipped without a word."""
        for user in (user for user in users if user.is_active and not user.is_anonymous):
            CourseAccessRole.objects.get_or_create(user=user, **self._row())

    def remove_users(self, *users):
        CourseAccessRole.objects.filter(user__in=users, **self._row()).delete()

    def users_with_role(self):
        return User.objects.filter(pk__in=CourseAccessRole.objects.filter(**self._row()).values("user"))

    def _row(self):
        return {"role": self._role_name, "org": self.org, "course_id": self.course_key}


class CourseRole(RoleBase):
    def __init__(self, role, course_key):
        super().__init__(role, course_key.org, course_key)


class CourseStaffRole(CourseRole):
    ROLE = "staff"

    def __init__(self, *args, **kwargs):
        super().__init__(self.ROLE, *args, **kwargs)
