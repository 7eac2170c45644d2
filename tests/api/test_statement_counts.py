"""What a call costs in statements, whatever the number of rows and whatever else is in the tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from social_django.models import UserSocialAuth

from program_enrollments import api
from program_enrollments.data import ProgramEnrollmentRequest, Verb
from program_enrollments.models import Learner, PreemptiveProgramEnrollment, ProgramCourseEnrollment
from program_enrollments.sql.bulk import can_return_rows
from tests.api.conftest import ORIGIN, World
from tests.factories.enrollment import CourseRunFactory, LearnerFactory
from tests.factories.host import UserFactory, confirm_email

SIGN_IN_LIMIT = 16


TRANSACTION_CONTROL = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")


def statements(work: Callable[[], Any]) -> int:
    """Count the statements of `work` that read or write; opening and closing transactions isn't counted."""
    with CaptureQueriesContext(connection) as captured:
        work()
    return sum(not query["sql"].startswith(TRANSACTION_CONTROL) for query in captured.captured_queries)


def make_accounts(world: World, prefix: str, count: int) -> list[str]:
    """Make `count` accounts that signed on before this app knew of them, and return their student IDs."""
    keys = [f"{prefix}-{number}" for number in range(count)]
    User.objects.bulk_create([User(username=key) for key in keys])
    users = User.objects.filter(username__in=keys)
    UserSocialAuth.objects.bulk_create(
        [UserSocialAuth(user=user, provider="tpa-saml", uid=f"{world.provider.slug}:{user.username}") for user in users]
    )
    return keys


def keys_of(world: World, prefix: str, count: int, with_accounts: bool) -> list[str]:
    return make_accounts(world, prefix, count) if with_accounts else [f"{prefix}-{n}" for n in range(count)]


@pytest.mark.parametrize("with_accounts", [False, True], ids=["without accounts", "with accounts"])
def test_a_program_write_costs_the_same_for_100_and_1000_rows(world: World, with_accounts: bool) -> None:
    few, many = keys_of(world, "few", 100, with_accounts), keys_of(world, "many", 1000, with_accounts)
    for status in ("enrolled", "suspended", "suspended"):
        assert statements(lambda: world.write_program(*[(key, status) for key in few])) == statements(  # noqa: B023
            lambda: world.write_program(*[(key, status) for key in many])  # noqa: B023
        )
    assert Learner.objects.count() == 1100


@pytest.mark.parametrize("with_accounts", [False, True], ids=["without accounts", "with accounts"])
def test_a_course_write_costs_the_same_for_100_and_1000_rows(world: World, with_accounts: bool) -> None:
    few, many = keys_of(world, "few", 100, with_accounts), keys_of(world, "many", 1000, with_accounts)
    world.write_program(*[(key, "enrolled") for key in few])
    world.write_program(*[(key, "enrolled") for key in many])
    for status, staff in (("active", True), ("inactive", False), ("inactive", None), ("active", None)):
        assert statements(lambda: world.write_course(*[(key, status, staff) for key in few])) == statements(  # noqa: B023
            lambda: world.write_course(*[(key, status, staff) for key in many])  # noqa: B023
        )


def test_two_chunks_cost_at_most_one_chunk_more(world: World) -> None:
    one = statements(lambda: world.write_program(*[(f"a-{number}", "enrolled") for number in range(1000)]))
    two = statements(lambda: world.write_program(*[(f"b-{number}", "enrolled") for number in range(2000)]))
    assert two < 2 * one


def sign_in_cost(world: World, remote_id: str) -> int:
    """Statements the app adds to a first sign-on: the account saved, the identity saved, the last sign-in noted."""
    user = User(username=f"user-{remote_id}", email="someone@uni-a.example")

    def saved(instance: Any) -> int:
        return statements_of_callbacks(world, instance.save)

    cost = saved(user)
    cost += saved(UserSocialAuth(user=user, provider="tpa-saml", uid=f"{world.provider.slug}:{remote_id}"))
    return cost + saved(user)


def statements_of_callbacks(world: World, work: Callable[[], Any]) -> int:
    with world.run_callbacks() as callbacks:
        work()
    return sum(statements(callback) for callback in callbacks)


