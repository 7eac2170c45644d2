"""The record of who changed a school's settings, endpoints, feeds and contacts."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from program_enrollments.data import SettingChangeKind
from program_enrollments.models.schools import School


class SettingChange(models.Model):
    """One change of a school's settings, by somebody or by the app itself.

    Append-only; it outlives what it names. `subject` is the address of an endpoint or the path of a feed, and empty for
    contacts. `details` has `[name, before, after]` per value that changed; secrets and the addresses of people are left
    out.
    """

    school = models.ForeignKey(
        School, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+", verbose_name=_("school")
    )
    at = models.DateTimeField(_("at"))
    actor_id = models.BigIntegerField(_("actor"), null=True, help_text=_("The host's user ID."))
    kind = models.CharField(_("kind"), max_length=24, choices=SettingChangeKind.choices)
    subject = models.CharField(_("about"), max_length=1000, blank=True)
    details = models.JSONField(_("values"), default=list)

    class Meta:
        verbose_name = _("change of settings")
        verbose_name_plural = _("changes of settings")
        ordering = ["-pk"]
        # A school's are listed newest first.
        indexes = [models.Index(fields=["school", "id"], name="ue_setting_change_school")]

    def __str__(self) -> str:
        return f"#{self.pk}"
