"""Retiring a person: nothing says who they were, everything that happened is still there, and nobody becomes them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, models, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from demo_lms.models import CourseAccessRole, CourseEnrollment
from program_enrollments import api
from program_enrollments.data import (
    ChangeKind,
    EnrollmentFilters,
    Origin,
    ProgramEnrollmentRequest,
    Source,
    Verb,
)
from program_enrollments.exceptions import LinkRefused
from program_enrollments.models import (
    FrozenGrade,
    GradeFreeze,
    KeptAnswer,
    Learner,
    LedgerEntry,
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
    ProgramCourseEnrollment,
    ProgramEnrollment,
)
from tests.api import failing_hosts
from tests.api.conftest import ORIGIN, World
from tests.factories.enrollment import LearnerFactory, LinkedLearnerFactory, SchoolFactory
from tests.factories.host import UserFactory

COMMAND = Origin(source=Source.COMMAND.value, reason="Request 4711")
SECRETS = ("S-4711", "s-4711", "Ann.Lee@uni-a.example", "ann.lee@uni-a.example", "ann@old.example")
NOW = datetime(2026, 9, 1, tzinfo=UTC)


def retire(*learners: Learner, **options: Any) -> api.RetiringReport:
    return api.retire_learners(
        persons=api.Persons(learner_ids=[learner.pk for learner in learners]), origin=COMMAND, **options
    )


def everything_stored() -> Iterator[tuple[str, str]]:
    """Yield each text and document stored in any table of the app, with where it stands."""
    for model in apps.get_app_config("university_enrollments").get_models():
        columns = [
            field.name
            for field in model._meta.concrete_fields
            if isinstance(field, (models.CharField, models.TextField, models.JSONField, models.BinaryField))
        ]
        for row in model._default_manager.values("pk", *columns):
            for column in columns:
                value = row[column]
                yield f"{model.__name__}.{column}", str(bytes(value) if isinstance(value, memoryview) else value)


def places_that_tell() -> set[str]:
    return {place for place, text in everything_stored() if any(secret in text for secret in SECRETS)}


@pytest.fixture
def ann(world: World) -> Learner:
    """A learner with everything that a learner can leave behind."""
    world.write_program(("Ann.Lee@uni-a.example", "enrolled"))
    world.write_program(("S-4711", "pending"))
    world.write_course(("S-4711", "active", True))
    account = world.sign_on("S-4711", user=UserFactory(username="ann"))
    world.confirm_email(account, "Ann.Lee@uni-a.example")
    for email in ("ann@old.example", "Ann.Lee@uni-a.example"):
        row = ProgramEnrollmentRequest("S-4711", "S-4711", email, "enrolled")
        api.write_program_enrollments(program=world.program, rows=[row], verb=Verb.UPSERT, origin=ORIGIN)
    learner = Learner.objects.get(user=account)
    assert (learner.student_key, learner.email) == ("S-4711", "Ann.Lee@uni-a.example")
    api.unlink_learner(learner_id=learner.pk, origin=Origin(source=Source.STAFF.value, reason="S-4711 asked for it"))
    api.link_learner(learner_id=learner.pk, user_id=account.pk, origin=ORIGIN)
    origin = Origin(source=Source.API.value, reason="Board of examiners")
    api.freeze_grades(program=world.program, course_run=world.course_run, origin=origin)
    KeptAnswer.objects.create(
        user=UserFactory(),
        key="monday",
        school=world.school,
        fingerprint="0" * 64,
        started_at=timezone.now(),
        expires_at=timezone.now(),
        status=200,
        content=json.dumps({"S-4711": "enrolled"}).encode(),
    )
    return learner


def test_the_fixture_leaves_something_everywhere(ann: Learner) -> None:
    assert places_that_tell() >= {
        "Learner.student_key",
        "Learner.student_key_normalized",
        "Learner.email",
        "Learner.email_normalized",
        "LedgerEntry.student_key",
        "LedgerEntry.after",
        "LedgerEntry.reason",
        "FrozenGrade.student_key",
        "KeptAnswer.content",
    }
    assert LedgerEntry.objects.filter(kind=ChangeKind.MERGE).exists()


def test_nothing_stored_tells_who_it_was(ann: Learner) -> None:
    report = retire(ann)

    assert (report.retired, report.is_complete) == ([ann.pk], True)
    assert places_that_tell() == set()


def test_everything_speaks_of_one_pseudonym(ann: Learner) -> None:
    retire(ann, now=NOW)

    ann.refresh_from_db()
    assert ann.student_key.startswith("retired-")
    assert (ann.email, ann.user, ann.link_how, ann.retired_at) == ("", None, "", NOW)
    assert set(LedgerEntry.objects.values_list("student_key", flat=True)) == {ann.student_key}
    assert FrozenGrade.objects.get().student_key == ann.student_key


def test_the_account_is_no_longer_told_but_that_there_was_one_is(ann: Learner) -> None:
    retire(ann)

    links = LedgerEntry.objects.filter(kind=ChangeKind.LINK).order_by("pk").values_list("before", "after")
    assert set(links) <= {
        (None, "sso"),
        (None, "email"),
        ("sso", None),
        ("email", None),
        ("staff", None),
        (None, "staff"),
    }
    assert len(links) >= 4


def test_what_happened_stays_and_retiring_is_part_of_it(ann: Learner) -> None:
    before = LedgerEntry.objects.order_by("pk").values_list("pk", "program_id", "position", "kind", "at")
    stored = list(before)

    retire(ann, now=NOW)

    assert list(before)[: len(stored)] == stored
    last = LedgerEntry.objects.latest("pk")
    assert (last.kind, last.learner_id, last.at, last.reason) == (ChangeKind.RETIRED, ann.pk, NOW, "Request 4711")
    assert (last.before, last.after) == (None, last.student_key)


def test_enrollments_stay_as_promises_that_nobody_can_redeem(ann: Learner, world: World) -> None:
    retire(ann)

    assert not ProgramEnrollment.objects.exists()
    assert not ProgramCourseEnrollment.objects.exists()
    assert PreemptiveProgramEnrollment.objects.get().learner == ann
    assert PreemptiveCourseEnrollment.objects.get().learner == ann
    assert api.sweep().found == 0


def test_exports_still_work(ann: Learner, world: World) -> None:
    retire(ann)
    ann.refresh_from_db()

    page = api.fetch_program_enrollments(program=world.program, filters=EnrollmentFilters(), cursor=None, page_size=100)
    (row,) = page.rows
    assert (row["student_key"], row["account_exists"], row["username"], row["email"]) == (
        ann.student_key,
        False,
        "",
        "",
    )
    changes = api.fetch_changes(program=world.program, after=None, page_size=1000)
    assert {change["student_key"] for change in changes.rows} == {ann.student_key}
    frozen = api.get_freeze(program=world.program, course_run=world.course_run, version=1)
    assert [row["student_key"] for row in frozen.rows()] == [ann.student_key]
    assert GradeFreeze.objects.get().retired == 1


def test_what_was_given_is_taken_back(ann: Learner) -> None:
    account = User.objects.get(username="ann")
    assert CourseAccessRole.objects.filter(user=account).exists()

    retire(ann)

    assert not CourseEnrollment.objects.get(user=account).is_active
    assert not CourseAccessRole.objects.filter(user=account).exists()


def test_what_was_given_can_be_left(ann: Learner) -> None:
    account = User.objects.get(username="ann")

    retire(ann, keep_seats=True)

    assert CourseEnrollment.objects.get(user=account).is_active
    assert CourseAccessRole.objects.filter(user=account).exists()
    assert places_that_tell() == set()


def test_whoever_signs_on_again_is_somebody_new(ann: Learner, world: World) -> None:
    account = User.objects.get(username="ann")
    retire(ann)

    world.sign_on("S-4711", user=account)

    ann.refresh_from_db()
    new = Learner.objects.get(user=account)
    assert new.pk != ann.pk
    assert (new.student_key, new.problem_code) == ("S-4711", "")
    assert (ann.user, ann.problem_code) == (None, "")
    assert not ProgramEnrollment.objects.exists()


def test_whoever_is_enrolled_again_is_somebody_new(ann: Learner, world: World) -> None:
    account = User.objects.get(username="ann")
    retire(ann)

    world.write_program(("S-4711", "enrolled"))

    assert not ProgramEnrollment.objects.exists(), "the account signs on as this student no more"
    world.sign_on("S-4711", user=account)
    assert ProgramEnrollment.objects.get().learner.user == account
    assert ProgramEnrollment.objects.get().learner_id != ann.pk
    assert PreemptiveProgramEnrollment.objects.get().learner_id == ann.pk


def test_a_confirmed_address_does_not_lead_back(ann: Learner, world: World) -> None:
    retire(ann)

    world.confirm_email(User.objects.get(username="ann"), "Ann.Lee@uni-a.example")

    ann.refresh_from_db()
    assert ann.user is None


def test_nobody_is_linked_to_a_retired_learner_by_hand(ann: Learner) -> None:
    retire(ann)

    with pytest.raises(LinkRefused, match="retired"):
        api.link_learner(learner_id=ann.pk, user_id=UserFactory().pk, origin=COMMAND)


@pytest.mark.parametrize(
    "values", [{"user": True}, {"email": "ann@uni-a.example", "email_normalized": "ann@uni-a.example"}]
)
def test_the_database_keeps_a_retired_learner_nobody(values: dict[str, Any], ann: Learner) -> None:
    retire(ann)
    if "user" in values:
        values = {"user": UserFactory()}

    with pytest.raises(IntegrityError), transaction.atomic():
        Learner.objects.filter(pk=ann.pk).update(**values)


def test_retiring_twice_changes_nothing_more(ann: Learner) -> None:
    retire(ann)
    stored = sorted(everything_stored())

    report = retire(ann)

    assert (report.retired, report.retired_before, report.is_complete) == ([], [ann.pk], True)
    assert sorted(everything_stored()) == stored


def test_others_stay_as_they_are(ann: Learner, world: World) -> None:
    world.write_program(("S-1", "enrolled"))
    world.sign_on("S-1")
    bob = Learner.objects.filter(student_key="S-1")
    before = bob.values().get()

    retire(ann)

    assert bob.values().get() == before
    assert LedgerEntry.objects.filter(learner=bob.get(), student_key="S-1", reason="").exists()
    assert ProgramEnrollment.objects.filter(learner=bob.get()).exists()


def test_answers_kept_for_other_schools_and_for_running_requests_stay(ann: Learner, world: World) -> None:
    answer = KeptAnswer.objects.get()
    for key, school, status in (("other", SchoolFactory(), 200), ("running", world.school, None)):
        answer.pk, answer.key, answer.school, answer.status, answer.content = None, key, school, status, b""
        answer.save()

    retire(ann)

    assert set(KeptAnswer.objects.values_list("key", flat=True)) == {"other", "running"}


def test_found_by_student_id_in_any_spelling_at_one_school_only(world: World) -> None:
    here = LearnerFactory(school=world.school, student_key="Mü-1")
    LearnerFactory(student_key="Mü-1")

    report = api.retire_learners(
        persons=api.Persons(school_key="uni-a", student_keys=[" MU\N{COMBINING DIAERESIS}-1 "]), origin=COMMAND
    )

    assert report.retired == [here.pk]
    assert Learner.objects.filter(student_key="Mü-1").count() == 1


def test_found_by_account_at_every_school_and_by_address(world: World) -> None:
    account = UserFactory()
    by_account = {LinkedLearnerFactory(user=account).pk, LinkedLearnerFactory(user=account).pk}
    by_address = LearnerFactory(school=world.school, student_key="", email="Bob@uni-a.example").pk

    assert set(api.retire_learners(persons=api.Persons(user_ids=[account.pk]), origin=COMMAND).retired) == by_account
    persons = api.Persons(school_key="uni-a", emails=["BOB@uni-a.example"])
    assert api.retire_learners(persons=persons, origin=COMMAND).retired == [by_address]


@pytest.mark.parametrize(
    "persons",
    [
        api.Persons(learner_ids=[404]),
        api.Persons(user_ids=[404]),
        api.Persons(school_key="uni-a", student_keys=["nobody"]),
        api.Persons(school_key="uni-a", emails=["nobody@uni-a.example"]),
        api.Persons(school_key="nowhere", student_keys=["S-1"]),
        api.Persons(school_key="uni-a", student_keys=["s-1\x00"]),
    ],
    ids=["learner", "account", "student ID", "address", "school", "nonsense"],
)
def test_who_is_not_found_is_counted(persons: api.Persons, world: World) -> None:
    report = api.retire_learners(persons=persons, origin=COMMAND)

    assert (report.retired, report.unknown, report.is_complete) == ([], 1, False)


def test_a_host_that_keeps_a_seat_keeps_the_person_and_nobody_else(
    ann: Learner, world: World, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    bob = LearnerFactory(school=world.school, student_key="S-1")
    adapter = failing_hosts.UnreachableHost
    settings.PROGRAM_ENROLLMENTS = {
        **settings.PROGRAM_ENROLLMENTS,
        "HOST": f"{adapter.__module__}.{adapter.__qualname__}",
    }

    with caplog.at_level(logging.ERROR):
        report = retire(ann, bob)

    assert (report.retired, report.refused, report.is_complete) == ([bob.pk], [ann.pk], False)
    ann.refresh_from_db()
    assert (ann.student_key, ann.retired_at) == ("S-4711", None)
    assert ProgramCourseEnrollment.objects.filter(learner=ann).exists()
    assert not any(secret in caplog.text for secret in SECRETS)
    assert retire(ann, keep_seats=True).retired == [ann.pk]


def test_a_long_history_costs_no_more_statements(world: World) -> None:
    def learner_with(entries: int) -> Learner:
        learner = LearnerFactory(school=world.school)
        LedgerEntry.objects.bulk_create(
            LedgerEntry(
                at=NOW,
                learner=learner,
                student_key=learner.student_key,
                kind=ChangeKind.STUDENT_KEY,
                after=learner.student_key,
                source="api",
            )
            for _ in range(entries)
        )
        return learner

    def statements(learner: Learner) -> int:
        with CaptureQueriesContext(connection) as captured:
            retire(learner)
        return len(captured)

    assert statements(learner_with(500)) == statements(learner_with(5))
