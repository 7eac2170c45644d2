"""The outbox: messages for a school's software, written with the change itself (ADR 0027)."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from django.dispatch import Signal

from program_enrollments.api.transactions import after_commit
from program_enrollments.data import WebhookEvent
from program_enrollments.models import WebhookEndpoint, WebhookMessage
from program_enrollments.sql.bulk import insert_rows

webhook_due = Signal()
"""Sent after the commit, with `endpoint_id`. Losing one is no harm: a due message is found by the next look."""

FIELDS = ("endpoint", "key", "event", "program", "learner_id", "data", "created_at", "due_at", "tries", "problem")


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, for the school's software.

    `data` must hold IDs only: no names, addresses or grades. The school's key and the program's UUID are added when the
    message is sent. `learner_id` is the learner that the event is about, so that retirement finds it.
    """

    name: WebhookEvent
    data: Mapping[str, Any] = field(default_factory=dict)
    program_id: int | None = None
    learner_id: int | None = None


def add_events(*, school_id: int, events: Sequence[Event], now: datetime) -> None:
    """Write a message per event and active endpoint of the school, in the current transaction.

    One statement for a school without endpoints, two for others.
    """
    endpoints = WebhookEndpoint.objects.filter(school_id=school_id, is_active=True).order_by("pk")
    add_messages(endpoint_ids=list(endpoints.values_list("pk", flat=True)), events=events, now=now)


def add_messages(*, endpoint_ids: Sequence[int], events: Sequence[Event], now: datetime) -> None:
    """Write a message per event and endpoint, and notify the workers after the commit. One statement."""
    rows = [
        (
            endpoint_id,
            _make_key(),
            event.name.value,
            event.program_id,
            event.learner_id,
            json.dumps(event.data),
            now,
            now,
            0,
            "",
        )
        for event in events
        for endpoint_id in endpoint_ids
    ]
    if not rows:
        return
    insert_rows(WebhookMessage, fields=FIELDS, rows=rows)
    for endpoint_id in endpoint_ids:
        after_commit(partial(_send, endpoint_id))


def forget_in_outbox(*, learner_ids: Collection[int]) -> int:
    """Delete the messages about these learners, and return how many. Part of retiring a person."""
    return WebhookMessage.objects.filter(learner_id__in=learner_ids).delete()[0]


def _make_key() -> str:
    return f"msg_{secrets.token_hex(16)}"


def _send(endpoint_id: int) -> None:
    webhook_due.send(sender=None, endpoint_id=endpoint_id)
