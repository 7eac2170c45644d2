"""Course runs, and who is in them."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class CourseRun(models.Model):
    """A course as it is taught once. Other tables refer to it by its key, so that none of them has to be joined to find
    it.
    """

    course_id = models.CharField(_("course key"), max_length=255, primary_key=True)
    title = models.CharField(_("title"), max_length=255)
    start = models.DateTimeField(_("start"), null=True, blank=True)
    end = models.DateTimeField(_("end"), null=True, blank=True)
    units = models.PositiveSmallIntegerField(
        _("units"), default=10, validators=[MinValueValidator(1)], help_text=_("Parts a learner can complete.")
    )
    enrollment_closed = models.BooleanField(
        _("enrollment closed"), default=False, help_text=_("Nobody new gets in; who is in stays in.")
    )

    class Meta:
        verbose_name = _("course run")
        verbose_name_plural = _("course runs")
        ordering = ["course_id"]

    def __str__(self) -> str:
        return self.title or self.course_id


class CourseEnrollment(models.Model):
    """A user's seat in a course run. The mode says on what terms: `audit` and `honor` are free, `verified` was paid
    for.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="course_enrollments",
        db_index=False,
        verbose_name=_("user"),
    )
    course_run = models.ForeignKey(
        CourseRun, models.CASCADE, related_name="enrollments", db_column="course_id", verbose_name=_("course run")
    )
    mode = models.CharField(_("mode"), max_length=32, default="audit")
    is_active = models.BooleanField(_("active"), default=True)
    created = models.DateTimeField(_("created"), auto_now_add=True)
    modified = models.DateTimeField(_("modified"), auto_now=True)

    class Meta:
        verbose_name = _("course enrollment")
        verbose_name_plural = _("course enrollments")
        constraints = [
            models.UniqueConstraint(fields=["user", "course_run"], name="demo_course_enrollment_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.course_run_id}: {self.mode}"


class CourseAccessRole(models.Model):
    """A user has a role, such as `staff`, in a course run."""

    STAFF = "staff"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="course_access_roles",
        db_index=False,
        verbose_name=_("user"),
    )
    course_run = models.ForeignKey(
        CourseRun, models.CASCADE, related_name="access_roles", db_column="course_id", verbose_name=_("course run")
    )
    role = models.CharField(_("role"), max_length=32, default=STAFF)

    class Meta:
        verbose_name = _("course access role")
        verbose_name_plural = _("course access roles")
        constraints = [
            models.UniqueConstraint(fields=["user", "course_run", "role"], name="demo_course_access_role_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.course_run_id}: {self.role}"
