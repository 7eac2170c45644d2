"""Stories that only a host has whose accounts are named by an address; run by `tests/test_odd_host.py`."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from demo_lms.models import CourseEnrollment, EmailAddress
from demo_lms.models.primary import rows_of
from program_enrollments import api
from program_enrollments.data import EnrollmentFilters, SignOnRefusal
from program_enrollments.exceptions import SignOnRefused
from program_enrollments.models import (
    Grant,
    Learner,
    PreemptiveProgramEnrollment,
    ProgramEnrollment,
    SchoolEmailDomain,
)
from tests.api.conftest import World, world
from tests.factories.host import ConfirmedUserFactory, SuperuserFactory, confirm_email
from tests.odd_host.host import OWN_DOMAIN
from tests.odd_host.models import Account

__all__ = ["world"]
ADDRESS = "sasha@uni-a.example"


def sign_on(world: World, *, remote_id: str = "S-1", email: str = ADDRESS, **options: bool) -> Any:
    """Sign a student on; options are `declined`, and `trusted` for a university that vouches for the address."""
    declined, trusted = options.get("declined", False), options.get("trusted", False)
    identity = api.AssertedIdentity(
        school_id=world.school.pk,
        slug="uni-a",
        remote_id=remote_id,
        email=email,
        first_name="Sasha",
        confirms_email=trusted,
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


def test_an_address_that_the_host_lets_nobody_vouch_for_is_no_contact(world: World) -> None:
    SchoolEmailDomain.objects.create(school=world.school, domain=OWN_DOMAIN)
    world.write_program(("S-1", "enrolled"))
    address = f"sasha@{OWN_DOMAIN}"

    account = sign_on(world, email=address, trusted=True).user

    assert Account.objects.values_list("login_email", "contact_email").get(pk=account.pk) == (address, "")
    assert not rows_of(EmailAddress).exists()
    assert Learner.objects.get().user == account
    assert sign_on(world, email=address, trusted=True).user == account


def test_an_address_that_another_account_has_confirmed_stays_its_own(world: World) -> None:
    SchoolEmailDomain.objects.create(school=world.school, domain="uni-a.example")
    other = ConfirmedUserFactory(username="other", email=ADDRESS)
    assert sign_on(world, trusted=True) is None, "it is offered first"

    account = sign_on(world, trusted=True, declined=True).user

    assert account != other
    assert rows_of(EmailAddress).get().user_id == other.pk
    assert Account.objects.get(pk=account.pk).contact_email == ""
    assert Learner.objects.get().user == account


def test_an_address_that_the_university_vouches_for_is_confirmed_in_its_own_field(world: World) -> None:
    SchoolEmailDomain.objects.create(school=world.school, domain="uni-a.example")
    account = sign_on(world, trusted=True).user
    address = rows_of(EmailAddress).get()
    assert (address.user_id, address.email, address.is_verified) == (account.pk, account.contact_email, True)


def test_lists_show_the_login_as_username_and_the_contact_as_address(world: World) -> None:
    world.write_program(("S-1", "enrolled"))
    account = sign_on(world).user
    account.contact_email = "mail@home.example"
    with world.run_callbacks(execute=True):
        account.save()

    page = api.fetch_program_enrollments(program=world.program, filters=EnrollmentFilters(), cursor=None, page_size=10)
    assert [(row["username"], row["email"]) for row in page.rows] == [(ADDRESS, "mail@home.example")]


def test_staff_who_know_accounts_as_members_change_and_delete_them(world: World, client: Client) -> None:
    """Django tells of what happens to the proxy, not of the user model."""
    world.write_program(("sasha@uni-b.example", "enrolled"))
    account = sign_on(world).user
    client.force_login(SuperuserFactory())
    page = f"/admin/odd_host/member/{account.pk}"

    with world.run_callbacks(execute=True):
        assert client.post(f"{page}/change/", {"contact_email": "sasha@uni-b.example"}).status_code == 302
    assert rows_of(EmailAddress).get().email == "sasha@uni-b.example"
    confirm_email(Account.objects.get(pk=account.pk))
    with world.run_callbacks(execute=True):
        assert client.post(f"{page}/change/", {"contact_email": "sasha@uni-b.example"}).status_code == 302
    assert ProgramEnrollment.objects.get().learner.user == account

    with world.run_callbacks(execute=True):
        chosen = {"action": "delete_selected", "_selected_action": account.pk, "post": "yes"}
        assert client.post("/admin/odd_host/member/", chosen).status_code == 302
    assert not Account.objects.filter(pk=account.pk).exists()
    assert not ProgramEnrollment.objects.exists()
    assert PreemptiveProgramEnrollment.objects.count() == 1
