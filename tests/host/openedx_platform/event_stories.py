"""Events: ours, heard by a plug-in of the platform, and the platform's, after which something happens here."""

import pytest
from accounts_and_runs import make_account
from common.djangoapps.student.models import CourseEnrollment
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from opaque_keys.edx.keys import CourseKey
from openedx.core.djangoapps.user_api.accounts.signals import USER_RETIRE_LMS_MISC
from openedx_events.event_bus.avro.serializer import AvroSignalSerializer
from openedx_events.learning.data import UserData, UserPersonalData
from openedx_events.learning.signals import SESSION_LOGIN_COMPLETED, STUDENT_REGISTRATION_COMPLETED
from platform_stories import Gateway, add_run, compatible, gateway, program, register, row, seats, sign_on

from program_enrollments import api
from program_enrollments.data import Origin, ProgramEnrollmentRequest, Verb
from program_enrollments.models import Learner, LedgerEntry
from program_enrollments.platform_events import signals

__all__ = ["Gateway", "compatible", "gateway", "program"]

pytestmark = pytest.mark.django_db(transaction=True)

OURS = {
    "program changed": signals.PROGRAM_ENROLLMENT_CHANGED,
    "program realized": signals.PROGRAM_ENROLLMENT_REALIZED,
    "course changed": signals.COURSE_ENROLLMENT_CHANGED,
    "course realized": signals.COURSE_ENROLLMENT_REALIZED,
}


@pytest.fixture
def heard():
    """What a plug-in hears of our events, and whether it was in a transaction then."""
    told, receivers = [], []
    for name, event in OURS.items():

        def hear(name=name, **kwargs):
            told.append((name, kwargs["change"], transaction.get_connection().in_atomic_block))

        event.connect(hear, weak=False)
        receivers.append((event, hear))
    yield told
    for event, hear in receivers:
        event.disconnect(hear)


@pytest.fixture
def enrolled(program, gateway):
    """A student with an account and an active course enrollment."""
    course = add_run(program, "audit", "masters")
    path = f"programs/{program.uuid}/"
    gateway.send("POST", f"{path}enrollments/", [row("S-1", "enrolled")])
    gateway.send("POST", f"{path}courses/{course}/enrollments/", [row("S-1", "active")])
    browser = Client()
    user = register(browser, "sasha")
    sign_on(browser, "uni-idp:S-1")
    return user, course


def drift_of(gateway, program, key="S-1"):
    answer = gateway.send("GET", f"programs/{program.uuid}/learners/{key}/")[1]
    return [course["drift"] for course in answer["course_enrollments"]]


def drift_entries():
    return list(LedgerEntry.objects.filter(kind="seat_drift").values_list("before", "after", "source"))


def test_each_change_is_one_event_after_its_commit(program, gateway, heard):
    course = add_run(program, "masters")
    path = f"programs/{program.uuid}/"
    for _time in range(2):
        gateway.send("PUT", f"{path}enrollments/", [row("S-1", "enrolled")])
        gateway.send("PUT", f"{path}courses/{course}/enrollments/", [row("S-1", "active")])
    learner = Learner.objects.get()

    assert [(name, change.before, change.after, change.user_id) for name, change, _ in heard] == [
        ("program changed", None, "enrolled", None),
        ("course changed", None, "active", None),
    ]
    assert {(change.learner_id, change.program_uuid) for _, change, _ in heard} == {(learner.pk, str(program.uuid))}
    assert heard[1][1].course_id == course
    heard.clear()

    browser = Client()
    user = register(browser, "sasha")
    sign_on(browser, "uni-idp:S-1")

    assert [(name, change.user_id) for name, change, _ in heard] == [
        ("program realized", user.pk),
        ("course realized", user.pk),
    ]


def test_a_chunk_that_is_taken_back_and_a_dry_run_announce_nothing(program, gateway, heard):
    path = f"programs/{program.uuid}/enrollments/"
    gateway.send("POST", path, [row("S-1", "enrolled")], dry_run="true")
    assert heard == []

    with transaction.atomic():
        outcomes = api.write_program_enrollments(
            program=program,
            rows=[ProgramEnrollmentRequest("S-1", "S-1", "", "enrolled")],
            verb=Verb.CREATE,
            origin=Origin(source="command"),
        )
        assert [outcome.word for outcome in outcomes] == ["enrolled"]
        transaction.set_rollback(True)

    assert heard == []


