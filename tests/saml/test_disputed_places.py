"""Another account holds the student's place: the person reads what to do, and support staff see it."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from program_enrollments import api
from program_enrollments.data import ChangeKind, LearnerProblem, Origin, Source
from program_enrollments.models import IdentityProvider, Learner, LedgerEntry, LinkClaim, School
from tests.factories.enrollment import LinkedLearnerFactory, ProgramEnrollmentFactory
from tests.factories.host import ConfirmedUserFactory
from tests.saml.student import Student, sign_on
from tests.saml.university import University

ADDRESS = "sasha@uni-a.example"
CONNECT, OUTCOME = "/sso/connect/", "/sso/outcome/"
STAFF = Origin(source=Source.STAFF.value, reason="Showed a student card")


@pytest.fixture
def held(provider: IdentityProvider) -> Learner:
    """A student whose address linked an account, with a place in a program."""
    holder = ConfirmedUserFactory(username="a_holder", email=ADDRESS)
    learner: Learner = LinkedLearnerFactory(
        school=provider.school, student_key="S-1", email=ADDRESS, user=holder, link_how="email"
    )
    ProgramEnrollmentFactory(curriculum__program__school=provider.school, learner=learner)
    return learner


def use_a_new_account(student: Student, university: University, commits: Any, **query: str) -> Any:
    encoded = university.response(student.start(**query), attributes={"urn:oid:0.9.2342.19200300.100.1.1": ["S-1"]})
    assert student.come_back(encoded)["Location"] == CONNECT
    with commits(execute=True):
        return student.client.post(CONNECT, {"decision": "new"})


def test_the_page_that_offers_a_new_account_warns_first(student: Student, uni_a: University, held: Learner) -> None:
    sign_on(student, uni_a, "S-1")

    page = student.client.get(CONNECT).content.decode()

    assert "already has your place at University A" in page
    assert "mailto:support@demo-lms.example" in page


def test_a_new_account_does_not_end_silently(
    student: Student, uni_a: University, held: Learner, django_capture_on_commit_callbacks: Any
) -> None:
    School.objects.update(support_name="Registrar", support_email="registrar@uni-a.example")

    response = use_a_new_account(student, uni_a, django_capture_on_commit_callbacks, next="/courses/one/")

    assert response["Location"] == OUTCOME
    page = student.client.get(OUTCOME).content.decode()
    assert "Another account holds your place" in page
    assert f"#{held.pk}" in page
    assert "mailto:registrar@uni-a.example" in page
    assert 'href="/courses/one/"' in page
    assert ADDRESS not in page
    assert held.user is not None
    assert held.user.get_username() not in page, "whose account it is is nobody else's affair"


def test_support_staff_are_alerted(
    student: Student, uni_a: University, held: Learner, django_capture_on_commit_callbacks: Any
) -> None:
    use_a_new_account(student, uni_a, django_capture_on_commit_callbacks)

    second = User.objects.get(username=student.username)
    held.refresh_from_db()
    assert held.problem_code == LearnerProblem.CONFLICT
    assert api.find_learners_in_need(kind="conflict") == [held.pk]
    claim = LinkClaim.objects.get()
    assert (claim.user, claim.how, claim.is_open) == (second, "sso", True)
    entry = LedgerEntry.objects.get(learner=held, kind=ChangeKind.CONFLICT)
    assert (entry.before, entry.after) == (f"email:{held.user_id}", f"sso:{second.pk}")


def test_it_is_said_at_each_sign_on_until_support_decides(
    student: Student, uni_a: University, held: Learner, django_capture_on_commit_callbacks: Any
) -> None:
    use_a_new_account(student, uni_a, django_capture_on_commit_callbacks)
    second = User.objects.get(username=student.username)

    with django_capture_on_commit_callbacks(execute=True):
        assert sign_on(Student(), uni_a, "S-1")["Location"] == OUTCOME

    api.link_learner(learner_id=held.pk, user_id=second.pk, origin=STAFF)
    again = Student()
    assert sign_on(again, uni_a, "S-1")["Location"] == "/dashboard/"
    assert again.username == second.username
    assert b"You are in no program" not in again.client.get("/dashboard/").content
    assert student.client.get(OUTCOME)["Location"] == "/dashboard/", "nothing is left to be said"


def test_declining_twice_makes_one_account(
    student: Student, uni_a: University, held: Learner, django_capture_on_commit_callbacks: Any
) -> None:
    """An account that staff linked is offered at each sign-on."""
    Learner.objects.update(link_how="staff")
    use_a_new_account(student, uni_a, django_capture_on_commit_callbacks)
    again = Student()

    use_a_new_account(again, uni_a, django_capture_on_commit_callbacks)

    assert again.username == student.username
    assert User.objects.count() == 2


def test_a_claim_that_staff_dismissed_is_not_shown(
    student: Student, uni_a: University, held: Learner, django_capture_on_commit_callbacks: Any
) -> None:
    use_a_new_account(student, uni_a, django_capture_on_commit_callbacks)
    api.settle_conflict(learner_ids=[held.pk], origin=STAFF, now=timezone.now())

    assert student.client.get(OUTCOME)["Location"] == "/dashboard/"


def test_nobody_else_reads_it(student: Student, uni_a: University, held: Learner) -> None:
    assert student.client.get(OUTCOME)["Location"] == "/sso/"
    student.client.force_login(ConfirmedUserFactory(username="kim"))
    assert student.client.get(OUTCOME)["Location"] == "/dashboard/"


def test_a_usual_sign_on_costs_nothing_more(
    student: Student, uni_a: University, provider: IdentityProvider, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        sign_on(student, uni_a, "S-1")

    assert sign_on(Student(), uni_a, "S-1")["Location"] == "/dashboard/"
