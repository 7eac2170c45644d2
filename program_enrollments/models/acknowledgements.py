"""Acknowledgements: what a university's own system did with each frozen grade (docs/grades.rst)."""

from __future__ import annotations

from django.db import models
from django.db.models import Case, F, Q, When
from django.utils.translation import gettext_lazy as _

from program_enrollments.data import AcknowledgementState
from program_enrollments.models.grades import FrozenGrade


class GradeAcknowledgement(models.Model):
    """What the student information system reported about one frozen grade, at one time.

    Rows are only added. A newer report supersedes the one before, which stays as evidence. `standing_grade` is the
    frozen grade while the report counts, and NULL afterwards. A unique constraint on it lets at most one report count,
    also on databases without partial indexes.
    """

    grade = models.ForeignKey(
        FrozenGrade, models.PROTECT, related_name="acknowledgements", verbose_name=_("frozen grade")
    )
    state = models.CharField(_("state"), max_length=8, choices=AcknowledgementState.choices)
    detail = models.CharField(_("detail"), max_length=500, blank=True, help_text=_("Emptied if the person is retired."))
    acknowledged_at = models.DateTimeField(_("acknowledged at"))
    acknowledged_by = models.CharField(
        _("acknowledged by"),
        max_length=255,
        blank=True,
        help_text=_("The username at that time; evidence outlives accounts."),
    )
    acknowledged_by_user_id = models.BigIntegerField(
        _("acknowledged by user"), null=True, help_text=_("The host's user ID.")
    )
    request_id = models.CharField(_("request ID"), max_length=128, blank=True)
    superseded_at = models.DateTimeField(_("superseded at"), null=True)
    standing_grade = models.GeneratedField(
        expression=Case(When(superseded_at__isnull=True, then=F("grade")), default=None),
        output_field=models.BigIntegerField(null=True),
        db_persist=True,
    )

    class Meta:
        verbose_name = _("acknowledgement of a grade")
        verbose_name_plural = _("acknowledgements of grades")
        ordering = ["pk"]
        constraints = [
            # The last report counts, and only that.
            models.UniqueConstraint(fields=["standing_grade"], name="ue_acknowledgement_one_standing"),
            models.CheckConstraint(
                condition=Q(state__in=AcknowledgementState.values), name="ue_acknowledgement_state_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.grade_id}: {self.state}"
