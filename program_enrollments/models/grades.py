"""Frozen grades: versions of final grades that a university can cite forever (docs/grades.rst)."""

from __future__ import annotations

from django.db import models
from django.db.models import Case, F, Q, When
from django.utils.translation import gettext_lazy as _

from program_enrollments.models.catalog import CourseRun, Program
from program_enrollments.models.learners import Learner


class GradeBook(models.Model):
    """The final grades of a course run in a program, frozen or not.

    Freezing and reopening lock this row. It is created when it is first needed. A course run in two programs has two
    grade books, which are frozen independently.
    """

    program = models.ForeignKey(
        Program, models.PROTECT, related_name="grade_books", db_index=False, verbose_name=_("program")
    )
    course_run = models.ForeignKey(CourseRun, models.PROTECT, related_name="grade_books", verbose_name=_("course run"))

    class Meta:
        verbose_name = _("grade book")
        verbose_name_plural = _("grade books")
        ordering = ["pk"]
        constraints = [
            # One lock for one thing: two rows would let two freezes run side by side.
            models.UniqueConstraint(fields=["program", "course_run"], name="ue_grade_book_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.program_id}: {self.course_run_id}"


class GradeFreeze(models.Model):
    """One version of a grade book: who froze it, when, why, and the digest of its rows as they were then.

    A version is never changed. Reopening only records when the version stopped being in force. Retiring a person only
    counts the rows that differ from the digest now. `standing_book` is the grade book while the version is in force,
    and NULL afterwards. A unique constraint on it lets at most one version be in force, also on databases without
    partial indexes.
    """

    book = models.ForeignKey(
        GradeBook, models.PROTECT, related_name="freezes", db_index=False, verbose_name=_("grade book")
    )
    version = models.PositiveIntegerField(_("version"))
    frozen_at = models.DateTimeField(_("frozen at"))
    frozen_by = models.CharField(
        _("frozen by"),
        max_length=255,
        blank=True,
        help_text=_("The username at that time; evidence outlives accounts."),
    )
    frozen_by_user_id = models.BigIntegerField(_("frozen by user"), null=True, help_text=_("The host's user ID."))
    reason = models.CharField(_("reason"), max_length=500)
    request_id = models.CharField(_("request ID"), max_length=128, blank=True)
    count = models.PositiveIntegerField(_("rows"))
    digest = models.CharField(_("digest"), max_length=64, help_text=_("SHA-256 of the rows as they were frozen."))
    retired = models.PositiveIntegerField(
        _("rows of retired learners"),
        default=0,
        help_text=_("If there are any, the digest no longer fits the rows."),
    )
    reopened_at = models.DateTimeField(_("reopened at"), null=True)
    reopened_by = models.CharField(_("reopened by"), max_length=255, blank=True)
    reopened_by_user_id = models.BigIntegerField(_("reopened by user"), null=True, help_text=_("The host's user ID."))
    reopen_reason = models.CharField(_("reason for reopening"), max_length=500, blank=True)
    reopen_request_id = models.CharField(_("request ID of reopening"), max_length=128, blank=True)
    standing_book = models.GeneratedField(
        expression=Case(When(reopened_at__isnull=True, then=F("book")), default=None),
        output_field=models.BigIntegerField(null=True),
        db_persist=True,
    )

    class Meta:
        verbose_name = _("freeze of grades")
        verbose_name_plural = _("freezes of grades")
        ordering = ["book", "version"]
        constraints = [
            # Versions are cited by number. Led by the book, since lists of versions have this order.
            models.UniqueConstraint(fields=["book", "version"], name="ue_grade_freeze_version_unique"),
            # Grades in force are those of one version.
            models.UniqueConstraint(fields=["standing_book"], name="ue_grade_freeze_one_standing"),
            models.CheckConstraint(condition=Q(version__gte=1), name="ue_grade_freeze_version_from_one"),
            # Freezing and reopening need a reason.
            models.CheckConstraint(condition=~Q(reason=""), name="ue_grade_freeze_has_reason"),
            models.CheckConstraint(
                condition=Q(reopened_at__isnull=True, reopen_reason="")
                | (Q(reopened_at__isnull=False) & ~Q(reopen_reason="")),
                name="ue_grade_freeze_reopened_with_reason",
            ),
            # A row counts as retired at most once.
            models.CheckConstraint(condition=Q(retired__lte=F("count")), name="ue_grade_freeze_retired_within_count"),
        ]

    def __str__(self) -> str:
        return f"{self.book_id}: {self.version}"


class FrozenGrade(models.Model):
    """One learner's row in a version: a grade, or why there was none.

    `position` is its place in the order of the digest, from 1. The learner has no database constraint, because the row
    stays when two records of one person are joined. A row never changes, except that retiring the person overwrites
    `student_key`.
    """

    freeze = models.ForeignKey(
        GradeFreeze, models.PROTECT, related_name="grades", db_index=False, verbose_name=_("freeze of grades")
    )
    position = models.PositiveIntegerField(_("position"))
    learner = models.ForeignKey(
        Learner, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+", verbose_name=_("learner")
    )
    student_key = models.CharField(_("student key"), max_length=255)
    letter_grade = models.CharField(_("letter grade"), max_length=255, null=True)
    percent = models.DecimalField(
        _("percentage"), max_digits=4, decimal_places=3, null=True, help_text=_("From 0 to 1.")
    )
    passed = models.BooleanField(_("passed"), null=True)
    error = models.CharField(_("why there is no grade"), max_length=500, blank=True)
    is_retired = models.BooleanField(_("retired"), default=False)

    class Meta:
        verbose_name = _("frozen grade")
        verbose_name_plural = _("frozen grades")
        ordering = ["freeze", "position"]
        constraints = [
            # One order forever. Led by the freeze: the order in which a version is read.
            models.UniqueConstraint(fields=["freeze", "position"], name="ue_frozen_grade_position_unique"),
            # A learner once in a version. Led by the learner: how a person who is retired is found.
            models.UniqueConstraint(fields=["learner", "freeze"], name="ue_frozen_grade_learner_unique"),
            # A row is a grade or an error, never both and never neither.
            models.CheckConstraint(
                condition=Q(error="", percent__isnull=False, passed__isnull=False)
                | (~Q(error="") & Q(letter_grade__isnull=True, percent__isnull=True, passed__isnull=True)),
                name="ue_frozen_grade_or_error",
            ),
            models.CheckConstraint(
                condition=Q(percent__isnull=True) | Q(percent__gte=0, percent__lte=1),
                name="ue_frozen_grade_percent_range",
            ),
            # NULL alone means that there is no letter.
            models.CheckConstraint(
                condition=Q(letter_grade__isnull=True) | ~Q(letter_grade=""), name="ue_frozen_grade_letter_not_blank"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.freeze_id}: {self.position}"
