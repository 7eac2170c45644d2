"""Ready-made groups: made once, and then the operators' own."""

from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from program_enrollments.data import LearnerProblem
from program_enrollments.models import Learner, School
from tests.admin.conftest import Desk, seat, url_of
from tests.factories.enrollment import LinkedLearnerFactory
from tests.factories.host import StaffUserFactory

pytestmark = pytest.mark.django_db
VIEW, ACT, ONBOARDING = (
    f"University enrollments: {name}" for name in ("support (view)", "support (act)", "onboarding")
)


def make(*options: str) -> list[str]:
    out = StringIO()
    call_command("make_staff_groups", *options, stdout=out)
    return out.getvalue().splitlines()


def desk_in(group: str) -> Desk:
    user = StaffUserFactory()
    user.groups.set([Group.objects.get(name=group)])
    return seat(user)


def test_three_groups_are_made_once() -> None:
    assert [line.partition(" made with ")[0] for line in make()] == [f"{name}:" for name in (VIEW, ACT, ONBOARDING)]

    assert make() == [f"{name}: exists and has everything." for name in (VIEW, ACT, ONBOARDING)]
    assert Group.objects.count() == 3


def test_a_dry_run_makes_nothing() -> None:
    assert all("would be made" in line for line in make("--dry-run"))
    assert not Group.objects.exists()


def test_what_operators_changed_is_left_alone_unless_they_want_it_completed() -> None:
    make()
    group = Group.objects.get(name=VIEW)
    more = Permission.objects.get(codename="view_keptanswer")
    group.permissions.remove(Permission.objects.get(codename="view_job"))
    group.permissions.add(more)

    assert make()[0] == f"{VIEW}: exists and is left as it is. It lacks view_job; --complete adds them."
    assert not group.permissions.filter(codename="view_job").exists()
    assert make("--dry-run", "--complete")[0] == f"{VIEW}: would be given view_job."
    assert make("--complete")[0] == f"{VIEW}: given view_job."
    assert set(group.permissions.all()) >= {Permission.objects.get(codename="view_job"), more}


def test_support_looks_or_acts_and_onboarding_sets_up() -> None:
    make()
    learner = LinkedLearnerFactory(problem_code=LearnerProblem.CONFLICT)
    page = url_of(Learner, "change", learner.pk)
    settle = url_of(Learner, "settle", learner.pk)

    assert desk_in(VIEW).get(page).status == 200
    assert desk_in(VIEW).get(settle).status == 403
    assert desk_in(ACT).get(settle).status == 200
    assert desk_in(ACT).get(url_of(School, "add")).status == 403
    assert desk_in(ONBOARDING).get(url_of(School, "add")).status == 200
    assert desk_in(ONBOARDING).get("/admin/university_enrollments/identityprovider/import-metadata/").status == 200
    assert desk_in(ONBOARDING).get(page).status == 403
