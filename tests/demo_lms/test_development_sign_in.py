from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client, override_settings
from social_django.models import UserSocialAuth

from program_enrollments.models import Learner, ProgramEnrollment
from tests.factories.enrollment import IdentityProviderFactory, LearnerFactory, PreemptiveProgramEnrollmentFactory
from tests.factories.host import UserFactory

pytestmark = pytest.mark.once

PATH = "/dev/sign-in/"


def sign_in(client: Client, **form: str) -> Any:
    return client.post(PATH, {"idp": "uni-a", "remote_id": "student1"} | form)


def signed_in_as(client: Client) -> str:
    username: str = client.get("/").context["user"].get_username()
    return username


@pytest.fixture(autouse=True)
def identity_providers(db: None) -> None:
    IdentityProviderFactory(slug="uni-a")
    IdentityProviderFactory(slug="uni-b")
    IdentityProviderFactory(slug="old-idp", is_enabled=False)


class TestSigningIn:
    def test_makes_an_account_with_what_the_university_asserts(self, client: Client) -> None:
        response = sign_in(client, email="ann@uni.example", full_name="Ann Example")

        assert (response.status_code, response.url) == (302, "/dashboard/")
        user = User.objects.get()
        assert (user.username, user.email, user.get_full_name()) == ("student1", "ann@uni.example", "Ann Example")
        assert not user.email_address.is_verified
        assert UserSocialAuth.objects.values_list("provider", "uid", "user").get() == (
            "tpa-saml",
            "uni-a:student1",
            user.pk,
        )
        assert signed_in_as(client) == "student1"

    @pytest.mark.django_db(transaction=True)
    def test_makes_real_what_waited_before_the_first_page(self, client: Client) -> None:
        learner = LearnerFactory(school=IdentityProviderFactory(slug="uni-c").school, student_key="Student1")
        enrollment = PreemptiveProgramEnrollmentFactory(learner=learner, curriculum__program__school=learner.school)

        response = client.post(PATH, {"idp": "uni-c", "remote_id": "student1"}, follow=True)

        assert enrollment.program.title in response.content.decode()
        assert ProgramEnrollment.objects.get().learner == learner
        learner.refresh_from_db()
        assert learner.user == User.objects.get()

    def test_finds_the_account_again(self, client: Client) -> None:
        sign_in(client)
        sign_in(Client())

        assert User.objects.count() == UserSocialAuth.objects.count() == 1

    def test_each_sign_in_saves_the_identity(self, client: Client) -> None:
        sign_in(client)
        first = UserSocialAuth.objects.get().modified
        sign_in(Client())

        assert UserSocialAuth.objects.get().modified > first

    def test_one_remote_id_at_two_universities_is_two_people(self, client: Client) -> None:
        sign_in(client)
        sign_in(client, idp="uni-b")

        assert User.objects.count() == 2
        assert signed_in_as(client).startswith("student1")
        assert signed_in_as(client) != "student1"

    def test_a_remote_id_is_no_username(self, client: Client) -> None:
        UserFactory(username="admin", is_superuser=True, is_staff=True)

        sign_in(client, remote_id="admin")

        assert signed_in_as(client) != "admin"
        assert not User.objects.get(username=signed_in_as(client)).is_staff

    def test_an_address_is_no_proof_of_being_its_owner(self, client: Client) -> None:
        UserFactory(username="ann", email="ann@uni.example")

        response = sign_in(client, email="ann@uni.example")

        assert response.url == "/sso/connect/", "it is offered, and waits for its owner to prove that they are"
        assert signed_in_as(client) == ""
        assert not UserSocialAuth.objects.exists()

    def test_goes_where_it_was_asked_to_on_this_site(self, client: Client) -> None:
        assert sign_in(client, next="/accounts/email/?x=1").url == "/accounts/email/?x=1"
        for elsewhere in ("https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"):
            assert sign_in(client, next=elsewhere).url == "/dashboard/"

    def test_works_without_a_token_against_forged_requests(self) -> None:
        assert sign_in(Client(enforce_csrf_checks=True)).status_code == 302

    def test_the_form_is_filled_in_from_the_query(self, client: Client) -> None:
        content = client.get(PATH, {"idp": "uni-b"}).content.decode()

        assert '<option value="uni-b" selected>' in content
        assert "old-idp" not in content


