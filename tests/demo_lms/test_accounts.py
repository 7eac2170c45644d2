from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core import mail, signing
from django.test import Client
from django.utils import timezone

from demo_lms.accounts.confirmation import SALT, VALID_FOR, mark_confirmed
from demo_lms.models import EmailAddress
from program_enrollments.models import ProgramEnrollment
from tests.factories.enrollment import LearnerFactory, PreemptiveProgramEnrollmentFactory
from tests.factories.host import ConfirmedUserFactory, UserFactory

pytestmark = [pytest.mark.once, pytest.mark.django_db]

FORM = {
    "username": "ann",
    "email": "ann@uni.example",
    "password1": "correct horse battery",
    "password2": "correct horse battery",
}


def link_in_last_mail() -> str:
    found = re.search(r"http://testserver(/accounts/email/confirm/\S+)", str(mail.outbox[-1].body))
    assert found is not None
    return found[1]


def is_verified(username: str) -> bool:
    return EmailAddress.objects.get(user__username=username).is_verified


class TestSignUp:
    def test_makes_an_account_signs_in_and_mails_a_link(self, client: Client) -> None:
        response = client.post("/accounts/sign-up/", FORM, follow=True)

        assert response.redirect_chain == [("/dashboard/", 302)]
        assert response.context["user"].username == "ann"
        assert not is_verified("ann")
        assert mail.outbox[0].to == ["ann@uni.example"]

    @pytest.mark.parametrize(
        "changes",
        [
            {"email": ""},
            {"email": "not an address"},
            {"email": "a" * 250 + "@uni.example"},
            {"username": ""},
            {"username": "a\x00b"},
            {"username": "taken"},
            {"password1": "12345", "password2": "12345"},
            {"password2": "another one"},
        ],
    )
    def test_bad_input_is_shown_again(self, client: Client, changes: dict[str, str]) -> None:
        UserFactory(username="taken")

        response = client.post("/accounts/sign-up/", FORM | changes)

        assert response.status_code == 400
        assert "errorlist" in response.content.decode()
        assert User.objects.count() == 1
        assert not mail.outbox


class TestConfirming:
    def test_the_link_asks_and_the_button_confirms(self, client: Client) -> None:
        client.post("/accounts/sign-up/", FORM)
        link = link_in_last_mail()

        assert "ann@uni.example" in Client().get(link).content.decode()
        assert not is_verified("ann"), "looking at the link is not enough"
        assert client.post(link).status_code == 302
        assert is_verified("ann")

    def test_makes_real_what_waited_for_the_address(self, client: Client) -> None:
        learner = LearnerFactory(student_key="", email="Ann@Uni.example")
        PreemptiveProgramEnrollmentFactory(learner=learner, curriculum__program__school=learner.school)
        client.post("/accounts/sign-up/", FORM)
        assert not ProgramEnrollment.objects.exists(), "an unconfirmed address is nobody's"

        response = client.post(link_in_last_mail(), follow=True)

        enrollment = ProgramEnrollment.objects.get()
        assert enrollment.learner.user == User.objects.get(username="ann")
        assert enrollment.program.title in response.content.decode()

    def test_confirming_twice_changes_nothing(self, client: Client) -> None:
        client.post("/accounts/sign-up/", FORM)
        client.post(link_in_last_mail())
        first = EmailAddress.objects.get().verified_at

        assert client.post(link_in_last_mail()).status_code == 302
        assert EmailAddress.objects.get().verified_at == first

    @pytest.mark.parametrize("token", ["nonsense", "a:b:c", "%00", "x" * 3000])
    def test_a_forged_link_confirms_nothing(self, client: Client, token: str) -> None:
        client.post("/accounts/sign-up/", FORM)

        for answer in (client.get, client.post):
            response = answer(f"/accounts/email/confirm/{token}/")
            assert response.status_code == 400
            assert "This link is incomplete" in response.content.decode()
        assert not is_verified("ann")

    def test_an_old_link_confirms_nothing(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        user = UserFactory(email="ann@uni.example")
        long_ago = (timezone.now() - VALID_FOR - timedelta(minutes=1)).timestamp()
        signer = signing.TimestampSigner(salt=SALT)
        monkeypatch.setattr(signer, "timestamp", lambda: signing.b62_encode(int(long_ago)))
        token = signer.sign_object({"user": user.pk, "email": user.email})

        assert client.post(f"/accounts/email/confirm/{token}/").status_code == 400
        assert not is_verified(user.username)

    def test_an_address_belongs_to_who_confirms_it_first(self, client: Client) -> None:
        client.post("/accounts/sign-up/", FORM)
        link = link_in_last_mail()
        ConfirmedUserFactory(email="ANN@uni.example")

        response = client.post(link)

        assert response.status_code == 400
        assert "Another account has confirmed this address" in response.content.decode()
        assert not is_verified("ann")


class TestChangingTheAddress:
    def test_the_new_one_is_unconfirmed_and_the_old_link_dead(self, client: Client) -> None:
        client.post("/accounts/sign-up/", FORM)
        old_link = link_in_last_mail()
        client.post(old_link)

        client.post("/accounts/email/", {"email": "ann@elsewhere.example"})

        assert not is_verified("ann")
        assert client.post(old_link).status_code == 400
        assert mail.outbox[-1].to == ["ann@elsewhere.example"]
        client.post(link_in_last_mail())
        assert is_verified("ann")
        assert EmailAddress.objects.get().email == "ann@elsewhere.example"

    @pytest.mark.parametrize("email", ["", "nonsense", "ann@uni.example"])
    def test_bad_input_changes_nothing(self, client: Client, email: str) -> None:
        user = UserFactory(email="ann@uni.example")
        mark_confirmed(address=user.email_address, now=timezone.now())
        client.force_login(user)

        assert client.post("/accounts/email/", {"email": email}).status_code == 400
        assert is_verified(user.username)
        assert not mail.outbox

    def test_a_link_is_sent_again_while_it_is_needed(self, client: Client) -> None:
        user = UserFactory(email="ann@uni.example")
        client.force_login(user)

        client.post("/accounts/email/send-link/")
        client.post(link_in_last_mail())
        client.post("/accounts/email/send-link/")

        assert is_verified(user.username)
        assert len(mail.outbox) == 1

    def test_removing_the_address_forgets_that_it_was_confirmed(self) -> None:
        user = ConfirmedUserFactory()
        user.email = ""
        user.save()

        assert not EmailAddress.objects.filter(user=user).exists()

    def test_saving_something_else_leaves_it_confirmed(self) -> None:
        user = ConfirmedUserFactory()
        user.first_name = "Ann"
        user.save()
        user.save(update_fields=["last_login"])

        assert is_verified(user.username)


class TestSigningInAndOut:
    def test_with_a_password(self, client: Client) -> None:
        UserFactory(username="ann")

        response = client.post("/accounts/sign-in/", {"username": "ann", "password": "password"}, follow=True)

        assert response.redirect_chain == [("/dashboard/", 302)]
        client.post("/accounts/sign-out/")
        assert client.get("/dashboard/").status_code == 302

    def test_leads_back_to_this_site_only(self, client: Client) -> None:
        UserFactory(username="ann")
        form = {"username": "ann", "password": "password"}

        assert client.post("/accounts/sign-in/", form | {"next": "/accounts/email/"}).url == "/accounts/email/"  # type: ignore[attr-defined]
        assert client.post("/accounts/sign-in/", form | {"next": "//evil.example/"}).url == "/dashboard/"  # type: ignore[attr-defined]
