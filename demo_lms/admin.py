"""Admin pages of the demo LMS's own tables."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth import get_user_model

from demo_lms.models import CourseAccessRole, CourseEnrollment, CourseGrade, CourseRun, DailyActivity, EmailAddress

USERNAME = f"user__{get_user_model().USERNAME_FIELD}"
EMAIL = f"user__{get_user_model().get_email_field_name()}"


@admin.register(CourseRun)
class CourseRunAdmin(admin.ModelAdmin):
    """Course runs."""

    list_display = ["course_id", "title", "start", "end", "enrollment_closed"]
    list_filter = ["enrollment_closed"]
    search_fields = ["course_id", "title"]


@admin.register(EmailAddress)
class EmailAddressAdmin(admin.ModelAdmin):
    """To be read only: the address is the account's, and only its owner can confirm it."""

    list_display = ["user", "email", "verified_at"]
    list_select_related = ["user"]
    list_filter = [("verified_at", admin.EmptyFieldListFilter)]
    search_fields = ["email", USERNAME]
    readonly_fields = ["user", "email", "verified_at"]

    def has_add_permission(self, request: object) -> bool:
        return False


class OfUserInCourseRunAdmin(admin.ModelAdmin):
    """What the tables about a user in a course run have in common."""

    list_select_related = ["user", "course_run"]
    autocomplete_fields = ["user", "course_run"]
    search_fields = [USERNAME, EMAIL, "course_run__course_id", "course_run__title"]


@admin.register(CourseEnrollment)
class CourseEnrollmentAdmin(OfUserInCourseRunAdmin):
    """Seats in course runs."""

    list_display = ["user", "course_run", "mode", "is_active", "modified"]
    list_filter = ["mode", "is_active"]


@admin.register(CourseAccessRole)
class CourseAccessRoleAdmin(OfUserInCourseRunAdmin):
    """Roles in course runs."""

    list_display = ["user", "course_run", "role"]
    list_filter = ["role"]


@admin.register(CourseGrade)
class CourseGradeAdmin(OfUserInCourseRunAdmin):
    """Final grades."""

    list_display = ["user", "course_run", "letter", "percent", "passed", "modified"]
    list_filter = ["passed"]


@admin.register(DailyActivity)
class DailyActivityAdmin(OfUserInCourseRunAdmin):
    """Days on which learners were active."""

    list_display = ["user", "course_run", "day", "units_done"]
    date_hierarchy = "day"
