"""Endpoints: adding, switching and removing them, and what was delivered lately (docs/webhooks.rst)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from program_enrollments.api.access import Access
from program_enrollments.api.outbox import Event, add_messages
from program_enrollments.api.setting_changes import record_setting_change
from program_enrollments.api.transactions import in_transaction
from program_enrollments.api.webhooks.transport import check_url, make_secret
from program_enrollments.data import SettingChangeKind, WebhookEvent
from program_enrollments.exceptions import WebhookDoesNotExist, WebhookRefused
from program_enrollments.models import School, WebhookEndpoint, WebhookMessage, WebhookPosition

MAX_ENDPOINTS = 5
"""Endpoints of one school: each gets a copy of every message."""

ROTATION = timedelta(hours=24)
"""How long messages are signed with the former secret as well."""

SHOWN = 20


@dataclass(frozen=True, slots=True)
class EndpointSecret:
    """An endpoint, and its new secret, which is shown only now."""

    endpoint: WebhookEndpoint
    secret: str


@dataclass(frozen=True, slots=True)
class SchoolWebhooks:
    """The endpoints of a school, and its last messages, the newest first."""

    endpoints: list[WebhookEndpoint]
    messages: list[WebhookMessage]


def fetch_webhooks(*, school: School) -> SchoolWebhooks:
    """Return a school's endpoints and its last messages. Two statements."""
    messages = WebhookMessage.objects.filter(endpoint__school=school).select_related("endpoint", "program")
    return SchoolWebhooks(
        list(WebhookEndpoint.objects.filter(school=school).order_by("pk")), list(messages.order_by("-pk")[:SHOWN])
    )


def add_endpoint(*, access: Access, school: School, url: str, now: datetime) -> EndpointSecret:
    """Add an endpoint to a school, and return it with its secret. Raises WebhookRefused."""
    address = url.strip()
    check_url(url=address)
    secret = make_secret()

    def work() -> WebhookEndpoint:
        # The lock on the school keeps two calls from passing the limit together.
        School.objects.select_for_update().get(pk=school.pk)
        known = list(WebhookEndpoint.objects.filter(school=school).values_list("url", flat=True))
        if address in known:
            raise WebhookRefused(_("This address is an endpoint already."))
        if len(known) >= MAX_ENDPOINTS:
            raise WebhookRefused(
                _("A school can have %(count)d endpoints. Remove one first.") % {"count": MAX_ENDPOINTS}
            )
        endpoint = WebhookEndpoint.objects.create(
            school=school, url=address, secret=secret, created_at=now, created_by_id=access.user_id or None
        )
        _record(endpoint, SettingChangeKind.ENDPOINT_ADDED, access, now)
        return endpoint

    return EndpointSecret(in_transaction(work), secret)


def rotate_secret(*, access: Access, school: School, endpoint_id: int, now: datetime) -> EndpointSecret:
    """Give an endpoint a new secret, and return both.

    For `ROTATION`, messages are signed with the former one as well. Raises WebhookDoesNotExist.
    """
    secret = make_secret()

    def work(endpoint: WebhookEndpoint) -> None:
        endpoint.former_secret, endpoint.former_until = endpoint.secret, now + ROTATION
        endpoint.secret = secret
        endpoint.save(update_fields=["secret", "former_secret", "former_until"])
        _record(endpoint, SettingChangeKind.SECRET_REPLACED, access, now)

    return EndpointSecret(_change(school, endpoint_id, work), secret)


def switch_endpoint(
    *, access: Access, school: School, endpoint_id: int, is_active: bool, now: datetime
) -> WebhookEndpoint:
    """Switch an endpoint on or off, and return it. Raises WebhookDoesNotExist.

    Messages that were not delivered go when it is switched off: the feed of changes has the truth. When it is switched
    on, it gets a message about each program that has changes.
    """

    def work(endpoint: WebhookEndpoint) -> None:
        if endpoint.is_active == is_active:
            return
        if is_active:
            WebhookPosition.objects.filter(endpoint=endpoint).delete()
            endpoint.is_active, endpoint.switched_off_at = True, None
            endpoint.failing_since, endpoint.problem = None, ""
            endpoint.save(update_fields=["is_active", "switched_off_at", "failing_since", "problem"])
            _record(endpoint, SettingChangeKind.ENDPOINT_ON, access, now)
        else:
            switch_off(endpoint, access=access, now=now)

    return _change(school, endpoint_id, work)


def switch_off(endpoint: WebhookEndpoint, *, access: Access | None, now: datetime) -> None:
    """Switch a locked endpoint off, and drop what it did not get. In the current transaction.

    `access` is None if the app does so by itself.
    """
    WebhookMessage.objects.filter(endpoint=endpoint, delivered_at__isnull=True).delete()
    endpoint.is_active, endpoint.switched_off_at = False, now
    endpoint.save(update_fields=["is_active", "switched_off_at"])
    _record(endpoint, SettingChangeKind.ENDPOINT_OFF, access, now)


def remove_endpoint(*, access: Access, school: School, endpoint_id: int, now: datetime) -> None:
    """Remove an endpoint with its messages. Raises WebhookDoesNotExist."""

    def work(endpoint: WebhookEndpoint) -> None:
        _record(endpoint, SettingChangeKind.ENDPOINT_REMOVED, access, now)
        endpoint.delete()

    _change(school, endpoint_id, work)


def send_test(*, school: School, endpoint_id: int, now: datetime) -> None:
    """Put a test message into an active endpoint's outbox. Raises WebhookDoesNotExist, WebhookRefused."""

    def work(endpoint: WebhookEndpoint) -> None:
        if not endpoint.is_active:
            raise WebhookRefused(_("Switch the endpoint on first."))
        add_messages(endpoint_ids=[endpoint.pk], events=[Event(WebhookEvent.TEST)], now=now)

    _change(school, endpoint_id, work)


def _record(endpoint: WebhookEndpoint, kind: SettingChangeKind, access: Access | None, now: datetime) -> None:
    actor_id = None if access is None else access.user_id or None
    record_setting_change(school_id=endpoint.school_id, actor_id=actor_id, kind=kind, subject=endpoint.url, now=now)


def _change(school: School, endpoint_id: int, work: Callable[[WebhookEndpoint], None]) -> WebhookEndpoint:
    def change() -> WebhookEndpoint:
        endpoint = WebhookEndpoint.objects.select_for_update().filter(school=school, pk=endpoint_id).first()
        if endpoint is None:
            raise WebhookDoesNotExist
        work(endpoint)
        return endpoint

    return in_transaction(change)
