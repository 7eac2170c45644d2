"""Delivery: one worker at a time sends an endpoint's messages, in order per program.

A message is delivered at least once: the answer of the receiver is recorded after it has come, and a worker can be
killed in between. Receivers tell repetitions by `webhook-id`.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Collection
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.db.models import F, Q
from django.utils import timezone

from program_enrollments.api.notices import Notice, add_notices
from program_enrollments.api.transactions import in_transaction
from program_enrollments.api.webhooks.endpoints import switch_off
from program_enrollments.api.webhooks.nudges import announce_changes
from program_enrollments.api.webhooks.transport import TOTAL_SECONDS, send
from program_enrollments.conf import get_setting
from program_enrollments.data import MailKind
from program_enrollments.exceptions import WebhookFailed
from program_enrollments.models import WebhookEndpoint, WebhookMessage

logger = logging.getLogger(__name__)

PAUSES = (5, 60, 300, 1_800, 7_200, 14_400, 28_800)
"""Seconds between the tries of a message; the last one repeats."""

GIVEN_UP = timedelta(days=3)
"""After so long without a delivery, an endpoint is switched off."""

CLAIM = timedelta(seconds=TOTAL_SECONDS * 4)
"""A worker that was heard of no more for so long has died: another one takes its endpoint."""


def deliver_webhooks(*, now: datetime | None = None) -> bool:
    """Deliver what is due to one endpoint, for a slice's time at most; return whether there was any.

    Safe to run in several workers at once.
    """
    moment = now or timezone.now()
    announce_changes(now=moment)
    idle: set[int] = set()
    while (endpoint := _claim(moment, idle)) is not None:
        try:
            if _deliver(endpoint, now):
                return True
        finally:
            WebhookEndpoint.objects.filter(pk=endpoint.pk).update(claimed_until=None)
        idle.add(endpoint.pk)
    return False


def _claim(now: datetime, idle: Collection[int]) -> WebhookEndpoint | None:
    """Return the endpoint whose due message has waited longest, claimed for this worker.

    Endpoints in `idle` are ignored.
    """
    free = Q(endpoint__claimed_until__isnull=True) | Q(endpoint__claimed_until__lt=now)
    due = WebhookMessage.objects.filter(free, delivered_at__isnull=True, due_at__lte=now, endpoint__is_active=True)
    tried = set(idle)
    while True:
        endpoint_id = due.exclude(endpoint__in=tried).order_by("due_at").values_list("endpoint_id", flat=True).first()
        if endpoint_id is None:
            return None
        mine = WebhookEndpoint.objects.filter(
            Q(claimed_until__isnull=True) | Q(claimed_until__lt=now), pk=endpoint_id, is_active=True
        ).update(claimed_until=now + CLAIM)
        if mine:
            return WebhookEndpoint.objects.select_related("school").get(pk=endpoint_id)
        tried.add(endpoint_id)


def _deliver(endpoint: WebhookEndpoint, now: datetime | None) -> bool:
    """Send the endpoint's messages until nothing is due, the slice is over, or the receiver is down.

    Return whether any was tried: what is due can have to wait for an earlier message of its program.
    """
    was_tried = False
    until = time.monotonic() + get_setting("SLICE_SECONDS")
    behind = 0
    stopped: set[int | None] = set()
    while time.monotonic() < until:
        moment = now or timezone.now()
        message = _next_message(endpoint, behind, stopped)
        if message is None:
            break
        behind = message.pk
        # What comes later in a program waits for what came before.
        if message.due_at > moment:
            stopped.add(message.program_id)
            continue
        was_tried = True
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(claimed_until=moment + CLAIM)
        try:
            send(
                url=endpoint.url,
                key=message.key,
                at=moment,
                body=_write_body(endpoint, message),
                secret_texts=_secrets(endpoint, moment),
            )
        except WebhookFailed as failure:
            _note_failure(endpoint, message, failure, moment)
            stopped.add(message.program_id)
            if failure.is_unreachable or failure.is_gone:
                break
        else:
            _note_delivery(endpoint, message, moment)
    return was_tried


def _next_message(endpoint: WebhookEndpoint, behind: int, stopped: set[int | None]) -> WebhookMessage | None:
    waiting = WebhookMessage.objects.filter(endpoint=endpoint, delivered_at__isnull=True, pk__gt=behind)
    if None in stopped:
        waiting = waiting.filter(program__isnull=False)
    programs = [program_id for program_id in stopped if program_id is not None]
    if programs:
        waiting = waiting.filter(Q(program__isnull=True) | ~Q(program__in=programs))
    return waiting.select_related("program").order_by("pk").first()


def _write_body(endpoint: WebhookEndpoint, message: WebhookMessage) -> bytes:
    data = message.data if isinstance(message.data, dict) else {}
    placed = {"school": endpoint.school.key}
    if message.program is not None:
        placed["program"] = str(message.program.uuid)
    body = {"type": message.event, "timestamp": message.created_at.isoformat(), "data": {**placed, **data}}
    return json.dumps(body, separators=(",", ":")).encode()


def _secrets(endpoint: WebhookEndpoint, now: datetime) -> list[str]:
    is_rotating = endpoint.former_until is not None and endpoint.former_until > now
    return [endpoint.secret, *([endpoint.former_secret] if is_rotating else [])]


def _note_delivery(endpoint: WebhookEndpoint, message: WebhookMessage, now: datetime) -> None:
    def work() -> None:
        WebhookMessage.objects.filter(pk=message.pk).update(delivered_at=now, tries=F("tries") + 1, problem="")
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(delivered_at=now, failing_since=None, problem="")

    in_transaction(work)
    endpoint.failing_since = None


def _note_failure(endpoint: WebhookEndpoint, message: WebhookMessage, failure: WebhookFailed, now: datetime) -> None:
    since = endpoint.failing_since or now
    detail = failure.detail[:200]

    def work() -> bool:
        due_at = now + timedelta(seconds=PAUSES[min(message.tries, len(PAUSES) - 1)])
        WebhookMessage.objects.filter(pk=message.pk).update(tries=F("tries") + 1, due_at=due_at, problem=detail)
        if failure.is_unreachable:
            # The others would only find out the same.
            others = WebhookMessage.objects.filter(endpoint=endpoint, delivered_at__isnull=True, due_at__lt=due_at)
            others.update(due_at=due_at)
        locked = WebhookEndpoint.objects.select_for_update().filter(pk=endpoint.pk, is_active=True).first()
        if locked is None:
            return False
        locked.failing_since, locked.problem = since, detail
        locked.save(update_fields=["failing_since", "problem"])
        if failure.is_gone or now - since >= GIVEN_UP:
            switch_off(locked, access=None, now=now)
            add_notices(school_id=locked.school_id, notices=[_notice_of(locked, now)], now=now)
            return True
        return False

    endpoint.failing_since = since
    if in_transaction(work):
        logger.warning("Webhook endpoint %s was switched off after failing since %s.", endpoint.pk, since.isoformat())


def _notice_of(endpoint: WebhookEndpoint, now: datetime) -> Notice:
    """Return what contacts are mailed.

    Of the address it has the receiver's host only: the rest can hold a secret.
    """
    host = urlsplit(endpoint.url).hostname or ""
    key = f"{MailKind.WEBHOOK_OFF.value}:{endpoint.pk}:{now:%Y%m%dT%H%M%S}"
    return Notice(MailKind.WEBHOOK_OFF, key, {"endpoint": endpoint.pk, "host": host})
