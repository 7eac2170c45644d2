"""Metadata by a link that works once: pasted without an account, compared, and only then activated."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from program_enrollments import api
from program_enrollments.models import IdentityProvider, MetadataRequest, SamlConfiguration, School
from tests.api.sso.test_metadata import certificate, entity, key, service
from tests.console.conftest import Desk
from tests.factories.enrollment import IdentityProviderFactory, SchoolFactory
from tests.rest_api.callers import Campus

__all__ = ["certificate"]


@pytest.fixture
def token(registrar: Desk, campus: Campus) -> str:
    User.objects.filter(pk=registrar.user.pk).update(email="registrar@uni.example")
    page = registrar.send("request-metadata", campus.school.key, email="idp@uni.example")
    assert "idp@uni.example has been asked." in page.messages()[0]
    assert mail.outbox[-1].to == ["idp@uni.example"]
    match = re.search(r"/metadata/([^/\s]+)/", str(mail.outbox[-1].body))
    assert match
    return match[1]


@pytest.fixture
def xml(certificate: str) -> str:
    return entity(key(certificate) + service(), entity_id="https://idp.uni.example/saml")


def send(token: str, xml: str) -> Any:
    """Paste metadata as somebody without an account."""
    return Client().post(reverse("console:metadata-link", args=[token]), {"metadata": xml})


def configure(school: School, certificate: str) -> SamlConfiguration:
    return SamlConfiguration.objects.create(
        identity_provider=IdentityProviderFactory(school=school, slug=f"idp-of-{school.key}"),
        entity_id="https://idp.uni.example/saml",
        sso_url="https://idp.uni.example/old",
        signing_certificates=certificate,
        id_attribute="uid",
    )


def decide(registrar: Desk, campus: Campus, **data: str) -> Any:
    return registrar.send("metadata-decision", campus.school.key, MetadataRequest.objects.get().pk, **data)


def test_a_draft_counts_only_after_it_was_activated(
    registrar: Desk, campus: Campus, token: str, xml: str, certificate: str
) -> None:
    response = send(token, xml)

    assert b"Thank you, it is here" in response.content
    assert mail.outbox[-1].to == ["registrar@uni.example"]
    assert not IdentityProvider.objects.exists()
    page = registrar.open("sign-in", campus.school.key)
    (fingerprint,) = [one.fingerprint for one in api.read_certificates(text=certificate)]
    assert "does not count yet" in page.text
    assert "https://idp.uni.example/saml" in page.text
    assert fingerprint in page.text

    page = decide(registrar, campus, slug="uni-a", id_attribute="uid")

    assert "counts now" in page.messages()[0]
    provider = IdentityProvider.objects.get()
    assert (provider.slug, provider.school, provider.saml.is_test_only) == ("uni-a", campus.school, True)
    assert "does not count yet" not in page.text


def test_the_link_works_once(token: str, xml: str) -> None:
    send(token, xml)

    response = send(token, xml)

    assert response.status_code == 404
    assert b"This link does not count any more" in response.content
    assert Client().get(reverse("console:metadata-link", args=[token])).status_code == 404


def test_looking_at_it_does_not_use_it_up(token: str, xml: str) -> None:
    assert Client().get(reverse("console:metadata-link", args=[token])).status_code == 200
    assert b"Thank you" in send(token, xml).content


def test_it_ends_after_three_days(token: str, xml: str) -> None:
    expires = MetadataRequest.objects.get().expires_at
    assert timedelta(hours=71) < expires - timezone.now() <= timedelta(hours=72)
    MetadataRequest.objects.update(expires_at=timezone.now())

    assert send(token, xml).status_code == 404


def test_what_is_no_metadata_is_said_and_can_be_corrected(token: str, xml: str) -> None:
    response = send(token, "<html/>")

    assert response.status_code == 400
    assert MetadataRequest.objects.get().sent_at is None
    assert b"Thank you" in send(token, xml).content


def test_it_needs_no_account_and_opens_nothing_else(token: str) -> None:
    response = Client().get(reverse("console:metadata-link", args=[token]))

    assert response.status_code == 200
    assert b"<nav" not in response.content


def test_the_token_itself_is_not_stored(token: str) -> None:
    assert token not in str(list(MetadataRequest.objects.values()))


def test_a_known_provider_keeps_its_keys_and_gets_the_new_ones(
    registrar: Desk, campus: Campus, token: str, xml: str, universities_certificate: str
) -> None:
    configuration = configure(campus.school, universities_certificate)
    send(token, xml)

    decide(registrar, campus)

    configuration.refresh_from_db()
    assert configuration.sso_url == "https://idp.example/sso"
    assert len(api.read_certificates(text=configuration.signing_certificates)) == 2
    assert IdentityProvider.objects.count() == 1


def test_another_schools_entity_id_is_not_taken_over(
    registrar: Desk, token: str, xml: str, campus: Campus, universities_certificate: str
) -> None:
    configuration = configure(SchoolFactory(key="uni-b"), universities_certificate)
    send(token, xml)

    page = decide(registrar, campus, slug="uni-a", id_attribute="uid")

    assert "Another school's identity provider has this entity ID." in page.messages()[0]
    configuration.refresh_from_db()
    assert configuration.sso_url == "https://idp.uni.example/old"
    assert "does not count yet" in page.text, "the draft still waits"


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"slug": "uni-a", "id_attribute": ""}, "Name the attribute of the permanent ID"),
        ({"slug": "uni:a", "id_attribute": "uid"}, "Use letters, digits"),
        ({"slug": "taken", "id_attribute": "uid"}, "Another identity provider has this slug"),
    ],
)
def test_what_a_new_provider_needs(
    registrar: Desk, campus: Campus, token: str, xml: str, form: dict[str, str], message: str
) -> None:
    IdentityProviderFactory(slug="taken")
    send(token, xml)

    page = decide(registrar, campus, **form)

    assert message in page.messages()[0]
    assert not SamlConfiguration.objects.exists()


def test_a_rejected_draft_changes_nothing(registrar: Desk, campus: Campus, token: str, xml: str) -> None:
    send(token, xml)

    page = decide(registrar, campus, reject="1")

    assert page.messages() == ["The draft is rejected. Nothing has changed."]
    assert not IdentityProvider.objects.exists()
    assert decide(registrar, campus, slug="uni-a", id_attribute="uid").status == 404
