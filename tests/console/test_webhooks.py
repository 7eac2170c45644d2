"""Webhooks in the console: adding an endpoint, its secret, a test message, switching it off."""

from __future__ import annotations

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings
from standardwebhooks import Webhook

from program_enrollments import api
from program_enrollments.data import Permission
from program_enrollments.models import WebhookEndpoint
from tests.api.webhooks.receivers import receiving
from tests.console.conftest import Desk, administrator
from tests.rest_api.callers import Campus, make_campus


@pytest.fixture
def manager(campus: Campus) -> Desk:
    return administrator(Permission.MANAGE_SCHOOL, campus=campus)


def test_a_manager_adds_an_endpoint_and_tests_it(manager: Desk, campus: Campus, settings: Settings) -> None:
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "PRIVATE_WEBHOOK_HOSTS": ["127.0.0.1"]}
    assert "No software of yours gets messages" in manager.open("webhooks", campus.school.key).text
    with receiving() as receiver:
        added = manager.send("webhooks", campus.school.key, url=receiver.url)
        (secret,) = added.tree.xpath('//code[@class="pe-secret"]/text()')
        endpoint = WebhookEndpoint.objects.get()

        sent = manager.send("webhook", campus.school.key, endpoint.pk, action="test")
        api.deliver_webhooks(now=timezone.now())

        assert "A test message is on its way" in sent.text
        (message,) = receiver.received
        assert Webhook(secret).verify(message.raw, message.headers)["type"] == "webhook.test"
    page = manager.open("webhooks", campus.school.key)
    assert secret not in page.content
    assert "delivered" in page.rows()[0]
    assert "Last delivery" in page.text


def test_an_address_that_cannot_be_one_says_why(manager: Desk, campus: Campus) -> None:
    page = manager.send("webhooks", campus.school.key, url="http://sis.example.edu/")

    assert page.status == 400
    assert page.errors() == ["The address must start with https://."]


def test_a_new_secret_is_shown_once(manager: Desk, campus: Campus) -> None:
    manager.send("webhooks", campus.school.key, url="https://sis.example.edu/hooks")
    former = WebhookEndpoint.objects.get()

    page = manager.send("webhook", campus.school.key, former.pk, action="rotate")

    new = WebhookEndpoint.objects.get()
    assert new.secret in page.text
    assert "the former secret as well" in page.text
    assert (new.former_secret, new.secret != former.secret) == (former.secret, True)


def test_it_is_switched_off_and_on_and_removed(manager: Desk, campus: Campus) -> None:
    manager.send("webhooks", campus.school.key, url="https://sis.example.edu/hooks")
    endpoint = WebhookEndpoint.objects.get()

    off = manager.send("webhook", campus.school.key, endpoint.pk, action="off")
    assert "gets no more messages" in off.text
    assert (
        "Switch the endpoint on first." in manager.send("webhook", campus.school.key, endpoint.pk, action="test").text
    )
    assert "gets messages again" in manager.send("webhook", campus.school.key, endpoint.pk, action="on").text
    assert "is removed" in manager.send("webhook", campus.school.key, endpoint.pk, action="remove").text
    assert not WebhookEndpoint.objects.exists()
    assert manager.send("webhook", campus.school.key, endpoint.pk, action="off").status == 404


def test_another_schools_endpoint_does_not_exist(manager: Desk, campus: Campus) -> None:
    other = make_campus("uni-b")
    administrator(Permission.MANAGE_SCHOOL, campus=other).send(
        "webhooks", other.school.key, url="https://sis.example.edu/hooks"
    )
    endpoint = WebhookEndpoint.objects.get()

    assert manager.send("webhook", campus.school.key, endpoint.pk, action="remove").status == 404
    assert WebhookEndpoint.objects.exists()


def test_an_action_that_nobody_knows_is_nothing(manager: Desk, campus: Campus) -> None:
    manager.send("webhooks", campus.school.key, url="https://sis.example.edu/hooks")

    assert manager.send("webhook", campus.school.key, WebhookEndpoint.objects.get().pk, action="x").status == 404
