"""Celery carries a message per slice; one that is late, lost or doubled does no harm, and nobody waits for a broker."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from celery.app import default_app
from django.core import mail
from django.utils import timezone

from program_enrollments import api, tasks
from tests.api.conftest import World, world
from tests.api.feeds.conftest import Folder, feed_storage
from tests.api.grade_freezes import freeze
from tests.api.jobs.conftest import Office, office
from tests.api.webhooks.conftest import add_endpoint, endpoint, receiver
from tests.api.webhooks.receivers import Receiver

__all__ = ["add_endpoint", "endpoint", "feed_storage", "office", "receiver", "world"]

TEXT = "student_key,status\nA-1,enrolled\nA-2,enrolled\n"


@pytest.fixture
def app() -> Iterator[Celery]:
    """A host's Celery app whose broker is this process's memory, with the tasks of this app connected."""
    made = Celery("host", broker="memory://", set_as_current=False)
    made.set_current()
    for queue in ("celery", "enrollments"):
        take(made, queue)
    tasks.connect()
    yield made
    api.job_due.disconnect(dispatch_uid="university_enrollments_job_due")
    api.webhook_due.disconnect(dispatch_uid="university_enrollments_webhook_due")
    default_app.set_current()


def take(app: Celery, queue: str = "celery") -> list[tuple[str, Any]]:
    """Take all messages from a queue: the task's name and its arguments."""
    messages = []
    with app.connection_for_read() as connection:
        simple = connection.SimpleQueue(queue)
        while simple.qsize():
            message = simple.get(block=False)
            message.ack()
            messages.append((message.headers["task"], message.payload[0]))
            assert message.headers["eta"] is None
        simple.close()
    return messages


def work(app: Celery) -> list[tuple[str, Any]]:
    """Do what the messages ask for, and return them; as a worker does."""
    done = take(app)
    for name, arguments in done:
        app.tasks[name](*arguments)
    return done


def point_at(app: Celery, server: socket.socket) -> None:
    """Let the app take this for its broker."""
    url = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
    app.conf.update(broker_url=url, broker_write_url=url)


def send(world: World, office: Office, text: str = TEXT) -> Any:
    with world.run_callbacks(execute=True):
        return office.send(text)


def test_an_accepted_file_is_one_message_with_numbers_only(world: World, office: Office, app: Celery) -> None:
    job = send(world, office)
    assert take(app) == [("program_enrollments.run_slice", [job.pk, 0])]


def test_messages_lead_to_the_end(world: World, office: Office, app: Celery) -> None:
    job = send(world, office)
    with world.run_callbacks(execute=True):
        work(app)
    with world.run_callbacks(execute=True):
        assert work(app) == [("program_enrollments.run_slice", [job.pk, 1])]
    assert take(app) == []
    job.refresh_from_db()
    assert (job.state, job.is_staged) == ("succeeded", False)


def test_a_doubled_message_does_nothing_and_sends_nothing(world: World, office: Office, app: Celery) -> None:
    job = send(world, office)
    take(app)
    with world.run_callbacks(execute=True):
        tasks.run_slice(job.pk, 0)
        tasks.run_slice(job.pk, 0)
    assert len(take(app)) == 1


def test_what_was_lost_is_found_by_the_next_look(world: World, office: Office, app: Celery) -> None:
    job = send(world, office)
    take(app)
    with world.run_callbacks(execute=True):
        tasks.do_periodic_work()
    assert take(app) == [("program_enrollments.run_slice", [job.pk, 0])]


def test_the_queue_is_a_setting(world: World, office: Office, app: Celery, settings: Any) -> None:
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "JOB_QUEUE": "enrollments"}
    send(world, office)
    assert take(app) == []
    assert len(take(app, "enrollments")) == 1


def test_eager_mode_sends_nothing(world: World, office: Office, app: Celery) -> None:
    app.conf.task_always_eager = True
    job = send(world, office)
    job.refresh_from_db()
    assert (job.state, take(app)) == ("pending", [])


def test_a_broker_that_is_down_fails_no_call(world: World, office: Office, app: Celery) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        point_at(app, unused)
        assert send(world, office).state == "pending"


def test_a_broker_that_says_nothing_is_waited_for_two_seconds(world: World, office: Office, app: Celery) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        point_at(app, silent)
        started = time.monotonic()
        assert send(world, office).state == "pending"
        assert time.monotonic() - started < 3


def test_a_webhook_message_is_delivered_by_a_worker(
    app: Celery, world: World, endpoint: api.EndpointSecret, receiver: Receiver
) -> None:
    with world.run_callbacks(execute=True):
        freeze(world)

    assert [name for name, _arguments in work(app)] == ["program_enrollments.deliver_webhooks"]
    assert receiver.events() == ["grades.frozen"]


def test_a_lost_webhook_message_is_delivered_by_the_periodic_work(
    app: Celery, world: World, endpoint: api.EndpointSecret, receiver: Receiver
) -> None:
    freeze(world)

    tasks.do_periodic_work()

    assert receiver.events() == ["grades.frozen"]


def test_dropped_files_are_collected_in_a_task_of_their_own(
    app: Celery, world: World, feed_storage: Callable[..., Path]
) -> None:
    folder = Folder(feed_storage(), world.school, world.program)
    folder.add_feed()
    folder.drop("nightly.csv")

    tasks.do_periodic_work()
    with world.run_callbacks(execute=True):
        assert work(app) == [("program_enrollments.collect_feeds", [])]

    ((name, _arguments),) = take(app)
    assert name == "program_enrollments.run_slice"
    assert folder.names() == []
    # Looked at just now.
    tasks.do_periodic_work()
    assert ("program_enrollments.collect_feeds", []) not in take(app)


def test_contacts_are_mailed_in_a_task_of_their_own(app: Celery, world: World, office: Office) -> None:
    nobody = api.access_of(user=None)
    api.add_contact(access=nobody, school=world.school, email="office@uni-a.example", now=timezone.now())
    office.run("student_key,status\nA-1,enroled\n")

    tasks.do_periodic_work()

    assert work(app) == [("program_enrollments.deliver_mails", [])]
    assert [letter.to for letter in mail.outbox] == [["office@uni-a.example"]]
    tasks.do_periodic_work()
    assert take(app) == []
