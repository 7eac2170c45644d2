from django.contrib.auth.models import User
from django.db import models
from opaque_keys.edx.django.models import CourseKeyField


class GeneratedCertificate(models.Model):
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    course_id = CourseKeyField(max_length=255, blank=True, default=None)
    verify_uuid = models.CharField(max_length=32, blank=True, default="", db_index=True)
    status = models.CharField(max_length=32, default="unavailable")

    class Meta:
        unique_together = (("user", "course_id"),)
