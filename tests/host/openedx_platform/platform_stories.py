"""Whole stories on the platform: requests in transactions of their own, promises, sign-ons, registrar gateways."""

import json
import uuid

import pytest
from accounts_and_runs import make_account, make_run
from common.djangoapps.course_modes.models import CourseMode
from common.djangoapps.student.models import CourseEnrollment
from common.djangoapps.student.signals import ENROLL_STATUS_CHANGE
from django.apps import apps
from django.conf import settings as platform_settings
from django.contrib.auth.models import Permission, User
from django.core import checks
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client
from edx_rest_framework_extensions.auth.jwt.tests.utils import (
    generate_asymmetric_jwt_token,
    generate_latest_version_payload,
)
from lms import APP
from lms.djangoapps.courseware.models import StudentModule
from lms.djangoapps.grades.course_grade_factory import EARNED
from opaque_keys.edx.keys import CourseKey

from program_enrollments.models import (
    CourseRun,
    Curriculum,
    IdentityProvider,
    Learner,
    PreemptiveCourseEnrollment,
    Program,
    ProgramCourseEnrollment,
    School,
)

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = "/api/program_enrollments/v1/"


@pytest.fixture(autouse=True)
def compatible(settings):
    """The operator's one setting."""
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "COMPATIBLE_ROOT": True, "THROTTLE_RATE": None}


@pytest.fixture
def program():
    school = School.objects.create(key="uni", name="University")
    IdentityProvider.objects.create(school=school, slug="uni-idp", name="University")
    program = Program.objects.create(uuid=uuid.uuid4(), school=school, key="mcs", title="MCS", type="Masters")
    Curriculum.objects.create(uuid=uuid.uuid4(), program=program, name="2026", is_active=True)
    return program


def add_run(program, *modes):
    course = make_run(*modes)
    run = CourseRun.objects.create(course_id=course, title="Course")
    program.curricula.get().course_runs.add(run)
    return course


def make_jwt(user):
    """Return the token that the platform gives to this user's client."""
    return generate_asymmetric_jwt_token(generate_latest_version_payload(user))


class Gateway:
    """A registrar gateway: it knows the compatible paths and sends a JWT."""

    def __init__(self, username="registrar"):
        self.user = make_account(name=username)
        self.user.user_permissions.add(Permission.objects.get(codename="act_for_all_schools"))
        self.client = Client(headers={"Authorization": f"JWT {make_jwt(self.user)}"})

    def send(self, method, path, rows=None, **query):
        answer = self.client.generic(
            method,
            ROOT + path,
            b"" if rows is None else json.dumps(rows).encode(),
            content_type="application/json",
            query_params=query,
        )
        return answer.status_code, answer.json()


@pytest.fixture
def gateway():
    return Gateway()


@pytest.fixture
def on_enrolling():
    """Call something for each seat that is announced."""
    connected = []

    def connect(receiver):
        ENROLL_STATUS_CHANGE.connect(receiver, weak=False)
        connected.append(receiver)

    yield connect
    for receiver in connected:
        ENROLL_STATUS_CHANGE.disconnect(receiver)


def row(student_key, status, **more):
    return {"student_key": student_key, "status": status, **more}


def register(browser, username, email=""):
    assert browser.post("/register", {"username": username, "email": email}).status_code == 200
    return User.objects.get(username=username)


def sign_on(browser, uid):
    answer = browser.post("/auth/complete/tpa-saml/", {"uid": uid})
    assert answer.content == b"signed on"


def seats():
    return set(CourseEnrollment.objects.values_list("user__username", "mode", "is_active"))


def test_the_platform_is_configured_as_it_should_be():
    database = platform_settings.DATABASES["default"]
    assert (database["ATOMIC_REQUESTS"], database["CONN_MAX_AGE"]) == (True, 0)
    if connection.vendor == "mysql":
        with connection.cursor() as cursor:
            level = "tx_isolation" if connection.mysql_is_mariadb else "transaction_isolation"
            cursor.execute(f"SELECT @@SESSION.{level}, @@character_set_connection, @@collation_database")
            assert cursor.fetchone() == ("READ-COMMITTED", "utf8mb4", "utf8mb4_unicode_ci")
    assert apps.is_installed("lms.djangoapps.program_enrollments")
    package = apps.get_app_config("university_enrollments").path
    assert package.endswith("ours/program_enrollments"), "the package is the wheel's"


