"""An account with the same e-mail address is offered, and connected once its owner has proved both."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from social_django.models import UserSocialAuth

from program_enrollments.models import IdentityProvider, Learner, SamlConfiguration, SchoolEmailDomain
from program_enrollments.saml.connections import MAX_AGE_SECONDS, SESSION_KEY
from program_enrollments.saml.identities import UID
from tests.factories.enrollment import LearnerFactory, LinkedLearnerFactory
from tests.factories.host import ConfirmedUserFactory, UserFactory
from tests.saml.student import Student
from tests.saml.university import University

MAIL = "urn:oid:0.9.2342.19200300.100.1.3"
ADDRESS = "sasha@uni-a.example"
PAGE = "/sso/connect/"
OUTCOME = "/sso/outcome/"


def sign_on(student: Student, university: University, address: str = ADDRESS, **query: str) -> Any:
    encoded = university.response(student.start(**query), attributes={UID: ["S-1"], MAIL: [address]})
    return student.come_back(encoded)


def sign_in(student: Student, username: str, **data: str) -> Any:
    """Sign in at the host's own page, as the page here sends people to."""
    form = {"username": username, "password": "password"} | data
    return student.client.post("/accounts/sign-in/?next=/sso/connect/", form | {"next": PAGE})


@pytest.fixture
def sasha(db: None) -> User:
    """Signed up with a password before the university came along."""
    return ConfirmedUserFactory(username="sasha", email=ADDRESS)


class TestOffering:
    @pytest.mark.parametrize("address", [ADDRESS, ADDRESS.upper()])
    def test_nobody_is_signed_in_and_nothing_connected_before_the_proof(
        self, student: Student, uni_a: University, sasha: User, address: str
    ) -> None:
        response = sign_on(student, uni_a, address)

        assert (response.status_code, response["Location"]) == (302, PAGE)
        page = student.client.get(PAGE).content.decode()
        assert "University A" in page
        assert "/accounts/sign-in/?next=%2Fsso%2Fconnect%2F" in page
        assert student.username == ""
        assert not UserSocialAuth.objects.exists()

    def test_an_unconfirmed_address_is_offered_too(self, student: Student, uni_a: University) -> None:
        UserFactory(username="sasha", email=ADDRESS)

        assert sign_on(student, uni_a)["Location"] == PAGE

    def test_an_account_that_staff_or_an_address_linked_is_offered_without_an_address(
        self, student: Student, uni_a: University, provider: IdentityProvider
    ) -> None:
        learner = LinkedLearnerFactory(school=provider.school, student_key="s-1", link_how="staff")

        assert sign_on(student, uni_a, "")["Location"] == PAGE
        sign_in(student, learner.user.username)
        assert student.client.post(PAGE, {"decision": "connect"}).status_code == 302
        assert UserSocialAuth.objects.get().user == learner.user

    def test_an_account_that_is_switched_off_is_not_offered(
        self, student: Student, uni_a: University, sasha: User
    ) -> None:
        User.objects.update(is_active=False)

        assert sign_on(student, uni_a)["Location"] == "/dashboard/"
        assert student.username != "sasha"

    def test_who_was_signed_in_is_signed_out_first(self, student: Student, uni_a: University, sasha: User) -> None:
        """Being signed in must prove that the account's owner is here now, not that somebody was before."""
        student.client.force_login(sasha)

        sign_on(student, uni_a)

        assert student.username == ""
        assert b'value="connect"' not in student.client.get(PAGE).content


