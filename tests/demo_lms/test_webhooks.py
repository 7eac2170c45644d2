"""University A's software in the demo: it prints what the platform tells it."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from standardwebhooks import Webhook

from demo_lms.demo_data.webhooks import point_webhooks_at, seed_webhooks
from program_enrollments.models import WebhookEndpoint
from tests.factories.enrollment import SchoolFactory


def test_a_message_with_the_right_signature_is_printed(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    body = '{"type":"grades.frozen","timestamp":"2026-09-01T00:00:00Z","data":{"school":"uni-a"}}'
    now = timezone.now()
    signature = Webhook(settings.DEMO_WEBHOOK_SECRET).sign("msg_1", now, body)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }

    response = client.post("/dev/hooks/", body, content_type="application/json", headers=headers)

    assert response.status_code == 204
    assert 'grades.frozen {"school": "uni-a"}' in capsys.readouterr().out
    forged = client.post("/dev/hooks/", body + " ", content_type="application/json", headers=headers)
    assert forged.status_code == 401


def test_the_endpoint_follows_the_sites_address(db: None) -> None:
    SchoolFactory(key="uni-a")
    seed_webhooks(base_url="http://127.0.0.1:8000", now=timezone.now())

    point_webhooks_at(base_url="http://127.0.0.1:8010")

    assert WebhookEndpoint.objects.get().url == "http://127.0.0.1:8010/dev/hooks/"
