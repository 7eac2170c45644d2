"""Webhooks, view only: schools change their endpoints in the console."""

from __future__ import annotations

from django.contrib import admin

from program_enrollments.admin.large_tables import ViewOnlyAdmin
from program_enrollments.models import WebhookEndpoint, WebhookMessage


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ViewOnlyAdmin):
    """Where a school's messages go, and whether they arrive. Secrets are not shown."""

    list_display = ["url", "school", "is_active", "delivered_at", "failing_since", "problem"]
    list_prefetch_related = ("school",)
    fields = [
        "school",
        "url",
        "is_active",
        "created_at",
        "delivered_at",
        "failing_since",
        "problem",
        "switched_off_at",
        "former_until",
    ]


@admin.register(WebhookMessage)
class WebhookMessageAdmin(ViewOnlyAdmin):
    """The messages of the last weeks."""

    list_display = ["key", "endpoint", "event", "program", "created_at", "delivered_at", "tries", "problem"]
    list_prefetch_related = ("endpoint", "program")
    fields = ["key", "endpoint", "event", "program", "data", "created_at", "due_at", "delivered_at", "tries", "problem"]
