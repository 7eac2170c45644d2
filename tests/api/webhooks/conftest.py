"""A school with an endpoint at a receiver of this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from program_enrollments import api
from program_enrollments.models import WebhookEndpoint
from tests.api.conftest import World
from tests.api.webhooks.receivers import Receiver, receiving
from tests.factories.host import UserFactory


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "PRIVATE_WEBHOOK_HOSTS": ["127.0.0.1"]}
    with receiving() as server:
        yield server


@pytest.fixture
def add_endpoint(world: World) -> Callable[..., api.EndpointSecret]:
    """Adds an endpoint of the world's school."""

    def add(url: str, **options: Any) -> api.EndpointSecret:
        access = api.access_of(user=UserFactory())
        return api.add_endpoint(access=access, school=world.school, url=url, now=timezone.now(), **options)

    return add


@pytest.fixture
def endpoint(add_endpoint: Callable[..., api.EndpointSecret], receiver: Receiver) -> api.EndpointSecret:
    return add_endpoint(receiver.url)


def deliver(*, after: timedelta = timedelta()) -> datetime:
    """Deliver everything that is due so long after now, and return that time."""
    moment = timezone.now() + after
    while api.deliver_webhooks(now=moment):
        continue
    return moment


def only_endpoint() -> WebhookEndpoint:
    return WebhookEndpoint.objects.get()
