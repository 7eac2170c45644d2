"""Mails to a school's contacts: who gets them, and the outbox (ADR 0030)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from program_enrollments.data import MailKind
from program_enrollments.models.catalog import Program
from program_enrollments.models.schools import School
from program_enrollments.sql.fields import ExactCharField, NormalizedField


class Contact(models.Model):
    """Somebody at a school, or a mailbox there, who is mailed when something needs a person."""

    school = models.ForeignKey(
        School, models.CASCADE, related_name="contacts", db_index=False, verbose_name=_("school")
    )
    email = models.EmailField(_("e-mail"), max_length=255)
    email_normalized = NormalizedField(source="email")
    language = models.CharField(_("language"), max_length=16, blank=True, help_text=_("Empty for the platform's own."))
    is_daily = models.BooleanField(_("one mail a day"), default=False)
    created_at = models.DateTimeField(_("created at"))
    created_by_id = models.BigIntegerField(_("created by"), null=True, help_text=_("The host's user ID."))

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        ordering = ["pk"]
        constraints = [
            # Somebody who is listed twice would get every mail twice.
            models.UniqueConstraint(fields=["school", "email_normalized"], name="ue_contact_unique"),
        ]

    def __str__(self) -> str:
        return str(self.email)


class Mail(models.Model):
    """One thing that one person is to be mailed; what is due for them is sent as one message.

    `key` names what happened, so that deriving it again writes nothing. `recipient` names a contact, an account or the
    school's support by its number, never by an address. `data` has counts and numbers only.
    """

    school = models.ForeignKey(School, models.CASCADE, related_name="mails", db_index=False, verbose_name=_("school"))
    contact = models.ForeignKey(Contact, models.CASCADE, null=True, related_name="mails", verbose_name=_("contact"))
    recipient = ExactCharField(_("recipient"), max_length=40)
    kind = models.CharField(_("kind"), max_length=24, choices=MailKind.choices)
    key = ExactCharField(_("key"), max_length=100)
    program = models.ForeignKey(Program, models.CASCADE, null=True, related_name="+", verbose_name=_("program"))
    data = models.JSONField(_("data"), default=dict)
    created_at = models.DateTimeField(_("created at"))
    due_at = models.DateTimeField(_("due at"))
    claimed_until = models.DateTimeField(null=True)
    claim = models.CharField(max_length=32, blank=True)
    tries = models.PositiveIntegerField(_("tries"), default=0)
    problem = models.CharField(_("problem"), max_length=200, blank=True)
    sent_at = models.DateTimeField(_("sent at"), null=True)

    class Meta:
        verbose_name = _("mail")
        verbose_name_plural = _("mails")
        ordering = ["-pk"]
        constraints = [
            # Two workers that find the same thing write one mail.
            models.UniqueConstraint(fields=["key", "recipient", "school"], name="ue_mail_key_unique"),
            models.CheckConstraint(condition=Q(kind__in=MailKind.values), name="ue_mail_kind_known"),
        ]
        indexes = [
            # What is still to be sent; what was written long ago.
            models.Index(fields=["sent_at", "due_at"], name="ue_mail_due"),
            models.Index(fields=["created_at"], name="ue_mail_created"),
        ]

    def __str__(self) -> str:
        return str(self.key)
