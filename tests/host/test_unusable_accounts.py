"""Unusable addresses, accounts and sign-in pages are passed over or reported, never guessed."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import Settings

from program_enrollments import api
from program_enrollments.data import LearnerProblem
from program_enrollments.exceptions import HostError
from program_enrollments.host import get_host
from program_enrollments.models import (
    Learner,
)
from tests.api.conftest import World
from tests.factories.enrollment import LearnerFactory
from tests.factories.host import UserFactory
from tests.host.odd_hosts import UseOddHost, for_user

pytestmark = pytest.mark.once


@pytest.mark.parametrize("address", [None, 7, "", "a" * 300 + "@uni.example", "a\x00@uni.example"], ids=repr)
def test_an_address_that_is_none_confirms_nothing(
    world: World, odd_host: UseOddHost, caplog: pytest.LogCaptureFixture, address: Any
) -> None:
    learner = LearnerFactory(school=world.school, email="ann@uni.example")
    user = UserFactory(email="ann@uni.example")
    odd_host(confirmed_emails=for_user(user, address))

    assert api.email_confirmed(user_id=user.pk).linked == 0
    learner.refresh_from_db()
    assert (learner.user, learner.problem_code) == (None, "")
    assert "accounts.confirmed_emails" in caplog.text
    assert "uni.example" not in caplog.text


@pytest.mark.parametrize("account", [None, True, "1", 1.0, float("inf"), -1, [1]], ids=repr)
def test_an_account_that_is_none_costs_nobody_else_theirs(world: World, odd_host: UseOddHost, account: Any) -> None:
    world.confirm_email(UserFactory(), "ann@uni.example")
    odd_host(users_by_confirmed_email=lambda answer: {**answer, "ben@uni.example": account})

    assert world.write_program(("ann@uni.example", "enrolled"), ("ben@uni.example", "enrolled")) == {
        "ann@uni.example": "enrolled",
        "ben@uni.example": "enrolled",
    }
    assert Learner.objects.filter(user__isnull=False).count() == 1


def test_addresses_that_are_no_mapping_are_shown_on_the_learner(world: World, odd_host: UseOddHost) -> None:
    learner = LearnerFactory(school=world.school, email="ann@uni.example")
    user = UserFactory(email="old@uni.example")
    odd_host(confirmed_emails=list)
    with world.run_callbacks(execute=True):
        user.email = "ann@uni.example"
        user.save()

    learner.refresh_from_db()
    assert learner.problem_code == LearnerProblem.REALIZING_FAILED


@pytest.mark.parametrize("users", [None, "12", 5, ["x"], [True], {1.5}], ids=repr)
def test_who_has_an_address_is_never_guessed(db: None, odd_host: UseOddHost, users: Any) -> None:
    odd_host(users_by_email=lambda answer: {"ann@uni.example": users})

    with pytest.raises(HostError):
        get_host().accounts.users_by_email(emails=["ann@uni.example"])


@pytest.mark.parametrize("answer", [None, 1, "yes"], ids=repr)
def test_a_confirmation_that_is_no_bool_is_none(db: None, odd_host: UseOddHost, answer: Any) -> None:
    odd_host(confirm_email=lambda _: answer)

    assert get_host().accounts.confirm_email(user_id=1, email="ann@uni.example") is False


@pytest.mark.parametrize("path", ["", "//evil.example/", "/\\evil.example", "https://evil.example/", "javascript:x"])
def test_a_sign_in_page_that_is_elsewhere_is_djangos_own(
    odd_host: UseOddHost, settings: Settings, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    settings.LOGIN_URL = "/sign-in/"
    odd_host(login_url=lambda _: path)

    assert get_host().login_url() == "/sign-in/"
    assert "login_url" in caplog.text