@pytest.mark.parametrize("waiting", [1, 20])
@pytest.mark.parametrize("others", [0, 2000])
def test_a_sign_in_costs_the_same_for_1_and_20_course_runs_whatever_else_waits(
    world: World, waiting: int, others: int
) -> None:
    runs = [CourseRunFactory(curricula=[world.curriculum]) for _ in range(waiting)]
    if others:
        world.write_program(*[(f"other-{number}", "enrolled") for number in range(others)])
        world.write_course(*[(f"other-{number}", "active") for number in range(others)], course_run=runs[0])
    world.write_program(("S-1", "enrolled"))
    for run in runs:
        world.write_course(("S-1", "active"), course_run=run)

    cost = sign_in_cost(world, "S-1")

    assert ProgramCourseEnrollment.objects.count() == waiting
    # MySQL returns no rows of what it writes: promises are read before they are deleted, the ledger's positions after.
    assert cost <= SIGN_IN_LIMIT + (0 if can_return_rows(connection) else 2)
    assert PreemptiveProgramEnrollment.objects.count() == others


def test_a_sign_in_of_somebody_nobody_waits_for_is_cheap(world: World) -> None:
    world.sign_on("S-1")
    user = User.objects.get()
    assert statements_of_callbacks(world, UserSocialAuth.objects.get().save) == 1
    assert statements_of_callbacks(world, user.save) == 1


def test_a_sweep_costs_the_same_for_100_and_1000_learners(world: World) -> None:
    world.provider.is_enabled = False
    world.provider.save()
    few, many = make_accounts(world, "few", 100), make_accounts(world, "many", 890)
    world.write_program(*[(key, "enrolled") for key in [*few, *many]])
    world.write_course(*[(key, "active") for key in [*few, *many]])
    world.provider.is_enabled = True
    world.provider.save()
    # Somebody who is in already, so that the look at seats has something to look at in both sweeps.
    world.write_program(("first", "enrolled"))
    world.write_course(("first", "active"))
    world.sign_on("first")

    rest = UserSocialAuth.objects.filter(uid__contains="many")
    kept = list(rest)
    rest.delete()
    first = statements(api.sweep)
    assert ProgramCourseEnrollment.objects.count() == 101
    UserSocialAuth.objects.bulk_create(kept)
    second = statements(api.sweep)
    assert ProgramCourseEnrollment.objects.count() == 991
    assert second == first


def test_conflicts_cost_no_statement_each(world: World) -> None:
    def cost(prefix: str, count: int) -> int:
        rows = []
        for number in range(count):
            key = f"{prefix}-{number}"
            email = f"{key}@uni-a.example".lower()
            user = UserFactory()
            world.confirm_email(user, email)
            LearnerFactory(school=world.school, student_key=f"other-{key}", user=user, link_how="sso")
            LearnerFactory(school=world.school, student_key=key)
            rows.append(ProgramEnrollmentRequest(key, key, email, "enrolled"))
        return statements(
            lambda: api.write_program_enrollments(program=world.program, rows=rows, verb=Verb.UPSERT, origin=ORIGIN)
        )

    assert cost("few", 2) == cost("many", 8)
    assert Learner.objects.filter(problem_code="conflict").count() == 10


def test_merging_learners_costs_no_statement_each(world: World) -> None:
    """Known by ID and by address, until the account that signed on confirms the address."""

    def cost(prefix: str, count: int) -> int:
        keys = [f"{prefix}-{number}" for number in range(count)]
        emails = [f"{key}@uni-a.example" for key in keys]
        world.write_program(*[(key, "enrolled") for key in keys])
        world.write_program(*[(email, "pending") for email in emails])
        world.write_course(*[(email, "active") for email in emails])
        for key, email in zip(keys, emails, strict=True):
            user = world.sign_on(key)
            user.email = email
            user.save()
            confirm_email(user)
        return statements(api.sweep)

    # The first sweep has no seats to look at yet.
    cost("first", 1)
    few, many = cost("few", 3), cost("many", 40)

    assert many == few
    assert Learner.objects.count() == ProgramCourseEnrollment.objects.count() == 44
