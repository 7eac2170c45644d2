"""The modes that a course run is offered in."""

from django.conf import settings
from django.db import models
from openedx.core.djangoapps.content.course_overviews.models import CourseOverview


class CourseMode(models.Model):
    course = models.ForeignKey(
        CourseOverview, db_constraint=False, db_index=True, related_name="modes", on_delete=models.DO_NOTHING
    )
    mode_slug = models.CharField(max_length=100)
    currency = models.CharField(default="usd", max_length=8)
    _expiration_datetime = models.DateTimeField(default=None, null=True, blank=True, db_column="expiration_datetime")

    DEFAULT_MODE_SLUG = settings.COURSE_MODE_DEFAULTS["slug"]

    class Meta:
        app_label = "course_modes"
        unique_together = ("course", "mode_slug", "currency")

    @classmethod
    def get_default_mode_slug(cls):
        return cls.DEFAULT_MODE_SLUG
