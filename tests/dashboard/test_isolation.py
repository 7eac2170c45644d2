"""A learner never sees anything of another one: whose pages these are comes from the account alone."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from program_enrollments.dashboard.urls import urlpatterns
from program_enrollments.data import ProgramStatus
from program_enrollments.models import Learner, Program, School
from tests.dashboard.conftest import Student, enroll, learn, open_program
from tests.factories.enrollment import SchoolFactory, grant_everything
from tests.factories.host import ConfirmedUserFactory, SuperuserFactory

PUBLIC = {"confirmation"}
NAMES = [str(pattern.name) for pattern in urlpatterns]


def address(name: str, program: Program) -> str:
    arguments: dict[str, list[Any]] = {"program": [program.uuid], "nothing-here": ["nowhere/"]}
    return reverse(f"dashboard:{name}", args=arguments.get(name, []))


@pytest.mark.parametrize("name", NAMES)
def test_without_signing_in_there_is_nothing(name: str, program: Program) -> None:
    response: Any = Client().get(address(name, program))
    if name in PUBLIC:
        assert response.status_code == 200
    else:
        assert (response.status_code, response["Location"].split("?")[0]) == (302, "/accounts/sign-in/")


@pytest.mark.parametrize("who", ["student", "inactive", "administrator", "superuser", "nobody"])
def test_nobody_sees_another_learners_anything(who: str, program: Program, school: School) -> None:
    victim = ConfirmedUserFactory(first_name="Victoria", last_name="Victim")
    enroll(victim, program, key="SECRET-1", refused=True)
    learn(victim, program)
    user = SuperuserFactory() if who == "superuser" else ConfirmedUserFactory()
    own = open_program(SchoolFactory(), title="Master of Law")
    if who == "student":
        enroll(user, own, key="SECRET-1")
    if who == "administrator":
        grant_everything(user=user, school=school)
    student = Student(user)
    if who == "inactive":
        user.is_active = False
        user.save()

    for name in NAMES:
        page = student.open(name, *([program.uuid] if name == "program" else ["x/"] if name == "nothing-here" else []))
        if name == "program" and who != "inactive":
            assert page.status == 404, "what is not the learner's own does not exist"
        for secret in ("Victoria", "Master of Computer Science", "passed", "not let in"):
            assert secret not in page.content, name
    for number in (victim.pk, Learner.objects.get(user=victim).pk):
        queried = student.client.get(reverse("dashboard:all"), {"user": number, "user_id": number, "learner": number})
        assert b"Master of Computer Science" not in queried.content


def test_two_learners_of_one_program_see_their_own(program: Program) -> None:
    first, second = Student(), Student()
    enroll(first.user, program, key="S-1")
    learn(first.user, program)
    enroll(second.user, program, key="S-2", status=ProgramStatus.SUSPENDED)

    assert "suspended" not in first.open("program", program.uuid).text
    page = second.open("program", program.uuid)
    assert "suspended" in page.text
    assert "40" not in page.text
    assert "passed" not in page.text
    assert "S-1" not in second.open("own-data").text


def test_what_does_not_exist_is_what_is_not_ones_own(student: Student, program: Program) -> None:
    missing = student.open("program", uuid.uuid4())
    others = student.open("program", program.uuid)
    assert (missing.status, missing.heading) == (others.status, others.heading) == (404, "There is nothing here")


def test_pages_are_kept_by_no_cache_and_in_no_frame(student: Student, program: Program) -> None:
    enroll(student.user, program)
    for name in ("all", "own-data", "confirmation"):
        headers = student.open(name).headers
        assert "no-store" in headers["Cache-Control"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
