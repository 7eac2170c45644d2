"""Stories that only a host has whose accounts are named by an address; run by `tests/test_odd_host.py`."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from demo_lms.models import CourseEnrollment
from demo_lms.models.primary import rows_of
from program_enrollments import api
from program_enrollments.data import SignOnRefusal
from program_enrollments.exceptions import SignOnRefused
from program_enrollments.models import Grant, Learner
from tests.api.conftest import World, world
from tests.odd_host.models import Account

__all__ = ["world"]
ADDRESS = "sasha@uni-a.example"


def sign_on(world: World, *, remote_id: str = "S-1", email: str = ADDRESS, declined: bool = False) -> Any:
    identity = api.AssertedIdentity(
        school_id=world.school.pk, slug="uni-a", remote_id=remote_id, email=email, first_name="Sasha"
    )
    with world.run_callbacks(execute=True):
        return api.open_account(
            backend="tpa-saml", identity=identity, assertion=None, declined=declined, now=timezone.now()
        )


def test_a_promise_becomes_a_seat_and_is_looked_up_by_http(world: World) -> None:
    assert world.write_program(("S-1", "enrolled")) == {"S-1": "enrolled"}
    assert world.write_course(("S-1", "active")) == {"S-1": "active"}

    account = sign_on(world).user

    assert account == Account.objects.get(login_email=ADDRESS, contact_email=ADDRESS)
    assert Learner.objects.get().user_id == account.pk
    assert rows_of(CourseEnrollment).get().user_id == account.pk
    caller: Any = Account.objects.create_user("sis@uni-a.example")
    Grant.objects.create(user=caller, school=world.school, permission="read_enrollments")
    client = APIClient()
    client.force_authenticate(caller)
    path = f"/api/program_enrollments/v1/programs/{world.program.uuid}/learners/"
    answer = client.get(path, {"student_key": "S-1"})
    assert (answer.status_code, answer.json().get("email")) == (200, ADDRESS)


def test_a_second_sign_on_opens_the_same_account(world: World) -> None:
    first = sign_on(world)
    second = sign_on(world)
    assert (first.is_new, second.is_new, first.user) == (True, False, second.user)


def test_a_person_without_an_address_is_refused_in_words(world: World) -> None:
    with pytest.raises(SignOnRefused) as refused:
        sign_on(world, email="")
    assert refused.value.code == SignOnRefusal.EMAIL_NEEDED
    assert not Account.objects.exists()


def test_no_second_account_is_made_with_the_login_of_another(world: World) -> None:
    other = Account.objects.create_user(ADDRESS, contact_email=ADDRESS)
    assert sign_on(world) is None
    with pytest.raises(SignOnRefused) as refused:
        sign_on(world, declined=True)
    assert refused.value.code == SignOnRefusal.EMAIL_NEEDED
    assert list(Account.objects.all()) == [other]


def test_deleting_the_account_leaves_the_promise(world: World) -> None:
    world.write_program(("S-1", "enrolled"))
    account = sign_on(world).user
    with world.run_callbacks(execute=True):
        account.delete()
    assert Learner.objects.get().user_id is None
    assert sign_on(world).is_new
