"""`grant_all_schools`: gateways that acted by `is_staff` go on acting, and nobody else gains anything."""

from __future__ import annotations

import io

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from oauth2_provider.models import get_application_model

from program_enrollments import checks
from tests.factories.enrollment import GrantFactory, act_for_all_schools
from tests.factories.host import ServiceUserFactory, StaffUserFactory, SuperuserFactory

pytestmark = pytest.mark.django_db


def make_client(user: User) -> User:
    application = get_application_model()
    application.objects.create(
        user=user,
        client_type=application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=application.GRANT_CLIENT_CREDENTIALS,
    )
    return user


def grant(*arguments: str) -> tuple[str, str]:
    """Return standard output, and the message of the failure, "" if there is none."""
    out = io.StringIO()
    try:
        call_command("grant_all_schools", *arguments, stdout=out, stderr=io.StringIO())
    except CommandError as error:
        return out.getvalue(), str(error)
    return out.getvalue(), ""


def holders() -> set[str]:
    return set(User.objects.filter(user_permissions__codename="act_for_all_schools").values_list("username", flat=True))


@pytest.fixture
def gateway() -> User:
    """A gateway from before: staff, with an OAuth client, without grants."""
    return make_client(StaffUserFactory(username="gateway"))


@pytest.fixture
def others() -> None:
    """Users whom the command must leave alone: each lacks one thing that makes a gateway."""
    make_client(ServiceUserFactory(username="not-staff"))
    make_client(StaffUserFactory(username="switched-off", is_active=False))
    make_client(SuperuserFactory(username="boss"))
    GrantFactory(user=make_client(StaffUserFactory(username="with-grants")))
    StaffUserFactory(username="support")


def test_staff_clients_get_the_permission_and_nobody_else(gateway: User, others: None) -> None:
    out, failure = grant("--staff-clients")

    assert out == "gateway may act for all schools now.\n"
    assert failure == ""
    assert holders() == {"gateway"}
    assert User.objects.get(username="gateway").has_perm("university_enrollments.act_for_all_schools")


def test_again_it_finds_nobody(gateway: User) -> None:
    grant("--staff-clients")
    assert grant("--staff-clients") == (
        "No staff user without the permission owns an API client. Nothing was changed.\n",
        "",
    )


def test_a_dry_run_names_them_and_changes_nothing(gateway: User) -> None:
    assert grant("--staff-clients", "--dry-run") == ("gateway would get the permission to act for all schools.\n", "")
    assert holders() == set()


def test_it_must_be_said_who_is_meant(gateway: User) -> None:
    out, failure = grant()
    assert out == ""
    assert "--staff-clients" in failure
    assert holders() == set()


def test_before_migrate_it_says_what_to_do_first(gateway: User) -> None:
    Permission.objects.filter(codename="act_for_all_schools").delete()
    out, failure = grant("--staff-clients")
    assert out == ""
    assert "migrate" in failure


class TestCheck:
    def found(self) -> list[str]:
        return [
            f"{message.id}: {message.msg}"
            for message in checks.check_staff_clients(None, databases=["default"])
            if message.hint
        ]

    def test_it_counts_the_clients_that_lost_their_access(self, gateway: User, others: None) -> None:
        assert self.found() == [
            "university_enrollments.W006: 1 staff user owns an API client, but has no grant: the API shows it nothing."
        ]
        make_client(StaffUserFactory())
        assert self.found()[0].startswith("university_enrollments.W006: 2 staff users own API clients, but have no")

    def test_it_is_silent_once_they_have_the_permission_or_a_grant(self, gateway: User, others: None) -> None:
        act_for_all_schools(gateway)
        assert self.found() == []

    def test_it_asks_only_the_database_that_is_checked(self, gateway: User) -> None:
        assert checks.check_staff_clients(None, databases=None) == []
        assert checks.check_staff_clients(None, databases=["other"]) == []
