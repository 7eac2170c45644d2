"""Delivering: signed, in order per program, at least once, whatever the receiver does."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connections
from django.utils import timezone
from pytest_django.fixtures import Settings
from standardwebhooks import Webhook, WebhookVerificationError

from program_enrollments import api
from program_enrollments.api.outbox import Event, add_events
from program_enrollments.api.webhooks import transport
from program_enrollments.data import Permission, SettingChangeKind, WebhookEvent
from program_enrollments.exceptions import WebhookRefused
from program_enrollments.models import WebhookEndpoint, WebhookMessage
from tests.api.conftest import World
from tests.api.grade_freezes import freeze, reopen
from tests.api.webhooks.conftest import deliver, only_endpoint
from tests.api.webhooks.receivers import Receiver
from tests.factories.enrollment import CurriculumFactory, GrantFactory, SchoolFactory
from tests.factories.host import UserFactory
from tests.loopback import free_port

NOBODY = api.access_of(user=None)


def test_a_receiver_verifies_who_sent_it_with_the_standards_library(
    world: World, endpoint: api.EndpointSecret, receiver: Receiver
) -> None:
    freeze(world)
    deliver()

    (message,) = receiver.received
    body = Webhook(endpoint.secret).verify(message.raw, message.headers)

    assert body["type"] == "grades.frozen"
    with pytest.raises(WebhookVerificationError):
        Webhook(endpoint.secret).verify(message.raw + b" ", message.headers)


def test_after_a_new_secret_both_verify_for_a_day(
    world: World, endpoint: api.EndpointSecret, receiver: Receiver
) -> None:
    new = api.rotate_secret(access=NOBODY, school=world.school, endpoint_id=endpoint.endpoint.pk, now=timezone.now())
    freeze(world)
    deliver()
    reopen(world)
    deliver(after=timedelta(hours=25))

    first, second = receiver.received
    for secret in (endpoint.secret, new.secret):
        assert Webhook(secret).verify(first.raw, first.headers)
    assert len(second.headers["webhook-signature"].split()) == 1


def test_a_delivered_message_is_not_sent_again(world: World, endpoint: api.EndpointSecret, receiver: Receiver) -> None:
    freeze(world)
    deliver()
    deliver(after=timedelta(days=1))

    assert len(receiver.received) == 1
    assert only_endpoint().delivered_at is not None


def test_a_receiver_that_is_down_gets_everything_later_in_order(
    world: World, endpoint: api.EndpointSecret, receiver: Receiver
) -> None:
    WebhookEndpoint.objects.update(url=f"http://127.0.0.1:{free_port()}/")
    freeze(world)
    reopen(world)
    deliver()
    assert "cannot be reached" in only_endpoint().problem
    assert only_endpoint().failing_since is not None

    WebhookEndpoint.objects.update(url=receiver.url)
    deliver(after=timedelta(seconds=6))

    assert receiver.events() == ["grades.frozen", "grades.reopened"]
    assert (only_endpoint().failing_since, only_endpoint().problem) == (None, "")


def test_one_program_does_not_wait_for_another(world: World, endpoint: api.EndpointSecret, receiver: Receiver) -> None:
    receiver.status = 500
    freeze(world)
    deliver()
    receiver.status = 204
    other = CurriculumFactory(program__school=world.school).program
    other.curricula.get().course_runs.add(world.course_run)
    reopen(world)
    freeze(world, program=other)
    deliver()

    told = [(one.event, one.body["data"]["program"]) for one in receiver.received[1:]]
    assert told == [("grades.frozen", str(other.uuid))]

    deliver(after=timedelta(seconds=6))
    assert receiver.events()[2:] == ["grades.frozen", "grades.reopened"]
    assert receiver.received[0].key == receiver.received[2].key


@pytest.mark.parametrize(
    ("status", "said"), [(500, "status 500"), (404, "status 404"), (302, "redirects"), (307, "redirects")]
)
def test_every_other_answer_is_a_failure_that_says_why(
    world: World, endpoint: api.EndpointSecret, receiver: Receiver, status: int, said: str
) -> None:
    receiver.status, receiver.headers = status, {"Location": receiver.url}
    freeze(world)
    deliver()

    assert said in only_endpoint().problem
    assert len(receiver.received) == 1


def test_the_pauses_grow(world: World, endpoint: api.EndpointSecret, receiver: Receiver) -> None:
    receiver.status = 500
    freeze(world)
    pauses = []
    moment = timezone.now()
    for _try in range(4):
        api.deliver_webhooks(now=moment)
        due_at = WebhookMessage.objects.get().due_at
        pauses.append((due_at - moment).total_seconds())
        moment = due_at
    assert pauses == [5, 60, 300, 1_800]


def test_after_three_days_it_is_switched_off_and_people_hear_of_it(
    world: World, endpoint: api.EndpointSecret, receiver: Receiver
) -> None:
    manager = UserFactory(email="manager@uni-a.example")
    GrantFactory(user=manager, school=world.school, permission=Permission.MANAGE_SCHOOL)
    receiver.status = 500
    freeze(world)
    deliver()

    with world.run_callbacks(execute=True):
        deliver(after=timedelta(days=3, seconds=1))

    assert not only_endpoint().is_active
    assert not WebhookMessage.objects.exists()
    assert mail.outbox == []
    while api.deliver_mails(now=timezone.now() + timedelta(days=3, minutes=1)):
        continue
    (letter,) = mail.outbox
    assert letter.to == ["manager@uni-a.example"]
    assert "127.0.0.1" in letter.body
    assert "/hooks" not in letter.body
    reopen(world)
    assert not WebhookMessage.objects.exists()


def test_a_receiver_that_is_gone_is_switched_off_at_once(
    world: World, endpoint: api.EndpointSecret, receiver: Receiver
) -> None:
    receiver.status = 410
    freeze(world)
    deliver()

    assert not only_endpoint().is_active
    added, off = api.fetch_setting_changes(school=world.school)[::-1]
    assert (added.kind, added.actor != "") == (SettingChangeKind.ENDPOINT_ADDED, True)
    assert (off.kind, off.actor, off.subject) == (SettingChangeKind.ENDPOINT_OFF, "", receiver.url)


def test_switched_on_again_it_hears_where_the_changes_are(
    world: World, endpoint: api.EndpointSecret, receiver: Receiver
) -> None:
    api.switch_endpoint(
        access=NOBODY, school=world.school, endpoint_id=endpoint.endpoint.pk, is_active=False, now=timezone.now()
    )
    world.write_program(("S-1", "enrolled"))
    deliver()
    assert receiver.received == []

    api.switch_endpoint(
        access=NOBODY, school=world.school, endpoint_id=endpoint.endpoint.pk, is_active=True, now=timezone.now()
    )
    deliver()

    assert receiver.events() == ["changes.available"]


def test_a_slow_receiver_is_left_after_the_time_limit(
    world: World, endpoint: api.EndpointSecret, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "TOTAL_SECONDS", 0.3)
    receiver.drips = True
    freeze(world)
    deliver()

    assert only_endpoint().problem
    assert WebhookMessage.objects.get().delivered_at is None


def test_a_private_address_is_refused_before_anything_connects(
    world: World, endpoint: api.EndpointSecret, receiver: Receiver, settings: Settings
) -> None:
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "PRIVATE_WEBHOOK_HOSTS": ["localhost"]}
    # The name is permitted to be named, but what it leads to is looked at for each delivery.
    WebhookEndpoint.objects.update(url=receiver.url.replace("http://127.0.0.1", "https://127.0.0.1"))
    freeze(world)
    deliver()

    assert "private network" in only_endpoint().problem
    assert receiver.received == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks",
        "http://sis.example.edu/",
        "ftp://sis.example.edu/",
        "https://user:secret@sis.example.edu/",
        "https://sis.example.edu:port/",
        "https://sis example.edu/",
        "https://[::1/",
        "https://sis.example.edu/" + "x" * 1_000,
    ],
)
def test_an_address_that_cannot_be_an_endpoint_is_refused(
    add_endpoint: Callable[..., api.EndpointSecret], url: str
) -> None:
    with pytest.raises(WebhookRefused):
        add_endpoint(url)


def test_a_school_has_five_endpoints_at_most(add_endpoint: Callable[..., api.EndpointSecret]) -> None:
    for number in range(5):
        add_endpoint(f"https://sis.example.edu/{number}")
    with pytest.raises(WebhookRefused, match="5 endpoints"):
        add_endpoint("https://sis.example.edu/6")
    with pytest.raises(WebhookRefused, match="already"):
        add_endpoint("https://sis.example.edu/1")


def test_an_endpoint_whose_worker_died_is_taken_by_another(
    world: World, endpoint: api.EndpointSecret, receiver: Receiver
) -> None:
    freeze(world)
    now = timezone.now()
    WebhookEndpoint.objects.update(claimed_until=now + timedelta(seconds=30))

    assert not api.deliver_webhooks(now=now)
    assert receiver.received == []
    assert api.deliver_webhooks(now=now + timedelta(seconds=31))
    assert receiver.events() == ["grades.frozen"]


def test_old_deliveries_are_forgotten(world: World, endpoint: api.EndpointSecret, receiver: Receiver) -> None:
    freeze(world)
    deliver()
    assert api.forget_expired(now=timezone.now() + timedelta(days=29)).messages == 0
    assert api.forget_expired(now=timezone.now() + timedelta(days=31)).messages == 1


def test_a_look_with_nothing_to_do_costs_few_statements(
    world: World, endpoint: api.EndpointSecret, django_assert_max_num_queries: Callable[..., object]
) -> None:
    with django_assert_max_num_queries(5):  # type: ignore[attr-defined]
        api.deliver_webhooks()


@pytest.mark.only_on("postgresql", "mariadb")
@pytest.mark.django_db(transaction=True)
def test_two_workers_deliver_each_message_in_order(receiver: Receiver) -> None:
    """Two threads look at once, again and again, while messages are written."""
    school = SchoolFactory()
    api.add_endpoint(access=api.access_of(user=UserFactory()), school=school, url=receiver.url, now=timezone.now())
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            if not api.deliver_webhooks():
                time.sleep(0.01)
        connections.close_all()

    workers = [threading.Thread(target=work) for _number in range(2)]
    for worker in workers:
        worker.start()
    for number in range(30):
        add_events(school_id=school.pk, events=[Event(WebhookEvent.TEST, {"number": number})], now=timezone.now())
    deadline = time.monotonic() + 30
    while WebhookMessage.objects.filter(delivered_at__isnull=True).exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    over.set()
    for worker in workers:
        worker.join()

    first: dict[str, int] = {}
    for one in receiver.received:
        first.setdefault(one.key, json.loads(one.raw)["data"]["number"])
    assert list(first.values()) == list(range(30))
