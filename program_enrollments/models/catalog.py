"""The local mirror of the catalog: programs, their curricula, their course runs (ADR 0004)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from model_utils.models import TimeStampedModel

from program_enrollments.document_links import MAX_LENGTH, check_document_links
from program_enrollments.models.schools import School
from program_enrollments.sql.fields import ExactCharField


class Program(TimeStampedModel):
    """A degree program of a school."""

    uuid = models.UUIDField(_("UUID"))
    school = models.ForeignKey(School, models.PROTECT, related_name="programs", verbose_name=_("school"))
    key = models.CharField(_("key"), max_length=255, blank=True)
    title = models.CharField(_("title"), max_length=255)
    url = models.URLField(_("URL"), max_length=500, blank=True)
    type = models.CharField(_("type"), max_length=64, blank=True, help_text=_("As the catalog says, such as Masters."))
    advisor_name = models.CharField(
        _("advisor"), max_length=255, blank=True, default="", db_default="", help_text=_("Whom its learners may ask.")
    )
    advisor_email = models.EmailField(_("advisor's address"), max_length=255, blank=True, default="", db_default="")
    documents = models.CharField(
        _("documents"),
        max_length=MAX_LENGTH,
        blank=True,
        default="",
        db_default="",
        validators=[check_document_links],
        help_text=_("For its learners; one per line, such as “Handbook | https://uni.example/handbook”."),
    )

    class Meta:
        verbose_name = _("program")
        verbose_name_plural = _("programs")
        ordering = ["title", "pk"]
        constraints = [models.UniqueConstraint(fields=["uuid"], name="ue_program_uuid_unique")]

    def __str__(self) -> str:
        return self.title


class Curriculum(TimeStampedModel):
    """A version of a program's plan of study."""

    uuid = models.UUIDField(_("UUID"))
    program = models.ForeignKey(Program, models.PROTECT, related_name="curricula", verbose_name=_("program"))
    name = models.CharField(_("name"), max_length=255, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    course_runs: models.ManyToManyField[CourseRun, CurriculumCourseRun] = models.ManyToManyField(
        "CourseRun", through="CurriculumCourseRun", related_name="curricula", verbose_name=_("course runs")
    )

    class Meta:
        verbose_name = _("curriculum")
        verbose_name_plural = _("curricula")
        ordering = ["program", "pk"]
        constraints = [models.UniqueConstraint(fields=["uuid"], name="ue_curriculum_uuid_unique")]

    def __str__(self) -> str:
        return self.name or str(self.uuid)


class CourseRun(TimeStampedModel):
    """A course run with the platform's key and the school's key.

    It can belong to several curricula and programs.
    """

    course_id = ExactCharField(
        _("course key"), max_length=255, help_text=_("The platform's key, such as course-v1:Uni+CS101+2026.")
    )
    external_key = ExactCharField(_("external key"), max_length=255, blank=True, help_text=_("The school's own key."))
    title = models.CharField(_("title"), max_length=255, blank=True)
    url = models.URLField(_("URL"), max_length=500, blank=True)
    start = models.DateTimeField(_("start"), null=True, blank=True)
    end = models.DateTimeField(_("end"), null=True, blank=True)

    class Meta:
        verbose_name = _("course run")
        verbose_name_plural = _("course runs")
        ordering = ["course_id"]
        constraints = [
            models.UniqueConstraint(fields=["course_id"], name="ue_course_run_course_id_unique"),
            models.CheckConstraint(condition=~Q(course_id=""), name="ue_course_run_course_id_not_blank"),
        ]

    def __str__(self) -> str:
        return str(self.course_id)


class CurriculumCourseRun(models.Model):
    """A course run is part of a curriculum."""

    curriculum = models.ForeignKey(Curriculum, models.CASCADE, db_index=False, verbose_name=_("curriculum"))
    course_run = models.ForeignKey(CourseRun, models.PROTECT, verbose_name=_("course run"))

    class Meta:
        verbose_name = _("course run of a curriculum")
        verbose_name_plural = _("course runs of curricula")
        constraints = [
            models.UniqueConstraint(fields=["curriculum", "course_run"], name="ue_curriculum_course_run_unique")
        ]

    def __str__(self) -> str:
        return f"{self.curriculum_id}: {self.course_run_id}"
