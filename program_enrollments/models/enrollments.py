"""Enrollments, real and preemptive.

A learner with an account has real enrollments, and a learner without one has preemptive ones. There is one exception:
a learner with an account keeps a preemptive course enrollment while the host refuses it. It has the reason then.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.utils.translation import gettext_lazy as _
from model_utils.models import TimeStampedModel

from program_enrollments.data import CourseStatus, ProgramStatus
from program_enrollments.models.catalog import CourseRun, Curriculum, Program
from program_enrollments.models.learners import Learner
from program_enrollments.sql.indexes import NotBlankIndex


class AbstractProgramEnrollment(TimeStampedModel):
    """A learner's place in a program's curriculum, with the status the school gave it."""

    program = models.ForeignKey(Program, models.PROTECT, db_index=False, verbose_name=_("program"))
    learner = models.ForeignKey(Learner, models.PROTECT, verbose_name=_("learner"))
    curriculum = models.ForeignKey(Curriculum, models.PROTECT, db_index=False, verbose_name=_("curriculum"))
    status = models.CharField(_("status"), max_length=9, choices=ProgramStatus.choices)

    class Meta:
        abstract = True
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.pk}: {self.status}"


class ProgramEnrollment(AbstractProgramEnrollment):
    """A user is in a program's curriculum."""

    class Meta(AbstractProgramEnrollment.Meta):
        verbose_name = _("program enrollment")
        verbose_name_plural = _("program enrollments")
        default_related_name = "program_enrollments"
        constraints = [
            # A learner is at most once in a program. Led by the program, since lists of a program have this order.
            models.UniqueConstraint(fields=["program", "learner"], name="ue_program_enrollment_unique"),
            models.CheckConstraint(
                condition=Q(status__in=ProgramStatus.values), name="ue_program_enrollment_status_known"
            ),
        ]


class PreemptiveProgramEnrollment(AbstractProgramEnrollment):
    """A program enrollment promised to a learner who has no account yet."""

    class Meta(AbstractProgramEnrollment.Meta):
        verbose_name = _("preemptive program enrollment")
        verbose_name_plural = _("preemptive program enrollments")
        default_related_name = "preemptive_program_enrollments"
        constraints = [
            models.UniqueConstraint(fields=["program", "learner"], name="ue_preemptive_program_enrollment_unique"),
            models.CheckConstraint(
                condition=Q(status__in=ProgramStatus.values), name="ue_preemptive_program_enrollment_status_known"
            ),
        ]


class AbstractCourseEnrollment(TimeStampedModel):
    """A learner's place in a course run through a program.

    `course_staff` is the role that the school asked for. `occupied_run` is the course run while the enrollment is
    active, and NULL otherwise. A unique constraint on it lets a learner be active in a run through one program only,
    also on databases without partial indexes.
    """

    program = models.ForeignKey(Program, models.PROTECT, db_index=False, verbose_name=_("program"))
    course_run = models.ForeignKey(CourseRun, models.PROTECT, db_index=False, verbose_name=_("course run"))
    learner = models.ForeignKey(Learner, models.PROTECT, db_index=False, verbose_name=_("learner"))
    status = models.CharField(_("status"), max_length=8, choices=CourseStatus.choices)
    course_staff = models.BooleanField(_("course staff"), default=False)
    occupied_run = models.GeneratedField(
        expression=Case(When(status=Value("active"), then=F("course_run")), default=None),
        output_field=models.BigIntegerField(null=True),
        db_persist=True,
    )

    class Meta:
        abstract = True
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.pk}: {self.status}"


class ProgramCourseEnrollment(AbstractCourseEnrollment):
    """A user's place in a course run through a program."""

    course_staff_given = models.BooleanField(
        _("course staff role given"),
        default=False,
        help_text=_("The role was granted by this app, not found there: only then is it ours to take back."),
    )

    class Meta(AbstractCourseEnrollment.Meta):
        verbose_name = _("program course enrollment")
        verbose_name_plural = _("program course enrollments")
        default_related_name = "program_course_enrollments"
        constraints = [
            # Led by program and run: the order in which a course run of a program is listed.
            models.UniqueConstraint(fields=["program", "course_run", "learner"], name="ue_course_enrollment_unique"),
            # One learner, one course run: active through one program at most. Serves look-ups by learner as well.
            models.UniqueConstraint(fields=["learner", "occupied_run"], name="ue_course_enrollment_one_active"),
            models.CheckConstraint(
                condition=Q(status__in=CourseStatus.values), name="ue_course_enrollment_status_known"
            ),
            # A role that is no longer wanted is no longer ours.
            models.CheckConstraint(
                condition=Q(course_staff=True) | Q(course_staff_given=False),
                name="ue_course_enrollment_staff_given_wanted",
            ),
        ]


class PreemptiveCourseEnrollment(AbstractCourseEnrollment):
    """A course enrollment of a learner without an account, or one that the host has not accepted yet."""

    problem_code = models.CharField(_("problem"), max_length=64, blank=True)
    problem_detail = models.CharField(_("what is wrong"), max_length=500, blank=True)
    tries = models.PositiveIntegerField(_("tries"), default=0)
    refusals = models.PositiveIntegerField(
        _("refusals"), default=0, help_text=_("Tries that failed for good; after a few, a person has to look.")
    )
    last_tried = models.DateTimeField(_("last tried"), null=True, blank=True)

    class Meta(AbstractCourseEnrollment.Meta):
        verbose_name = _("preemptive course enrollment")
        verbose_name_plural = _("preemptive course enrollments")
        default_related_name = "preemptive_course_enrollments"
        constraints = [
            models.UniqueConstraint(
                fields=["program", "course_run", "learner"], name="ue_preemptive_course_enrollment_unique"
            ),
            models.UniqueConstraint(
                fields=["learner", "occupied_run"], name="ue_preemptive_course_enrollment_one_active"
            ),
            models.CheckConstraint(
                condition=Q(status__in=CourseStatus.values), name="ue_preemptive_course_enrollment_status_known"
            ),
        ]
        # Finds the enrollments that the host refused without reading all that only wait for an account.
        indexes = [NotBlankIndex(fields=["problem_code"], name="ue_preemptive_course_problem")]
