"""Webhooks: a school's endpoints, and the outbox of messages for them (ADR 0027)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from program_enrollments.data import WebhookEvent
from program_enrollments.models.catalog import Program
from program_enrollments.models.schools import School
from program_enrollments.sql.fields import ExactCharField


class WebhookEndpoint(models.Model):
    """An address of a school's own software that gets messages when something happens.

    `secret` signs the messages; for a while after it was replaced, `former_secret` signs them as well. One worker at a
    time delivers to an endpoint: it claims the row until `claimed_until`.
    """

    school = models.ForeignKey(School, models.CASCADE, related_name="webhook_endpoints", verbose_name=_("school"))
    url = models.CharField(_("address"), max_length=1000)
    secret = models.CharField(_("secret"), max_length=100)
    former_secret = models.CharField(_("former secret"), max_length=100, blank=True)
    former_until = models.DateTimeField(_("former secret signs until"), null=True)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created at"))
    created_by_id = models.BigIntegerField(_("created by"), null=True, help_text=_("The host's user ID."))
    delivered_at = models.DateTimeField(_("last delivery"), null=True)
    failing_since = models.DateTimeField(_("failing since"), null=True)
    problem = models.CharField(_("problem"), max_length=200, blank=True)
    switched_off_at = models.DateTimeField(_("switched off at"), null=True)
    claimed_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("webhook endpoint")
        verbose_name_plural = _("webhook endpoints")
        ordering = ["pk"]
        constraints = [
            # A message without a signature could be anybody's.
            models.CheckConstraint(condition=~Q(secret=""), name="ue_webhook_endpoint_has_secret"),
            models.CheckConstraint(
                condition=Q(former_secret="", former_until__isnull=True)
                | (~Q(former_secret="") & Q(former_until__isnull=False)),
                name="ue_webhook_endpoint_former_complete",
            ),
            # An endpoint that is off says since when; one that is on doesn't.
            models.CheckConstraint(
                condition=Q(is_active=True, switched_off_at__isnull=True)
                | Q(is_active=False, switched_off_at__isnull=False),
                name="ue_webhook_endpoint_off_since",
            ),
        ]

    def __str__(self) -> str:
        return self.url


class WebhookPosition(models.Model):
    """How far in a program's feed of changes an endpoint was last told that there are changes."""

    endpoint = models.ForeignKey(WebhookEndpoint, models.CASCADE, related_name="positions", db_index=False)
    program = models.ForeignKey(Program, models.CASCADE, related_name="+")
    position = models.BigIntegerField()
    told_at = models.DateTimeField()

    class Meta:
        verbose_name = _("position of a webhook endpoint")
        verbose_name_plural = _("positions of webhook endpoints")
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "program"], name="ue_webhook_position_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.endpoint_id}: {self.program_id}"


class WebhookMessage(models.Model):
    """A message for an endpoint. The transaction that makes the change writes it.

    Messages of one program go to an endpoint in the order of their primary keys. `data` has IDs only. `learner_id`
    lets retirement find what is about a person.
    """

    endpoint = models.ForeignKey(
        WebhookEndpoint, models.CASCADE, related_name="messages", db_index=False, verbose_name=_("endpoint")
    )
    key = ExactCharField(_("webhook ID"), max_length=40)
    event = models.CharField(_("event"), max_length=24, choices=WebhookEvent.choices)
    program = models.ForeignKey(Program, models.CASCADE, related_name="+", null=True, verbose_name=_("program"))
    learner_id = models.BigIntegerField(_("learner"), null=True, db_index=True)
    data = models.JSONField(_("data"), default=dict)
    created_at = models.DateTimeField(_("created at"))
    due_at = models.DateTimeField(_("due at"))
    tries = models.PositiveIntegerField(_("tries"), default=0)
    problem = models.CharField(_("problem"), max_length=200, blank=True)
    delivered_at = models.DateTimeField(_("delivered at"), null=True)

    class Meta:
        verbose_name = _("webhook message")
        verbose_name_plural = _("webhook messages")
        ordering = ["pk"]
        constraints = [
            # Receivers tell repetitions by it.
            models.UniqueConstraint(fields=["key"], name="ue_webhook_message_key_unique"),
        ]
        indexes = [
            # What an endpoint still has to get, in order; and what was delivered long ago.
            models.Index(fields=["endpoint", "delivered_at", "id"], name="ue_webhook_message_order"),
            models.Index(fields=["delivered_at", "due_at"], name="ue_webhook_message_due"),
        ]

    def __str__(self) -> str:
        return str(self.key)
