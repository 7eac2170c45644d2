"""Grants in admin: nobody gives what they don't hold, and nobody gives anything at a school they don't manage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from program_enrollments.data import SCHOOL_PERMISSIONS, Permission
from program_enrollments.models import Grant, Program, School
from tests.admin.conftest import Desk, url_of
from tests.admin.test_schools_and_catalog import formset
from tests.factories.enrollment import GrantFactory, ProgramFactory, SchoolFactory, act_for_all_schools
from tests.factories.host import UserFactory

DJANGO_PERMISSIONS = ("view_grant", "add_grant", "change_grant", "delete_grant", "view_school", "change_school")
NOT_HELD = "You can give only what you hold yourself, at schools whose access you manage."


@pytest.fixture
def program(db: None) -> Program:
    return ProgramFactory()


@pytest.fixture
def manager(program: Program, desk_with: Callable[..., Desk]) -> Desk:
    """Manages access at the program's school, and holds two more permissions: on the school, and on the program."""
    desk = desk_with(*DJANGO_PERMISSIONS)
    GrantFactory(user=desk.user, school=program.school, permission=Permission.MANAGE_ACCESS)
    GrantFactory(user=desk.user, school=program.school, permission=Permission.READ_REPORTS)
    GrantFactory(user=desk.user, school=None, program=program, permission=Permission.FREEZE_GRADES)
    return desk


def give(desk: Desk, permission: str, **on: Any) -> list[str]:
    """Return the errors of the form, after trying to give somebody a permission."""
    on = {name: thing.pk for name, thing in on.items()}
    return desk.post(url_of(Grant, "add"), user=UserFactory().pk, permission=permission, **on).errors()


class TestGiving:
    def test_what_is_held_is_given_where_it_is_held(self, manager: Desk, program: Program) -> None:
        assert give(manager, "read_reports", school=program.school) == []
        assert give(manager, "manage_access", school=program.school) == []
        assert give(manager, "read_reports", program=program) == []
        assert give(manager, "freeze_grades", program=program) == []

    def test_what_is_not_held_is_refused_and_says_why(self, manager: Desk, program: Program) -> None:
        before = Grant.objects.count()
        elsewhere = ProgramFactory()
        GrantFactory(user=manager.user, school=elsewhere.school, permission=Permission.WRITE_ENROLLMENTS)

        assert give(manager, "write_enrollments", school=program.school) == [NOT_HELD]
        assert give(manager, "freeze_grades", school=program.school) == [NOT_HELD]
        assert give(manager, "freeze_grades", program=ProgramFactory(school=program.school)) == [NOT_HELD]
        assert give(manager, "write_enrollments", school=elsewhere.school) == [NOT_HELD]
        assert give(manager, "write_enrollments", program=elsewhere) == [NOT_HELD]
        assert Grant.objects.count() == before + 1

    def test_nobody_gives_themselves_more(self, manager: Desk, program: Program) -> None:
        data = {"user": manager.user.pk, "permission": "write_enrollments", "school": program.school.pk}
        assert manager.post(url_of(Grant, "add"), **data).errors() == [NOT_HELD]

    def test_a_grant_is_not_changed_into_one_that_could_not_be_given(self, manager: Desk, program: Program) -> None:
        grant = GrantFactory(school=program.school, permission=Permission.READ_REPORTS)
        data = {"user": grant.user.pk, "school": program.school.pk}
        url = url_of(Grant, "change", grant.pk)
        assert manager.post(url, **data, permission="write_enrollments").errors() == [NOT_HELD]
        assert manager.post(url, **data, permission="manage_access").errors() == []

    def test_djangos_permissions_alone_give_nothing(self, desk_with: Callable[..., Desk], program: Program) -> None:
        assert give(desk_with(*DJANGO_PERMISSIONS), "metadata", school=program.school) == [NOT_HELD]
        assert not Grant.objects.exists()

    def test_who_acts_for_all_schools_gives_everything(self, desk_with: Callable[..., Desk], program: Program) -> None:
        desk = desk_with(*DJANGO_PERMISSIONS)
        act_for_all_schools(desk.user)
        for permission in Permission.values:
            assert give(desk, permission, school=program.school) == []


class TestSeeing:
    def test_a_manager_sees_and_takes_back_the_grants_of_their_school(self, manager: Desk, program: Program) -> None:
        ours = GrantFactory(school=program.school, permission=Permission.WRITE_ENROLLMENTS, user__username="ours")
        single = GrantFactory(school=None, program=program, user__username="single")
        theirs = GrantFactory(user__username="theirs")

        text = manager.get(url_of(Grant)).text

        assert ("ours" in text, "single" in text, "theirs" in text) == (True, True, False)
        for grant in (ours, single, theirs):
            manager.post(url_of(Grant, "delete", grant.pk), post="yes")
        assert list(Grant.objects.filter(pk__in=[ours.pk, single.pk, theirs.pk])) == [theirs]

    def test_deleting_the_selected_reaches_no_other_school(self, manager: Desk) -> None:
        theirs = GrantFactory()
        manager.post(url_of(Grant), action="delete_selected", _selected_action=theirs.pk, post="yes")
        assert Grant.objects.filter(pk=theirs.pk).exists()


class TestOnTheSchoolsPage:
    def add(self, desk: Desk, school: School, permission: str) -> list[str]:
        return desk.post(
            url_of(School, "change", school.pk),
            key=school.key,
            name=school.name,
            guard_minimum=school.guard_minimum,
            guard_percent=school.guard_percent,
            **formset("email_domains"),
            **formset("identity_providers"),
            **formset("grants", {"user": UserFactory().pk, "permission": permission}),
        ).errors()

    def test_the_same_holds(self, manager: Desk, program: Program) -> None:
        assert self.add(manager, program.school, "write_enrollments") == [NOT_HELD]
        assert self.add(manager, program.school, "read_reports") == []
        assert Grant.objects.filter(school=program.school).count() == 3

    def test_grants_of_a_school_that_is_not_managed_are_neither_shown_nor_added(self, manager: Desk) -> None:
        grant = GrantFactory(user__username="theirs")
        self.add(manager, grant.school, "read_reports")
        assert Grant.objects.filter(school=grant.school).count() == 1
        page = manager.get(url_of(School, "change", grant.school.pk))
        assert not page.tree.xpath('//*[starts-with(@id, "grants-")]')

    def test_a_new_school_gets_its_first_grants_from_who_acts_for_all_schools(self, desk: Desk) -> None:
        school = SchoolFactory()
        assert self.add(desk, school, "manage_access") == []
        assert Grant.objects.get().permission == "manage_access"


@pytest.mark.parametrize("permission", SCHOOL_PERMISSIONS)
def test_what_concerns_a_whole_school_is_not_granted_on_one_program(
    permission: Permission, desk: Desk, program: Program
) -> None:
    [error] = give(desk, permission.value, program=program)
    assert error == "This permission concerns the school as a whole. Choose the school instead of a program."
    with pytest.raises(IntegrityError, match=r"ue_grant_for_schools_only"), transaction.atomic():
        GrantFactory(school=None, program=program, permission=permission)
    assert give(desk, permission.value, school=program.school) == []