def test_what_was_promised_is_real_after_the_first_sign_on(program, gateway):
    course = add_run(program, "audit", "masters")
    path = f"programs/{program.uuid}/"
    assert gateway.send("POST", f"{path}enrollments/", [row("S:1", "enrolled")]) == (200, {"S:1": "enrolled"})
    rows = [row("S:1", "active", course_staff=True)]
    assert gateway.send("POST", f"{path}courses/{course}/enrollments/", rows) == (200, {"S:1": "active"})
    listed = gateway.send("GET", f"{path}courses/{course}/enrollments/")[1]["results"]
    assert [(each["student_key"], each["account_exists"]) for each in listed] == [("S:1", False)]

    browser = Client()
    user = register(browser, "sasha", "sasha@home.example")
    assert seats() == set()
    sign_on(browser, "uni-idp:S:1")

    assert seats() == {("sasha", "masters", True)}
    assert Learner.objects.get().user_id == user.pk
    assert not PreemptiveCourseEnrollment.objects.exists()
    listed = gateway.send("GET", f"{path}courses/{course}/enrollments/")[1]["results"]
    assert [(each["account_exists"], each["course_staff"]) for each in listed] == [(True, True)]


def test_a_promise_to_an_address_is_real_once_the_account_is_active(program, gateway):
    course = add_run(program, "masters")
    rows = [{"email": "Sasha@uni.example", "status": "enrolled"}]
    gateway.send("POST", f"programs/{program.uuid}/enrollments/", rows)
    rows = [{"email": "sasha@uni.example", "status": "active"}]
    assert gateway.send("POST", f"programs/{program.uuid}/courses/{course}/enrollments/", rows)[0] == 200

    register(Client(), "sasha", "sasha@UNI.example")

    assert seats() == {("sasha", "masters", True)}


def test_a_refusal_at_the_sign_on_does_not_break_it_and_is_tried_again(program, gateway, settings):
    course, fine = add_run(program, "masters"), add_run(program, "masters")
    gateway.send("POST", f"programs/{program.uuid}/enrollments/", [row("S-1", "enrolled")])
    for each in (course, fine):
        gateway.send("POST", f"programs/{program.uuid}/courses/{each}/enrollments/", [row("S-1", "active")])
    CourseMode.objects.filter(course_id=CourseKey.from_string(course)).delete()
    browser = Client()
    register(browser, "sasha")

    sign_on(browser, "uni-idp:S-1")

    assert str(CourseEnrollment.objects.get().course_id) == fine
    waiting = PreemptiveCourseEnrollment.objects.get()
    assert (waiting.course_run.course_id, waiting.problem_code) == (course, "course_mode_missing")

    CourseMode.objects.create(course_id=CourseKey.from_string(course), mode_slug="masters")
    call_command("sweep_enrollments", verbosity=0)

    assert not PreemptiveCourseEnrollment.objects.exists()
    assert CourseEnrollment.objects.filter(mode="masters", is_active=True).count() == 2


def test_a_refused_row_of_a_write_says_why_and_the_others_go_through(program, gateway, settings):
    settings.OPEN_EDX_FILTERS_CONFIG = {
        "org.openedx.learning.course.enrollment.started.v1": {
            "fail_silently": False,
            "pipeline": ["filter_steps.FeesAreOpen"],
        }
    }
    course = add_run(program, "masters")
    path = f"programs/{program.uuid}/"
    gateway.send("POST", f"{path}enrollments/", [row("S-1", "enrolled"), row("S-2", "enrolled")])
    for name, key in (("debtor", "S-1"), ("payer", "S-2")):
        browser = Client()
        user = register(browser, name)
        sign_on(browser, f"uni-idp:{key}")
        user.profile.name = name.title()
        user.profile.save()

    status, answer = gateway.send(
        "PUT", f"{path}courses/{course}/enrollments/", [row("S-1", "active"), row("S-2", "active")], detail="true"
    )

    assert status in {200, 207}
    told = {each["key"]: (each["word"], each["detail"]) for each in answer}
    assert told["S-2"] == ("active", "")
    assert "Fees of the semester are open." in told["S-1"][1]
    assert seats() == {("payer", "masters", True)}


def test_chunks_commit_by_themselves_although_requests_are_atomic(program, gateway, settings, on_enrolling):
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "CHUNK_SIZE": 2}
    course = add_run(program, "masters")
    path, keys = f"programs/{program.uuid}/", [f"S-{number}" for number in range(5)]
    gateway.send("POST", f"{path}enrollments/", [row(key, "enrolled") for key in keys])
    for key in keys:
        browser = Client()
        register(browser, key)
        sign_on(browser, f"uni-idp:{key}")
    seen = []

    def watch(*, event, user, **kwargs):
        seen.append(event)
        transaction.on_commit(lambda: seen.append("commit"))

    on_enrolling(watch)

    answer = gateway.send("PUT", f"{path}courses/{course}/enrollments/", [row(key, "active") for key in keys])

    assert answer == (200, dict.fromkeys(keys, "active"))
    two = ["enroll", "enroll", "commit", "commit"]
    assert seen == [*two, *two, "enroll", "commit"]


