"""Who comes between a look and a write, made to happen by another connection at just that moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from social_django.models import UserSocialAuth

from program_enrollments import api
from program_enrollments.data import Origin, ProgramEnrollmentRequest, SignOnRefusal, Source, Verb
from program_enrollments.exceptions import LinkRefused, SignOnRefused
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


def test_an_id_that_a_write_makes_while_students_are_renamed_is_taken(curriculum: Curriculum) -> None:
    for key in ("S-1", "S-2"):
        write(curriculum, key, "")
    with coming_between(
        lambda: write(curriculum, "T-1", ""), before=lambda sql: sql.startswith("UPDATE") and "_learner" in sql
    ):
        words = api.rename_students(
            provider=curriculum.program.school.identity_providers.get(),
            renamings=[api.Renaming("S-1", "T-1"), api.Renaming("S-2", "T-2")],
            origin=ORIGIN,
        )
    assert words == [api.Renamed.TAKEN, api.Renamed.RENAMED]
    assert set(Learner.objects.values_list("student_key", flat=True)) == {"S-1", "S-2", "T-1", "T-2"}


def test_a_student_who_is_renamed_while_signing_on_signs_on(curriculum: Curriculum) -> None:
    school = curriculum.program.school
    write(curriculum, "S-1", "")

    def rename() -> None:
        api.rename_students(
            provider=school.identity_providers.get(), renamings=[api.Renaming("S-1", "T-1")], origin=ORIGIN
        )

    with coming_between(rename, before=lambda sql: "_learner" in sql and "FOR UPDATE" in sql):
        opened = api.open_account(
            backend="tpa-saml",
            identity=api.AssertedIdentity(school_id=school.pk, slug="uni-a", remote_id="S-1"),
            assertion=None,
            now=timezone.now(),
        )
    assert opened is not None
    assert Learner.objects.get(student_key="T-1").user is None, "the ID is not hers any more"
    assert Learner.objects.get(student_key="S-1").user == opened.user


def test_an_account_that_is_deleted_while_its_owner_signs_on_refuses_in_words(curriculum: Curriculum) -> None:
    school = curriculum.program.school
    identity = api.AssertedIdentity(school_id=school.pk, slug="uni-a", remote_id="S-1")

    def sign_on() -> api.OpenedAccount | None:
        return api.open_account(backend="tpa-saml", identity=identity, assertion=None, now=timezone.now())

    opened = sign_on()
    assert opened is not None
    with (
        coming_between(
            lambda: User.objects.get(pk=opened.user.pk).delete(),
            before=lambda sql: sql.startswith("UPDATE") and "social_auth" in sql,
        ),
        pytest.raises(SignOnRefused) as refused,
    ):
        sign_on()
    assert refused.value.code == SignOnRefusal.ACCOUNT_GONE
    again = sign_on()
    assert again is not None
    assert again.user.pk != opened.user.pk


def test_two_staff_who_link_one_learner_at_once(curriculum: Curriculum) -> None:
    learner = LearnerFactory(school=curriculum.program.school, student_key="S-1")
    one, other = UserFactory(), UserFactory()
    with (
        coming_between(
            lambda: api.link_learner(learner_id=learner.pk, user_id=one.pk, origin=ORIGIN),
            before=lambda sql: "auth_user" in sql and "FOR " in sql,
        ),
        pytest.raises(LinkRefused, match="Somebody else"),
    ):
        api.link_learner(learner_id=learner.pk, user_id=other.pk, origin=ORIGIN)
    learner.refresh_from_db()
    assert learner.user == one
