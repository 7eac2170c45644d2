"""Disclosures: who looked at or exported the personal data of a school's learners."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from program_enrollments.models.catalog import Program
from program_enrollments.models.schools import School


class Disclosure(models.Model):
    """One look at a page of the console with personal data, or one export of it.

    It holds no personal data of learners: of a search, that there was one and not for what; of a single learner, the
    key of the record, until the person is retired. Like the ledger it outlives its subjects, so
    the references carry no database constraint.
    """

    school = models.ForeignKey(
        School, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+", verbose_name=_("school")
    )
    program = models.ForeignKey(
        Program,
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
        verbose_name=_("program"),
    )
    at = models.DateTimeField(_("at"))
    user_id = models.BigIntegerField(_("user"), help_text=_("The host's user ID."))
    page = models.CharField(_("page"), max_length=32)
    filters = models.CharField(_("filters"), max_length=255, blank=True)
    learner_id = models.BigIntegerField(_("learner"), null=True)
    rows = models.PositiveIntegerField(_("rows"))
    is_export = models.BooleanField(_("exported"), default=False)

    class Meta:
        verbose_name = _("look at personal data")
        verbose_name_plural = _("looks at personal data")
        ordering = ["-pk"]
        constraints = [models.CheckConstraint(condition=~Q(page=""), name="ue_disclosure_page_not_blank")]
        # A school's are listed newest first.
        indexes = [models.Index(fields=["school", "id"], name="ue_disclosure_school")]

    def __str__(self) -> str:
        return f"{self.page} #{self.pk}"
