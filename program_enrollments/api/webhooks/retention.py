"""Retention: messages that were delivered are kept for questions about them, then deleted."""

from __future__ import annotations

from datetime import datetime, timedelta

from program_enrollments.api.transactions import in_transaction
from program_enrollments.conf import get_setting
from program_enrollments.models import WebhookMessage

AT_ONCE = 1_000


def forget_delivered_messages(*, now: datetime) -> int:
    """Delete up to `AT_ONCE` messages delivered more than `KEEP_FILES_DAYS` days ago, and return how many."""
    limit = now - timedelta(days=get_setting("KEEP_FILES_DAYS"))

    def forget() -> int:
        found = WebhookMessage.objects.filter(delivered_at__lt=limit).order_by("delivered_at")
        return WebhookMessage.objects.filter(pk__in=list(found.values_list("pk", flat=True)[:AT_ONCE])).delete()[0]

    return in_transaction(forget)