class TestAtASharedComputer:
    """A school identity is never attached to whoever happens to be signed in."""

    def test_the_second_student_is_signed_in_as_themselves(self, client: Client) -> None:
        sign_in(client)

        sign_in(client, remote_id="student2")

        assert signed_in_as(client) == "student2"
        assert set(UserSocialAuth.objects.values_list("user__username", "uid")) == {
            ("student1", "uni-a:student1"),
            ("student2", "uni-a:student2"),
        }

    def test_a_known_student_is_signed_in_as_themselves(self, client: Client) -> None:
        sign_in(Client(), remote_id="student2")
        sign_in(client)

        assert sign_in(client, remote_id="student2").status_code == 302
        assert signed_in_as(client) == "student2"

    def test_an_account_with_a_password_stays_its_owners(self, client: Client) -> None:
        client.force_login(UserFactory(username="ann"))

        sign_in(client)

        assert signed_in_as(client) == "student1"
        assert not UserSocialAuth.objects.filter(user__username="ann").exists()


class TestNonsense:
    @pytest.mark.parametrize(
        "form",
        [
            {"idp": "nowhere"},
            {"idp": "old-idp"},
            {"idp": ""},
            {"idp": "uni-a:"},
            {"idp": "UNI-A"},
            {"idp": "\x00"},
            {"remote_id": ""},
            {"remote_id": "x" * 250},
            {"remote_id": "x" * 300},
            {"remote_id": "x" * 100_000},
            {"remote_id": "a\x00b"},
            {"remote_id": "a\nb"},
            {"remote_id": "a\x7fb"},
            {"email": "nonsense"},
            {"email": "x" * 250 + "@uni.example"},
            {"full_name": "x" * 151},
        ],
        ids=lambda form: next(f"{name}={value[:12]!r}" for name, value in form.items()),
    )
    def test_is_refused_with_a_page(self, client: Client, form: dict[str, str]) -> None:
        response = sign_in(client, **form)

        assert response.status_code == 400
        assert "errorlist" in response.content.decode()
        assert not User.objects.exists()
        assert signed_in_as(client) == ""

    @pytest.mark.parametrize("remote_id", ["a:b:c", ":", "\N{SNOWMAN}", "x" * 249, "' OR 1=1 --", "<script>"])
    def test_what_the_pipeline_takes_signs_in(self, client: Client, remote_id: str) -> None:
        assert sign_in(client, remote_id=remote_id).status_code == 302
        assert UserSocialAuth.objects.get().uid == f"uni-a:{remote_id}"

    def test_an_id_of_spaces_names_nobody(self, client: Client) -> None:
        assert sign_in(client, remote_id="   ").status_code == 400
        assert not Learner.objects.exists()

    def test_an_inactive_account_is_told_so(self, client: Client) -> None:
        sign_in(Client())
        User.objects.update(is_active=False)

        response = sign_in(client)

        assert response.status_code == 403
        assert "switched off" in response.content.decode()
        assert signed_in_as(client) == ""

    def test_ids_that_differ_in_case_are_one_account_on_every_database(self, client: Client) -> None:
        sign_in(Client(), remote_id="s-1")

        assert sign_in(client, remote_id="S-1").status_code == 302
        assert signed_in_as(client) == "s-1"
        assert UserSocialAuth.objects.get().uid == "uni-a:s-1"

    def test_a_log_says_nothing_about_the_person(self, client: Client, caplog: pytest.LogCaptureFixture) -> None:
        sign_in(client, remote_id="secret-id" * 40, email="ann@uni.example")

        assert caplog.messages
        assert not any("secret-id" in message or "ann@" in message for message in caplog.messages)


@pytest.mark.parametrize("path", [PATH, "/dev/outbox/"])
def test_development_pages_do_not_exist_on_a_real_site(client: Client, path: str) -> None:
    assert client.get(path).status_code == 200
    with override_settings(DEMO_DEV_SIGN_IN=False):
        assert client.get(path).status_code == 404
        assert sign_in(client).status_code == 404
        assert path not in client.get("/").content.decode()
        assert path not in client.get("/accounts/sign-in/").content.decode()
    assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_browsers_at_once_are_one_account() -> None:
    browsers = 4
    start = threading.Barrier(browsers)

    def browse() -> int:
        client = Client()
        start.wait()
        try:
            return int(sign_in(client).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(browsers) as pool:
        statuses = [future.result() for future in [pool.submit(browse) for _ in range(browsers)]]

    assert statuses == [302] * browsers
    assert User.objects.count() == UserSocialAuth.objects.count() == 1
