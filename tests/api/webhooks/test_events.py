"""What a school's software is told, and when."""

from __future__ import annotations

import json
from datetime import timedelta

from django.db import transaction

from program_enrollments import api
from program_enrollments.data import Origin, Source
from program_enrollments.models import Learner, WebhookMessage
from tests.api.conftest import World
from tests.api.grade_freezes import freeze, reopen
from tests.api.jobs.conftest import Office, office
from tests.api.webhooks.conftest import deliver
from tests.api.webhooks.receivers import Receiver
from tests.factories.enrollment import SchoolFactory
from tests.factories.host import UserFactory

__all__ = ["office"]

WRONG_FILE = Origin(source=Source.API.value, reason="Wrong file")
FILE = "student_key,status\nA-1,enrolled\nA-2,enrolled\n"


def test_a_program_with_changes_is_named_with_the_cursor_that_reads_on(
    world: World, endpoint: api.EndpointSecret, receiver: Receiver
) -> None:
    world.write_program(("S-1", "enrolled"))

    deliver()

    (message,) = receiver.received
    assert message.event == "changes.available"
    data = message.body["data"]
    assert (data["school"], data["program"]) == ("uni-a", str(world.program.uuid))
    world.write_program(("S-2", "enrolled"))
    page = api.fetch_changes(program=world.program, after=data["cursor"], page_size=10)
    assert [row["student_key"] for row in page.rows] == ["S-2"]


def test_many_changes_within_ten_seconds_are_one_message(
    world: World, endpoint: api.EndpointSecret, receiver: Receiver
) -> None:
    for number in range(5):
        world.write_program((f"S-{number}", "enrolled"))
        deliver()
    assert len(receiver.received) == 1

    deliver(after=timedelta(seconds=11))
    deliver(after=timedelta(seconds=30))

    assert receiver.events() == ["changes.available"] * 2


def test_a_file_that_ends_and_one_that_is_held(
    world: World, office: Office, endpoint: api.EndpointSecret, receiver: Receiver
) -> None:
    done = office.run(FILE)
    held = office.snapshot("student_key,status\n")

    deliver()

    jobs = [one.body for one in receiver.received if one.event.startswith("job.")]
    assert [(one["type"], one["data"]["job"], one["data"]["state"]) for one in jobs] == [
        ("job.finished", done.pk, "succeeded"),
        ("job.held", held.pk, "held"),
    ]


def test_a_job_that_fails_or_is_canceled_has_finished_too(
    world: World, office: Office, endpoint: api.EndpointSecret, receiver: Receiver
) -> None:
    failed = office.run('student_key,status\n"A-1,enrolled\n')
    waiting = office.send(FILE)
    api.cancel_job(job=waiting, origin=WRONG_FILE)

    deliver()

    ended = [(one.body["data"]["job"], one.body["data"]["state"]) for one in receiver.received]
    assert ended == [(failed.pk, "failed"), (waiting.pk, "canceled")]


def test_grades_that_are_frozen_and_reopened(world: World, endpoint: api.EndpointSecret, receiver: Receiver) -> None:
    freeze(world)
    reopen(world)

    deliver()

    assert receiver.events() == ["grades.frozen", "grades.reopened"]
    assert receiver.received[0].body["data"] == {
        "school": "uni-a",
        "program": str(world.program.uuid),
        "course_id": world.course_run.course_id,
        "version": 1,
    }


def test_a_conflict_names_the_student_id_and_no_address(
    world: World, endpoint: api.EndpointSecret, receiver: Receiver
) -> None:
    world.write_program(("S-1", "enrolled"))
    world.sign_on("S-1")
    world.sign_on("S-1", user=UserFactory(), provider="saml")

    deliver()

    (conflict,) = [one for one in receiver.received if one.event == "learner.conflict"]
    assert conflict.body["data"] == {"school": "uni-a", "student_key": "S-1"}


def test_another_schools_endpoint_hears_nothing(world: World, endpoint: api.EndpointSecret, receiver: Receiver) -> None:
    other = SchoolFactory(key="uni-b")
    type(endpoint.endpoint).objects.update(school=other)
    world.write_program(("S-1", "enrolled"))
    freeze(world)

    deliver()

    assert receiver.received == []


def test_what_is_rolled_back_is_never_told(world: World, endpoint: api.EndpointSecret, receiver: Receiver) -> None:
    with transaction.atomic():
        freeze(world)
        transaction.set_rollback(True)

    deliver()

    assert receiver.received == []


def test_no_message_has_names_addresses_or_grades(
    world: World, office: Office, endpoint: api.EndpointSecret, receiver: Receiver
) -> None:
    office.run("student_key,email,status\nA-1,ada@uni-a.example,enrolled\n")
    world.sign_on("A-1", user=UserFactory(username="ada.lovelace"))
    freeze(world)

    deliver()

    sent = json.dumps([one.body for one in receiver.received])
    assert receiver.received
    for secret in ("ada@uni-a.example", "ada.lovelace", "letter_grade", "enrolled"):
        assert secret not in sent


def test_retiring_a_person_reaches_the_outbox(world: World, endpoint: api.EndpointSecret) -> None:
    world.write_program(("S-1", "enrolled"))
    world.sign_on("S-1")
    world.sign_on("S-1", user=UserFactory(), provider="saml")
    learner = Learner.objects.get(student_key="S-1")
    assert WebhookMessage.objects.filter(learner_id=learner.pk).exists()

    api.retire_learners(persons=api.Persons(learner_ids=[learner.pk]), origin=WRONG_FILE)

    assert not WebhookMessage.objects.filter(learner_id=learner.pk).exists()
