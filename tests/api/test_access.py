"""What a caller holds where, and what it costs to know."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from pytest_django import DjangoAssertNumQueries

from program_enrollments import api
from program_enrollments.data import PROGRAM_PERMISSIONS, Permission
from program_enrollments.models import Program
from tests.factories.enrollment import (
    CurriculumFactory,
    GrantFactory,
    ProgramFactory,
    act_for_all_schools,
    grant_everything,
)
from tests.factories.host import ServiceUserFactory, StaffUserFactory, SuperuserFactory

WRITE = Permission.WRITE_ENROLLMENTS


@pytest.fixture
def program(db: None) -> Program:
    program: Program = CurriculumFactory().program
    return program


class TestReach:
    """`Access.reach`: on which part of a school a permission is held."""

    def test_a_grant_on_the_school_is_known_from_the_statement_that_finds_the_program(
        self, program: Program, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        user = ServiceUserFactory()
        grant_everything(user=user, school=program.school)

        with django_assert_num_queries(1):
            scope = api.authorize(user=user, program=program.uuid, permission=WRITE)
            reach = scope.access.reach(permission=WRITE, school_id=program.school_id)

        assert reach == api.Reach(is_school_wide=True)
        assert reach.covers(program_ids=[program.pk, ProgramFactory(school=program.school).pk])

    def test_grants_on_programs_are_read_when_they_are_needed(
        self, program: Program, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        user = ServiceUserFactory()
        sibling, readable, untouched = ProgramFactory.create_batch(3, school=program.school)
        for permission in PROGRAM_PERMISSIONS:
            GrantFactory(user=user, school=None, program=program, permission=permission)
        GrantFactory(user=user, school=None, program=sibling, permission=WRITE)
        GrantFactory(user=user, school=None, program=readable, permission=Permission.READ_ENROLLMENTS)
        GrantFactory(user=user, school=program.school, permission=Permission.READ_ENROLLMENTS)
        GrantFactory(user=user, permission=WRITE)

        with django_assert_num_queries(1):
            access = api.authorize(user=user, program=program.uuid, permission=WRITE).access
        # The grants, and Django's permissions of the user and of the user's groups.
        with django_assert_num_queries(3):
            reach = access.reach(permission=WRITE, school_id=program.school_id)

        assert not reach.is_school_wide
        assert reach.covers(program_ids=[program.pk, sibling.pk])
        assert reach.covers(program_ids=[])
        assert not reach.covers(program_ids=[program.pk, readable.pk])
        assert not reach.covers(program_ids=[untouched.pk])

    def test_who_acts_for_all_schools_reaches_every_school(self, program: Program) -> None:
        for user in (SuperuserFactory(), act_for_all_schools(ServiceUserFactory())):
            access = api.authorize(user=user, program=program.uuid, permission=WRITE).access
            assert access.reach(permission=WRITE, school_id=program.school_id).is_school_wide

    def test_a_grant_on_a_program_does_not_hide_the_permission_for_all_schools(self, program: Program) -> None:
        user = act_for_all_schools(ServiceUserFactory())
        GrantFactory(user=user, school=None, program=program, permission=WRITE)
        access = api.authorize(user=user, program=program.uuid, permission=WRITE).access
        assert access.reach(permission=WRITE, school_id=program.school_id).is_school_wide

    @pytest.mark.parametrize("user", [AnonymousUser(), None])
    def test_nobody_reaches_nothing(self, program: Program, user: object) -> None:
        access = api.access_of(user=user)
        assert not access.reach(permission=WRITE, school_id=program.school_id).covers(program_ids=[program.pk])

    def test_the_hosts_staff_reach_nothing(self, program: Program) -> None:
        access = api.access_of(user=StaffUserFactory())
        assert not access.reach(permission=WRITE, school_id=program.school_id).covers(program_ids=[program.pk])


def test_a_superuser_costs_one_statement(program: Program, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    user = SuperuserFactory()
    with django_assert_num_queries(1):
        api.authorize(user=user, program=program.uuid, permission=WRITE)


def test_who_acts_for_all_schools_but_is_switched_off_may_do_nothing(program: Program) -> None:
    for user in (SuperuserFactory(is_active=False), act_for_all_schools(ServiceUserFactory(is_active=False))):
        access = api.access_of(user=user)
        assert not access.visible_programs().exists()
        assert not access.visible_schools().exists()
        assert access.permissions_on(program) == frozenset()
