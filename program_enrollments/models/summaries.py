"""Summaries: what was counted of a program, so that pages need not count a million rows."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from program_enrollments.models.catalog import Program


class ProgramSummary(models.Model):
    """The counts of a program as they were at `counted_at`.

    It can be thrown away: it is counted again when needed.
    """

    program = models.OneToOneField(
        Program, models.CASCADE, primary_key=True, related_name="summary", verbose_name=_("program")
    )
    counted_at = models.DateTimeField(_("counted at"))
    counts = models.JSONField(_("counts"))

    class Meta:
        verbose_name = _("summary of a program")
        verbose_name_plural = _("summaries of programs")

    def __str__(self) -> str:
        return f"{self.program_id}"