def test_a_plug_in_that_raises_breaks_nothing(program, gateway):
    def fail(**kwargs):
        raise RuntimeError("The plug-in has a bug.")

    signals.PROGRAM_ENROLLMENT_CHANGED.connect(fail, weak=False)
    try:
        answer = gateway.send("POST", f"programs/{program.uuid}/enrollments/", [row("S-1", "enrolled")])
    finally:
        signals.PROGRAM_ENROLLMENT_CHANGED.disconnect(fail)

    assert answer == (200, {"S-1": "enrolled"})


def test_the_event_bus_can_carry_our_events():
    fields = {"learner_id": 1, "program_uuid": "u", "user_id": None, "before": None, "after": "enrolled"}
    for event in OURS.values():
        (kind,) = event.init_data.values()
        more = {"course_id": "c"} if kind is signals.CourseEnrollmentChange else {}
        change = kind(**fields, **more)
        assert AvroSignalSerializer(event).to_dict({"change": change})["change"]["after"] == "enrolled"


@pytest.mark.parametrize("event", [STUDENT_REGISTRATION_COMPLETED, SESSION_LOGIN_COMPLETED])
def test_a_registration_and_a_login_realize_what_waits_for_a_confirmed_address(program, gateway, event):
    course = add_run(program, "masters")
    path = f"programs/{program.uuid}/"
    gateway.send("POST", f"{path}enrollments/", [{"email": "sasha@uni.example", "status": "enrolled"}])
    user = make_account(email="sasha@uni.example", is_active=False)
    rows = [{"email": "sasha@uni.example", "status": "active"}]
    gateway.send("POST", f"{path}courses/{course}/enrollments/", rows)
    # A command of the platform that saves nobody: no receiver of ours runs.
    User.objects.filter(pk=user.pk).update(is_active=True)
    assert seats() == set()

    pii = UserPersonalData(username=user.username, email=user.email, name="Sasha")
    event.send_event(user=UserData(id=user.pk, is_active=True, pii=pii))

    assert seats() == {(user.username, "masters", True)}


def test_a_seat_that_the_course_team_removed_shows_and_is_repaired_by_the_next_write(program, gateway, enrolled):
    user, course = enrolled
    assert (drift_of(gateway, program), drift_entries()) == ([False], [])

    CourseEnrollment.unenroll(user, CourseKey.from_string(course))

    assert drift_of(gateway, program) == [True]
    assert drift_entries() == [("active", "inactive", "host")]
    feed = gateway.send("GET", f"programs/{program.uuid}/changes/")[1]["results"]
    assert (feed[-1]["kind"], feed[-1]["course_id"]) == ("seat_drift", course)

    assert (
        gateway.send("PUT", f"programs/{program.uuid}/courses/{course}/enrollments/", [row("S-1", "active")])[0] == 200
    )
    assert (drift_of(gateway, program), seats()) == ([False], {("sasha", "masters", True)})
    assert len(drift_entries()) == 1, "what this app writes itself is no drift"


def test_the_same_drift_is_recorded_once_and_another_one_again(program, gateway, enrolled):
    seat = CourseEnrollment.objects.get()
    seat.update_enrollment(mode="audit")
    seat.update_enrollment(is_active=False)
    seat.update_enrollment(mode="honor")

    assert drift_entries() == [("active", "inactive", "host"), ("active", "audit", "host")]


def test_a_change_that_is_taken_back_and_seats_of_others_are_no_drift(program, gateway, enrolled):
    user, course = enrolled
    with transaction.atomic():
        CourseEnrollment.unenroll(user, CourseKey.from_string(course))
        transaction.set_rollback(True)
    stranger = make_account()
    CourseEnrollment.enroll(stranger, CourseKey.from_string(course), mode="audit")
    CourseEnrollment.unenroll(stranger, CourseKey.from_string(course))
    CourseEnrollment.objects.get(user=user).update_enrollment(mode="verified")

    assert drift_entries() == []


def test_a_person_who_is_retired_on_the_platform_is_retired_here(program, gateway, enrolled):
    user, _course = enrolled

    USER_RETIRE_LMS_MISC.send(sender=None, user=user)

    learner = Learner.objects.get()
    assert (learner.user_id, learner.student_key.startswith("retired-")) == (None, True)
    assert not LedgerEntry.objects.filter(student_key="S-1").exists()


def test_a_retirement_that_is_refused_here_does_not_break_the_platforms(program, gateway, enrolled, settings):
    user, _course = enrolled
    settings.OPEN_EDX_FILTERS_CONFIG = {
        "org.openedx.learning.course.unenrollment.started.v1": {
            "fail_silently": False,
            "pipeline": ["filter_steps.ThesisIsOpen"],
        }
    }

    USER_RETIRE_LMS_MISC.send(sender=None, user=user)

    assert Learner.objects.get().user_id == user.pk, "the sweep and retire_learners see it as before"
