"""`changes.available`: derived from each feed's last position, so that writers pay nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

from program_enrollments.api.outbox import Event, add_messages
from program_enrollments.api.reads.changes import cursor_at
from program_enrollments.api.transactions import in_transaction
from program_enrollments.data import WebhookEvent
from program_enrollments.models import LedgerPosition, Program, WebhookEndpoint, WebhookPosition
from program_enrollments.sql.bulk import insert_rows

LEAST_PAUSE = timedelta(seconds=10)
"""Between two messages that one program has changes."""


def announce_changes(*, now: datetime) -> int:
    """Write messages for the programs that have new changes, and return how many.

    One statement without endpoints, three per endpoint that has nothing new to hear.
    """
    written = 0
    for endpoint_id in WebhookEndpoint.objects.filter(is_active=True).order_by("pk").values_list("pk", flat=True):
        if _news(endpoint_id, now):
            written += in_transaction(lambda endpoint_id=endpoint_id: _announce(endpoint_id, now))  # type: ignore[misc]
    return written


def _news(endpoint_id: int, now: datetime) -> dict[int, int]:
    """Return the last positions, by program, that the endpoint has to hear of now."""
    programs = Program.objects.filter(school__webhook_endpoints=endpoint_id)
    last = dict(LedgerPosition.objects.filter(pk__in=programs.values("pk")).values_list("pk", "last_position"))
    told = WebhookPosition.objects.filter(endpoint=endpoint_id).values_list("program_id", "position", "told_at")
    for program_id, position, told_at in told:
        # A restored backup can set a feed back; the endpoint hears of that as well.
        if last.get(program_id) == position or told_at > now - LEAST_PAUSE:
            last.pop(program_id, None)
    return last


def _announce(endpoint_id: int, now: datetime) -> int:
    # The lock keeps two workers from writing the same message.
    if not WebhookEndpoint.objects.select_for_update().filter(pk=endpoint_id, is_active=True).exists():
        return 0
    news = _news(endpoint_id, now)
    events = [
        Event(
            WebhookEvent.CHANGES_AVAILABLE,
            {"cursor": cursor_at(program_id=program_id, position=position)},
            program_id=program_id,
        )
        for program_id, position in sorted(news.items())
    ]
    add_messages(endpoint_ids=[endpoint_id], events=events, now=now)
    if news:
        insert_rows(
            WebhookPosition,
            fields=("endpoint", "program", "position", "told_at"),
            rows=[(endpoint_id, program_id, position, now) for program_id, position in sorted(news.items())],
            unique=("endpoint", "program"),
            update=("position", "told_at"),
        )
    return len(news)
