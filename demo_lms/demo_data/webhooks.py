"""University A's software that receives webhooks: a page of the demo itself, which prints what comes."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from program_enrollments.models import School, WebhookEndpoint

PATH = "/dev/hooks/"


def seed_webhooks(*, base_url: str, now: datetime) -> None:
    """Add the endpoint of University A if it isn't there."""
    WebhookEndpoint.objects.get_or_create(
        school=School.objects.get(key="uni-a"),
        secret=settings.DEMO_WEBHOOK_SECRET,
        defaults={"url": f"{base_url}{PATH}", "created_at": now},
    )


def point_webhooks_at(*, base_url: str) -> None:
    """Let the endpoint lead to this address of the site."""
    WebhookEndpoint.objects.filter(secret=settings.DEMO_WEBHOOK_SECRET).update(url=f"{base_url}{PATH}")
