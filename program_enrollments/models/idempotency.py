"""Answers kept for callers who repeat a request under the same `Idempotency-Key`."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from program_enrollments.models.schools import School
from program_enrollments.sql.fields import ExactCharField


class KeptAnswer(models.Model):
    """A request that came with an `Idempotency-Key`, and its answer. Kept until `expires_at`.

    The row is inserted before the request runs, and the insert decides which of two parallel requests runs. `status`
    is NULL while the request runs. An answer to a write contains student IDs, so retiring a person deletes the answers
    of their school.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False, verbose_name=_("user")
    )
    key = ExactCharField(_("key"), max_length=255)
    school = models.ForeignKey(School, models.CASCADE, null=True, related_name="+", verbose_name=_("school"))
    fingerprint = models.CharField(
        _("fingerprint"), max_length=64, help_text=_("SHA-256 of the request's path, query and body.")
    )
    started_at = models.DateTimeField(_("started at"))
    leased_until = models.DateTimeField(
        _("leased until"), null=True, help_text=_("While the request runs: when it is taken for dead.")
    )
    expires_at = models.DateTimeField(_("expires at"), db_index=True)
    status = models.PositiveSmallIntegerField(_("HTTP status"), null=True)
    headers = models.JSONField(_("headers"), default=dict)
    content = models.BinaryField(_("content"), default=b"", help_text=_("The answer's body, deflated."))

    class Meta:
        verbose_name = _("kept answer")
        verbose_name_plural = _("kept answers")
        constraints = [
            # One key of a client is one request. Keys of different clients are independent.
            models.UniqueConstraint(fields=["user", "key"], name="ue_kept_answer_key_unique"),
            models.CheckConstraint(condition=~Q(key=""), name="ue_kept_answer_key_not_blank"),
        ]

    def __str__(self) -> str:
        return f"{self.pk}: {self.status}"


class KeptProgress(models.Model):
    """The rows that one chunk of a request with an `Idempotency-Key` committed.

    A retry continues after them. `outcomes` has `[number, word, before, detail, changed]` per committed row, as
    deflated JSON. Rows are named by their place in the request, so it contains nothing personal. It is written with the
    chunk and deleted with the kept answer.
    """

    kept_answer = models.ForeignKey(KeptAnswer, models.CASCADE, related_name="progress", verbose_name=_("kept answer"))
    outcomes = models.BinaryField(_("outcomes"))

    class Meta:
        verbose_name = _("progress of a request")
        verbose_name_plural = _("progress of requests")

    def __str__(self) -> str:
        return f"{self.kept_answer_id}.{self.pk}"
