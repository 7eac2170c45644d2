"""Invitations to administer programs, and the record of who gave and took access."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from program_enrollments.models.catalog import Program
from program_enrollments.models.schools import School
from program_enrollments.normalization import MAX_IDENTITY_LENGTH
from program_enrollments.sql.fields import ExactCharField, NormalizedField


class Invitation(models.Model):
    """Permissions on a school or a program that wait for the person with an e-mail address.

    The link that is mailed has a token, of which only the digest is stored. It counts once, until `expires_at`, for an
    account whose confirmed address is the invited one.
    """

    school = models.ForeignKey(School, models.CASCADE, related_name="invitations", verbose_name=_("school"))
    program = models.ForeignKey(
        Program, models.CASCADE, null=True, related_name="invitations", verbose_name=_("program")
    )
    email = models.CharField(_("e-mail"), max_length=MAX_IDENTITY_LENGTH)
    email_normalized = NormalizedField(source="email")
    permissions = models.JSONField(_("permissions"))
    digest = ExactCharField(_("digest of the token"), max_length=64)
    invited_by_id = models.BigIntegerField(_("invited by"), help_text=_("The host's user ID."))
    invited_at = models.DateTimeField(_("invited at"))
    expires_at = models.DateTimeField(_("expires at"))
    accepted_at = models.DateTimeField(_("accepted at"), null=True)
    accepted_by_id = models.BigIntegerField(_("accepted by"), null=True, help_text=_("The host's user ID."))
    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True)

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        ordering = ["-pk"]
        constraints = [
            # The token is how an invitation is found.
            models.UniqueConstraint(fields=["digest"], name="ue_invitation_digest_unique"),
            models.CheckConstraint(condition=~Q(email="") & ~Q(digest=""), name="ue_invitation_complete"),
            models.CheckConstraint(
                condition=Q(accepted_at__isnull=True, accepted_by_id__isnull=True)
                | Q(accepted_at__isnull=False, accepted_by_id__isnull=False),
                name="ue_invitation_accepted_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class AccessChange(models.Model):
    """Permissions that somebody gave or took away, and why. Append-only; it outlives accounts and grants."""

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
    actor_id = models.BigIntegerField(_("actor"), help_text=_("The host's user ID."))
    user_id = models.BigIntegerField(_("user"), help_text=_("The host's user ID."))
    given = models.JSONField(_("given"), default=list)
    taken = models.JSONField(_("taken"), default=list)
    reason = models.CharField(_("reason"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("change of access")
        verbose_name_plural = _("changes of access")
        ordering = ["-pk"]
        # A school's are listed newest first.
        indexes = [models.Index(fields=["school", "id"], name="ue_access_change_school")]

    def __str__(self) -> str:
        return f"#{self.pk}"