class TestConnecting:
    def test_both_proved_the_account_opens_by_the_university_from_then_on(
        self, student: Student, uni_a: University, sasha: User, provider: IdentityProvider
    ) -> None:
        sign_on(student, uni_a, next="/courses/one/")
        assert sign_in(student, "sasha")["Location"] == PAGE
        page = student.client.get(PAGE).content.decode()
        assert "Connect University A to sasha" in page

        response = student.client.post(PAGE, {"decision": "connect"})

        assert (response.status_code, response["Location"]) == (302, OUTCOME)
        assert UserSocialAuth.objects.values_list("uid", "user").get() == ("uni-a:S-1", sasha.pk)
        again = Student()
        assert sign_on(again, uni_a)["Location"] == "/dashboard/"
        assert again.username == "sasha"
        assert User.objects.count() == 1

    def test_ends_on_a_page_that_says_so_and_leads_on(self, student: Student, uni_a: University, sasha: User) -> None:
        sign_on(student, uni_a, next="/courses/one/")
        sign_in(student, "sasha")

        page = student.client.post(PAGE, {"decision": "connect"}, follow=True).content.decode()

        assert "Your account is connected" in page
        assert "sasha" in page
        assert 'href="/courses/one/"' in page

    def test_confirms_the_address_if_the_school_vouches_for_it(
        self, student: Student, uni_a: University, provider: IdentityProvider, django_capture_on_commit_callbacks: Any
    ) -> None:
        """And what another school promised to that address becomes real."""
        sasha = UserFactory(username="sasha", email=ADDRESS)
        elsewhere = LearnerFactory(student_key="X-1", email=ADDRESS)
        SchoolEmailDomain.objects.create(school=provider.school, domain="uni-a.example")
        SamlConfiguration.objects.update(confirms_email=True)
        sign_on(student, uni_a)
        sign_in(student, "sasha")

        with django_capture_on_commit_callbacks(execute=True):
            page = student.client.post(PAGE, {"decision": "connect"}, follow=True).content.decode()

        assert "Your e-mail address is confirmed." in page
        sasha.refresh_from_db()
        assert sasha.email_address.is_verified
        elsewhere.refresh_from_db()
        assert (elsewhere.user, elsewhere.link_how) == (sasha, "email")

    @pytest.mark.parametrize("confirms", [True, False])
    def test_leaves_an_address_unconfirmed_that_the_school_does_not_vouch_for(
        self, student: Student, uni_a: University, provider: IdentityProvider, confirms: bool
    ) -> None:
        """The provider may not confirm addresses, or may not at this domain."""
        sasha = UserFactory(username="sasha", email=ADDRESS)
        SchoolEmailDomain.objects.create(
            school=provider.school, domain="other.example" if confirms else "uni-a.example"
        )
        SamlConfiguration.objects.update(confirms_email=confirms)
        sign_on(student, uni_a)
        sign_in(student, "sasha")

        page = student.client.post(PAGE, {"decision": "connect"}, follow=True).content.decode()

        assert "is not confirmed yet" in page
        sasha.refresh_from_db()
        assert not sasha.email_address.is_verified

    def test_coming_back_through_the_university_is_no_loop(
        self, student: Student, uni_a: University, sasha: User
    ) -> None:
        """The host's sign-in page offers the university, too. It proves nothing new."""
        sign_on(student, uni_a, next="/courses/one/")
        assert "You have come back" not in student.client.get(PAGE).content.decode()

        assert sign_on(student, uni_a, next=PAGE)["Location"] == PAGE

        assert "You have come back through University A" in student.client.get(PAGE).content.decode()
        sign_in(student, "sasha")
        page = student.client.post(PAGE, {"decision": "connect"}, follow=True).content.decode()
        assert 'href="/courses/one/"' in page, "where the student wanted to go at first"

    def test_realizes_what_was_promised(
        self,
        student: Student,
        uni_a: University,
        sasha: User,
        provider: IdentityProvider,
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        sign_on(student, uni_a)
        sign_in(student, "sasha")

        with django_capture_on_commit_callbacks(execute=True):
            student.client.post(PAGE, {"decision": "connect"})

        assert Learner.objects.get().user == sasha

    def test_another_account_cannot_be_connected(self, student: Student, uni_a: University, sasha: User) -> None:
        UserFactory(username="kim", email="kim@uni-a.example")
        sign_on(student, uni_a)
        sign_in(student, "kim")

        assert b'value="connect"' not in student.client.get(PAGE).content
        response = student.client.post(PAGE, {"decision": "connect"})

        assert response.status_code == 403
        assert not UserSocialAuth.objects.exists()

    def test_without_signing_in_nothing_is_connected(self, student: Student, uni_a: University, sasha: User) -> None:
        sign_on(student, uni_a)

        assert student.client.post(PAGE, {"decision": "connect"})["Location"] == PAGE
        assert not UserSocialAuth.objects.exists()

    def test_forged_requests_are_refused(self, uni_a: University, provider: IdentityProvider, sasha: User) -> None:
        student = Student(Client(enforce_csrf_checks=True))
        sign_on(student, uni_a)
        student.client.force_login(sasha)

        assert student.client.post(PAGE, {"decision": "connect"}).status_code == 403
        assert not UserSocialAuth.objects.exists()

    def test_it_works_once(self, student: Student, uni_a: University, sasha: User) -> None:
        sign_on(student, uni_a)
        sign_in(student, "sasha")
        student.client.post(PAGE, {"decision": "connect"})

        assert student.client.get(PAGE).status_code == 403

    def test_the_identity_may_have_become_another_accounts_meanwhile(
        self, student: Student, uni_a: University, sasha: User
    ) -> None:
        sign_on(student, uni_a)
        sign_in(student, "sasha")
        UserSocialAuth.objects.create(user=UserFactory(), provider="tpa-saml", uid="uni-a:S-1")

        response = student.client.post(PAGE, {"decision": "connect"})

        assert response.status_code == 409
        assert not UserSocialAuth.objects.filter(user=sasha).exists()


class TestUsingANewAccount:
    def test_leaves_the_existing_one_as_it_is(self, student: Student, uni_a: University, sasha: User) -> None:
        sign_on(student, uni_a)

        response = student.client.post(PAGE, {"decision": "new"})

        assert (response.status_code, response["Location"]) == (302, "/dashboard/")
        assert student.username not in {"", "sasha"}
        assert User.objects.get(username=student.username).email == "", "the address is the other account's"
        assert UserSocialAuth.objects.get().user.username == student.username
        sasha.refresh_from_db()
        assert sasha.email == ADDRESS

    def test_takes_the_address_where_the_school_vouches_and_nobody_has_confirmed_it(
        self, student: Student, uni_a: University, provider: IdentityProvider
    ) -> None:
        """Somebody else has signed up with the student's address, but could never confirm it."""
        UserFactory(username="squatter", email=ADDRESS)
        SchoolEmailDomain.objects.create(school=provider.school, domain="uni-a.example")
        SamlConfiguration.objects.update(confirms_email=True)
        sign_on(student, uni_a)

        student.client.post(PAGE, {"decision": "new"})

        user = User.objects.get(username=student.username)
        assert user.email == ADDRESS
        assert user.email_address.is_verified

    def test_leaves_an_address_to_the_account_that_has_confirmed_it(
        self, student: Student, uni_a: University, provider: IdentityProvider, sasha: User
    ) -> None:
        SchoolEmailDomain.objects.create(school=provider.school, domain="uni-a.example")
        SamlConfiguration.objects.update(confirms_email=True)
        sign_on(student, uni_a)

        student.client.post(PAGE, {"decision": "new"})

        assert User.objects.get(username=student.username).email == ""

    def test_when_signed_in_to_an_unfitting_account(self, student: Student, uni_a: University, sasha: User) -> None:
        UserFactory(username="kim")
        sign_on(student, uni_a)
        sign_in(student, "kim")

        student.client.post(PAGE, {"decision": "new"})

        assert student.username not in {"kim", "sasha", ""}


class TestWaiting:
    def test_does_not_last(self, student: Student, uni_a: University, sasha: User) -> None:
        sign_on(student, uni_a)
        sign_in(student, "sasha")
        session = student.client.session
        assert session[SESSION_KEY]["until"] <= time.time() + MAX_AGE_SECONDS
        session[SESSION_KEY] = session[SESSION_KEY] | {"until": int(time.time()) - 1}
        session.save()

        for response in (student.client.get(PAGE), student.client.post(PAGE, {"decision": "connect"})):
            assert response.status_code == 403
        assert not UserSocialAuth.objects.exists()
        assert SESSION_KEY not in student.client.session

    def test_ends_when_the_provider_is_switched_off(self, student: Student, uni_a: University, sasha: User) -> None:
        sign_on(student, uni_a)
        IdentityProvider.objects.update(is_enabled=False)

        assert student.client.get(PAGE).status_code == 403
        assert student.client.post(PAGE, {"decision": "new"}).status_code == 403
        assert User.objects.count() == 1

    def test_there_is_nothing_for_who_just_comes_along(self, student: Student) -> None:
        assert student.client.get(PAGE).status_code == 403

    def test_nonsense_decides_nothing(self, student: Student, uni_a: University, sasha: User) -> None:
        sign_on(student, uni_a)

        assert student.client.post(PAGE, {"decision": "maybe"})["Location"] == PAGE
        assert student.client.post(PAGE)["Location"] == PAGE