def test_a_receiver_that_raises_after_the_commit_changes_no_answer_and_loses_no_work(program, gateway, on_enrolling):
    course = add_run(program, "masters")
    path = f"programs/{program.uuid}/"
    gateway.send("POST", f"{path}enrollments/", [row("S-1", "enrolled"), row("S-2", "enrolled")])
    gateway.send("POST", f"{path}courses/{course}/enrollments/", [row("S-1", "active")])

    def announce(**kwargs):
        def publish():
            raise ConnectionError("The broker is away.")

        transaction.on_commit(publish)

    on_enrolling(announce)
    browser = Client()
    register(browser, "sasha")
    sign_on(browser, "uni-idp:S-1")
    other = Client()
    register(other, "other")
    sign_on(other, "uni-idp:S-2")

    answer = gateway.send("PUT", f"{path}courses/{course}/enrollments/", [row("S-1", "active"), row("S-2", "active")])

    assert answer == (200, {"S-1": "active", "S-2": "active"})
    assert seats() == {("sasha", "masters", True), ("other", "masters", True)}
    assert ProgramCourseEnrollment.objects.count() == 2


def test_the_api_takes_the_platforms_tokens_and_no_others(program, gateway):
    path = f"{ROOT}programs/"
    active, sleeping = gateway.user, make_account(is_active=False)
    sleeping.user_permissions.add(Permission.objects.get(codename="act_for_all_schools"))

    def status(authorization):
        return Client(headers={"Authorization": authorization}).get(path).status_code

    assert status(f"JWT {make_jwt(active)}") == 200
    assert status(f"Bearer {active.username}") == 200
    assert status(f"JWT {make_jwt(active)[:-4]}AAAA") == 401
    assert status(f"JWT {make_jwt(sleeping)}") == 401
    assert status(f"Bearer {sleeping.username}") == 401
    assert status("Bearer nobody") == 401
    assert Client().get(path).status_code == 401


def test_grades_are_those_that_the_platform_has_stored(program, gateway):
    grades = apps.get_model("grades.PersistentCourseGrade").objects
    course = add_run(program, "masters")
    path = f"programs/{program.uuid}/"
    keys = ["S-1", "S-2", "S-3"]
    gateway.send("POST", f"{path}enrollments/", [row(key, "enrolled") for key in keys])
    gateway.send("POST", f"{path}courses/{course}/enrollments/", [row(key, "active") for key in keys])
    for key, letter, percent in (("S-1", "A", 0.93), ("S-2", "", 0.2), ("S-3", None, None)):
        browser = Client()
        user = register(browser, key)
        sign_on(browser, f"uni-idp:{key}")
        if letter is not None:
            grades.create(
                user_id=user.pk, course_id=CourseKey.from_string(course), letter_grade=letter, percent_grade=percent
            )

    status, answer = gateway.send("GET", f"{path}courses/{course}/grades/")

    rows = {each.pop("student_key"): each for each in answer["results"]}
    assert status == 207
    assert rows["S-1"] == {"letter_grade": "A", "percent": 0.93, "passed": True}
    assert rows["S-2"] == {"letter_grade": None, "percent": 0.2, "passed": False}
    assert set(rows["S-3"]) == {"error"}


