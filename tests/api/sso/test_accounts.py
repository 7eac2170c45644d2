"""Accounts that a university's sign-on opens, and privileged ones that it does not."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission as DjangoPermission
from django.contrib.auth.models import User
from pytest_django import Settings
from social_django.models import UserSocialAuth

from program_enrollments.data import (
    SignOnRefusal,
)
from program_enrollments.exceptions import SignOnRefused
from tests.api.conftest import World
from tests.api.steps import opened
from tests.factories.enrollment import (
    CurriculumFactory,
    GrantFactory,
    SchoolFactory,
    UserSocialAuthFactory,
)
from tests.factories.host import UserFactory


class TestPrivilegedAccounts:
    """Who controls a university's identity provider must not become the platform's administrator."""

    def make(self, kind: str, world: World) -> User:
        user: User = UserFactory(username=kind)
        if kind in {"is_staff", "is_superuser"}:
            setattr(user, kind, True)
            user.save()
        elif kind == "granted elsewhere":
            GrantFactory(user=user, school=SchoolFactory())
        elif kind == "granted a program elsewhere":
            GrantFactory(user=user, school=None, program=CurriculumFactory().program)
        UserSocialAuthFactory(user=user, uid=f"{world.provider.slug}:A")
        return user

    @pytest.mark.parametrize("kind", ["is_staff", "is_superuser", "granted elsewhere", "granted a program elsewhere"])
    def test_are_not_opened(self, kind: str, world: World, settings: Settings) -> None:
        user = self.make(kind, world)
        for _ in range(2):
            with pytest.raises(SignOnRefused) as refused:
                opened(world, "A")
            assert refused.value.code == SignOnRefusal.ACCOUNT_PRIVILEGED

        settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "SIGN_ON_TO_PRIVILEGED_ACCOUNTS": True}
        assert opened(world, "A") == user

    def test_nor_offered(self, world: World) -> None:
        UserFactory(email="root@uni-a.example", is_superuser=True)
        assert opened(world, "A", email="root@uni-a.example") is not None, "a new account, and nothing offered"

    def test_rights_at_the_own_school_are_fine(self, world: World) -> None:
        user = opened(world, "A")
        GrantFactory(user=user, school=world.school)
        assert opened(world, "A") == user


def test_the_permission_for_all_schools_is_a_right_beyond_the_school(world: World) -> None:
    permission = DjangoPermission.objects.filter(codename="act_for_all_schools").first()
    if permission is None:
        pytest.fail("the permission is missing")
    user = opened(world, "A")
    assert user is not None
    user.user_permissions.add(permission)
    with pytest.raises(SignOnRefused):
        opened(world, "A")


def test_a_legacy_row_without_a_dict_signs_on(world: World) -> None:
    user = opened(world, "A")
    UserSocialAuth.objects.update(extra_data="")
    assert opened(world, "A") == user
