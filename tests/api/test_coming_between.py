"""Who comes between a look and a write, made to happen by another connection at just that moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from social_django.models import UserSocialAuth

from program_enrollments import api
from program_enrollments.data import Origin, ProgramEnrollmentRequest, Source, Verb
from program_enrollments.models import Curriculum, Learner, PreemptiveProgramEnrollment, ProgramEnrollment
from tests.factories.enrollment import CurriculumFactory, IdentityProviderFactory, LearnerFactory, SchoolFactory
from tests.factories.host import UserFactory, confirm_email

ORIGIN = Origin(source=Source.API.value)

# SQLite lets one writer in at a time.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.only_on("postgresql", "mariadb")]


@pytest.fixture
def curriculum() -> Curriculum:
    school = SchoolFactory(key="uni-a")
    IdentityProviderFactory(school=school, slug="uni-a")
    return CurriculumFactory(program__school=school)


@contextmanager
def coming_between(work: Callable[[], Any], *, before: Callable[[str], bool]) -> Iterator[None]:
    """Run `work` once, on a connection of its own, right before the first statement that `before` is true of."""
    came: list[bool] = []

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    def wrap(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not came and before(sql):
            came.append(True)
            thread = threading.Thread(target=run)
            thread.start()
            thread.join(timeout=60)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(wrap):
        yield
    assert came


def write(curriculum: Curriculum, student_key: str, email: str) -> str:
    rows = [ProgramEnrollmentRequest("row", student_key, email, "enrolled")]
    (outcome,) = api.write_program_enrollments(program=curriculum.program, rows=rows, verb=Verb.UPSERT, origin=ORIGIN)
    return outcome.word


def test_an_address_given_away_meanwhile_is_told_as_what_it_is(curriculum: Curriculum) -> None:
    write(curriculum, "S-1", "")
    with coming_between(
        lambda: write(curriculum, "", "a@uni-a.example"),
        before=lambda sql: sql.startswith("UPDATE") and "_learner" in sql,
    ):
        assert write(curriculum, "S-1", "a@uni-a.example") == "invalid-identity"


def test_an_account_found_by_address_while_it_signs_on_is_one_person(curriculum: Curriculum) -> None:
    write(curriculum, "S-1", "")
    write(curriculum, "", "a@uni-a.example")
    user = UserFactory(email="a@uni-a.example")
    confirm_email(user)
    with coming_between(
        lambda: api.email_confirmed(user_id=user.pk), before=lambda sql: "_learner" in sql and "FOR UPDATE" in sql
    ):
        UserSocialAuth.objects.create(user=user, provider="tpa-saml", uid="uni-a:S-1")
    learner = Learner.objects.get()
    assert (learner.user, learner.student_key, learner.problem_code) == (user, "S-1", "")
    assert ProgramEnrollment.objects.count() == 1
    assert not PreemptiveProgramEnrollment.objects.exists()


def test_an_account_that_signs_on_while_it_is_found_by_address_is_one_person(curriculum: Curriculum) -> None:
    write(curriculum, "S-1", "")
    write(curriculum, "", "a@uni-a.example")
    user = UserFactory(email="a@uni-a.example")
    confirm_email(user)
    with coming_between(
        lambda: UserSocialAuth.objects.create(user=user, provider="tpa-saml", uid="uni-a:S-1"),
        before=lambda sql: "_learner" in sql and "FOR UPDATE" in sql,
    ):
        api.email_confirmed(user_id=user.pk)
    learner = Learner.objects.get()
    assert (learner.user, learner.student_key, learner.problem_code) == (user, "S-1", "")
    assert ProgramEnrollment.objects.count() == 1


def test_an_account_that_becomes_somebody_while_a_row_is_written(curriculum: Curriculum) -> None:
    """The account is found by its address, and linked under an ID before the row's learner is made."""
    user = UserFactory(email="a@uni-a.example")
    confirm_email(user)
    other = LearnerFactory(school=curriculum.program.school, student_key="S-1")
    with coming_between(
        lambda: UserSocialAuth.objects.create(user=user, provider="tpa-saml", uid="uni-a:S-1"),
        before=lambda sql: sql.startswith("INSERT") and "_learner" in sql,
    ):
        assert write(curriculum, "", "a@uni-a.example") == "enrolled"
    learner = Learner.objects.get()
    assert (learner.pk, learner.user, learner.email) == (other.pk, user, "a@uni-a.example")
    assert ProgramEnrollment.objects.count() == 1
