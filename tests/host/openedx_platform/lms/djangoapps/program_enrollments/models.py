"""Tables of the platform's own app."""

from common.djangoapps.student.models import CourseEnrollment
from django.contrib.auth.models import User
from django.db import models
from model_utils.models import TimeStampedModel
from opaque_keys.edx.django.models import CourseKeyField


class ProgramEnrollment(TimeStampedModel):
    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.CASCADE)
    external_user_key = models.CharField(db_index=True, max_length=255, null=True)
    program_uuid = models.UUIDField(db_index=True, null=False)
    curriculum_uuid = models.UUIDField(db_index=True, null=False)
    status = models.CharField(max_length=9)

    class Meta:
        app_label = "program_enrollments"
        unique_together = (
            ("user", "program_uuid", "curriculum_uuid"),
            ("external_user_key", "program_uuid", "curriculum_uuid"),
        )


class ProgramCourseEnrollment(TimeStampedModel):
    program_enrollment = models.ForeignKey(
        ProgramEnrollment, on_delete=models.CASCADE, related_name="program_course_enrollments"
    )
    course_enrollment = models.ForeignKey(CourseEnrollment, null=True, blank=True, on_delete=models.CASCADE)
    course_key = CourseKeyField()
    status = models.CharField(max_length=9)

    class Meta:
        app_label = "program_enrollments"
        unique_together = (("program_enrollment", "course_key"),)


class CourseAccessRoleAssignment(TimeStampedModel):
    role = models.CharField(max_length=64)
    enrollment = models.ForeignKey(ProgramCourseEnrollment, on_delete=models.CASCADE)

    class Meta:
        unique_together = ("role", "enrollment")