def test_missing_grades_are_computed_by_the_command_alone(program, gateway, capsys):
    course = add_run(program, "masters")
    path, key = f"programs/{program.uuid}/", CourseKey.from_string(course)
    names = ["S-1", "S-2", "S-3", "S-4"]
    gateway.send("POST", f"{path}enrollments/", [row(name, "enrolled") for name in names])
    gateway.send("POST", f"{path}courses/{course}/enrollments/", [row(name, "active") for name in names])
    users = {}
    for name in names:
        browser = Client()
        users[name] = register(browser, name)
        sign_on(browser, f"uni-idp:{name}")
        if name != "S-4":
            block = key.make_usage_key("problem", name)
            StudentModule.objects.create(student=users[name], course_id=key, module_state_key=block)
    stored = apps.get_model("grades.PersistentCourseGrade").objects
    stored.create(user_id=users["S-2"].pk, course_id=key, letter_grade="", percent_grade=0.5)
    EARNED.clear()
    EARNED.update({users["S-1"].pk: 0.95, users["S-3"].pk: ValueError("The block is broken.")})

    assert gateway.send("GET", f"{path}courses/{course}/grades/")[0] == 207
    assert stored.count() == 1, "a request computes nothing"
    call_command("compute_platform_grades", dry_run=True)
    call_command("compute_platform_grades", course=["course-v1:Other+1+1"])
    assert stored.count() == 1

    with pytest.raises(CommandError, match="1 grades could not be computed"):
        call_command("compute_platform_grades")

    printed = capsys.readouterr().out.splitlines()
    assert printed == ["Grades that would be computed: 2.", "Grades computed: 0.", "Grades computed: 1."]
    rows = gateway.send("GET", f"{path}courses/{course}/grades/")[1]["results"]
    assert {each["student_key"]: each.get("percent") for each in rows} == {
        "S-1": 0.95,
        "S-2": 0.5,
        "S-3": None,
        "S-4": None,
    }


def test_a_seat_that_the_course_team_ended_is_repaired_by_the_next_write(program, gateway):
    course = add_run(program, "masters")
    path = f"programs/{program.uuid}/"
    gateway.send("POST", f"{path}enrollments/", [row("S-1", "enrolled")])
    gateway.send("POST", f"{path}courses/{course}/enrollments/", [row("S-1", "active")])
    browser = Client()
    user = register(browser, "sasha")
    sign_on(browser, "uni-idp:S-1")
    CourseEnrollment.unenroll(user, CourseKey.from_string(course))
    assert seats() == {("sasha", "masters", False)}

    assert gateway.send("PATCH", f"{path}courses/{course}/enrollments/", [row("S-1", "active")])[0] == 200

    assert seats() == {("sasha", "masters", True)}


def test_a_nightly_snapshot_ends_the_seats_of_those_who_left(program, gateway, settings, tmp_path):
    folder = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "program_enrollments": folder}
    course = add_run(program, "masters")
    path, keys = f"programs/{program.uuid}/", [f"S-{number}" for number in range(8)]
    gateway.send("POST", f"{path}enrollments/", [row(key, "enrolled") for key in keys])
    gateway.send("POST", f"{path}courses/{course}/enrollments/", [row(key, "active") for key in keys])
    for key in keys[:4]:
        browser = Client()
        register(browser, key)
        sign_on(browser, f"uni-idp:{key}")
    present = [key for key in keys if key not in {"S-0", "S-7"}]
    text = "\n".join(["student_key,course_id,status", *(f"{key},{course},active" for key in present)])

    answer = gateway.client.post(
        f"{ROOT}{path}course_enrollments/upload/?mode=snapshot", text.encode(), content_type="text/csv"
    )
    assert answer.status_code == 202, answer.json()
    assert answer["Location"].startswith(f"http://testserver{ROOT}jobs/")
    call_command("run_jobs", once=True, verbosity=0)

    job = gateway.client.get(answer["Location"].removeprefix("http://testserver")).json()
    assert (job["state"], job["total"]) == ("succeeded", len(present)), job
    assert seats() == {("S-0", "masters", False)} | {(key, "masters", True) for key in keys[1:4]}
    listed = gateway.send("GET", f"{path}courses/{course}/enrollments/")[1]["results"]
    assert {each["student_key"] for each in listed if each["status"] == "active"} == set(present)


def test_celery_knows_our_tasks_and_beat_our_periodic_work():
    APP.loader.import_default_modules()
    assert {"program_enrollments.run_slice", "program_enrollments.do_periodic_work"} <= set(APP.tasks)
    assert {entry["task"] for entry in APP.conf.beat_schedule.values()} == {"program_enrollments.do_periodic_work"}
    assert "university_enrollments.W010" not in {
        message.id for message in checks.run_checks(include_deployment_checks=True)
    }


def test_a_seat_that_was_paid_for_is_left_alone(program, gateway):
    course = add_run(program, "verified", "masters")
    path = f"programs/{program.uuid}/"
    gateway.send("POST", f"{path}enrollments/", [row("S-1", "enrolled")])
    browser = Client()
    user = register(browser, "sasha")
    CourseEnrollment.enroll(user, CourseKey.from_string(course), mode="verified")
    sign_on(browser, "uni-idp:S-1")

    for status in ("active", "inactive"):
        rows = [row("S-1", status)]
        assert gateway.send("PUT", f"{path}courses/{course}/enrollments/", rows) == (200, {"S-1": status})
        assert seats() == {("sasha", "verified", True)}
