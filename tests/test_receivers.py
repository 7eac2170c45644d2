"""Receivers hear of accounts and identities through whatever class they are saved and deleted."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from social_django.models import UserSocialAuth

from program_enrollments.models import (
    Learner,
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
    ProgramCourseEnrollment,
    ProgramEnrollment,
)
from tests.api.conftest import World, world
from tests.factories.host import UserFactory, confirm_email
from tests.flows.test_deletions_cross_everything import PATHS, Person
from tests.invariants import find_violations

__all__ = ["world"]


class Identity(UserSocialAuth):
    """An identity, as an app of the host may call it."""

    class Meta:
        proxy = True
        app_label = "demo_lms"


def test_an_identity_saved_through_a_proxy_links(world: World) -> None:
    world.write_program(("A", "enrolled"))
    user = UserFactory()
    with world.run_callbacks(execute=True):
        Identity.objects.create(user=user, provider="tpa-saml", uid="uni-a:A")
    assert Learner.objects.get().user == user


def test_an_account_saved_through_a_proxy_links(world: World) -> None:
    world.write_program(("a@uni-a.example", "enrolled"))
    user = UserFactory(email="a@uni-a.example")
    confirm_email(user)
    with world.run_callbacks(execute=True):
        Person.objects.get(pk=user.pk).save()
    assert Learner.objects.get().user == user


@pytest.mark.parametrize("delete", PATHS, ids=lambda path: path.__name__)
def test_deleting_an_account_lets_its_enrollments_wait(delete: Callable[[int], None], world: World) -> None:
    world.write_program(("A", "enrolled"))
    world.write_course(("A", "active", True))
    user = world.sign_on("A")
    assert (ProgramEnrollment.objects.count(), ProgramCourseEnrollment.objects.count()) == (1, 1)

    delete(user.pk)

    assert not User.objects.filter(pk=user.pk).exists()
    assert (PreemptiveProgramEnrollment.objects.count(), PreemptiveCourseEnrollment.objects.count()) == (1, 1)
    assert not ProgramEnrollment.objects.exists()
    assert find_violations() == []
