"""Plays University A's own software: it verifies each webhook message and prints it where the demo runs."""

from __future__ import annotations

import json

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from standardwebhooks import Webhook, WebhookVerificationError


@csrf_exempt
@require_POST
def receive_webhook(request: HttpRequest) -> HttpResponse:
    """Answer 204 to a message whose signature is right, and 401 to any other."""
    try:
        message = Webhook(settings.DEMO_WEBHOOK_SECRET).verify(request.body, dict(request.headers))
    except (WebhookVerificationError, ValueError):
        return HttpResponse("The signature is not right.", status=401, content_type="text/plain")
    print(f"University A's software: {message['type']} {json.dumps(message['data'])}", flush=True)  # noqa: T201
    return HttpResponse(status=204)
