"""What learners do in a course run, and what comes of it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from demo_lms.models.courses import CourseRun


class CourseGrade(models.Model):
    """A learner's final grade as it stands. Without a percentage there is none yet: the grading isn't finished."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="course_grades", db_index=False, verbose_name=_("user")
    )
    course_run = models.ForeignKey(
        CourseRun, models.CASCADE, related_name="grades", db_column="course_id", verbose_name=_("course run")
    )
    letter = models.CharField(_("letter grade"), max_length=16, blank=True)
    percent = models.DecimalField(
        _("percentage"), max_digits=4, decimal_places=3, null=True, blank=True, help_text=_("From 0 to 1.")
    )
    passed = models.BooleanField(_("passed"), default=False)
    modified = models.DateTimeField(_("modified"), auto_now=True)

    class Meta:
        verbose_name = _("course grade")
        verbose_name_plural = _("course grades")
        constraints = [
            models.UniqueConstraint(fields=["user", "course_run"], name="demo_course_grade_once"),
            models.CheckConstraint(
                condition=Q(percent__isnull=True) | Q(percent__gte=0, percent__lte=1),
                name="demo_course_grade_percent_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.course_run_id}: {self.letter or self.percent}"


class DailyActivity(models.Model):
    """A learner was active in a course run on a day (UTC), and how far through it they were when that day ended."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="daily_activities",
        db_index=False,
        verbose_name=_("user"),
    )
    course_run = models.ForeignKey(
        CourseRun, models.CASCADE, related_name="daily_activities", db_column="course_id", verbose_name=_("course run")
    )
    day = models.DateField(_("day"))
    units_done = models.PositiveSmallIntegerField(_("units done"), default=0)

    class Meta:
        verbose_name = _("daily activity")
        verbose_name_plural = _("daily activities")
        constraints = [
            models.UniqueConstraint(fields=["user", "course_run", "day"], name="demo_daily_activity_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.course_run_id}: {self.day:%Y-%m-%d}"


class Assignment(models.Model):
    """Something that all learners of a course run hand in until a moment."""

    course_run = models.ForeignKey(
        CourseRun,
        models.CASCADE,
        related_name="assignments",
        db_index=False,
        db_column="course_id",
        verbose_name=_("course run"),
    )
    title = models.CharField(_("title"), max_length=255)
    due = models.DateTimeField(_("due"))

    class Meta:
        verbose_name = _("assignment")
        verbose_name_plural = _("assignments")
        constraints = [
            # Led by the course run: finds what is due next in each.
            models.UniqueConstraint(fields=["course_run", "due", "title"], name="demo_assignment_once"),
        ]

    def __str__(self) -> str:
        return self.title
