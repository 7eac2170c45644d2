from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.contrib.admin.models import LogEntry
from django.utils import timezone

from program_enrollments import api
from program_enrollments.models import IdentityProvider, ProposedMetadata, SamlConfiguration
from tests.admin.conftest import Desk, url_of
from tests.factories.enrollment import IdentityProviderFactory
from tests.factories.saml import SamlConfigurationFactory
from tests.saml.student import Student
from tests.saml.university import University, found_university

NEW_URL = "https://idp2.uni-a.example/sso"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> list[University]:
    """University A with its first and its next key."""
    folder: Path = tmp_path_factory.mktemp("keys")
    entity_id = "https://idp.uni-a.example/saml"
    return [University("uni-a", entity_id, found_university(name, folder).keys) for name in ("first", "next")]


@pytest.fixture
def provider(db: None, keys: list[University]) -> IdentityProvider:
    identity_provider: IdentityProvider = IdentityProviderFactory(slug="uni-a")
    SamlConfigurationFactory(identity_provider=identity_provider, signing_certificates=keys[0].certificate.strip())
    return identity_provider


@pytest.fixture
def proposed(provider: IdentityProvider, keys: list[University]) -> ProposedMetadata:
    return ProposedMetadata.objects.create(
        configuration=provider.saml,
        sso_url=NEW_URL,
        signing_certificates="\n".join(university.certificate.strip() for university in keys),
        proposed_at=timezone.now(),
    )


def page_of(provider: IdentityProvider) -> str:
    return url_of(IdentityProvider, "proposal", provider.pk)


def version(desk: Desk, provider: IdentityProvider) -> str:
    (found,) = desk.get(page_of(provider)).tree.xpath('//input[@name="version"]/@value')
    return str(found)


class TestAProposedChange:
    def test_is_announced_and_shown_beside_what_is_in_use(
        self, desk: Desk, provider: IdentityProvider, proposed: ProposedMetadata, keys: list[University]
    ) -> None:
        change = desk.get(url_of(IdentityProvider, "change", provider.pk))
        assert any("published metadata differs" in message for message in change.messages())
        assert page_of(provider) in change.text

        page = desk.get(page_of(provider))

        for university in keys:
            assert api.read_certificates(text=university.certificate)[0].fingerprint in page.text
        assert "valid from" in page.text
        assert NEW_URL in page.text
        assert "Until now it was https://idp.uni-a.example/sso" in page.text

    def test_is_approved_with_a_reason_and_counts_at_once(
        self, desk: Desk, provider: IdentityProvider, proposed: ProposedMetadata, keys: list[University]
    ) -> None:
        student = Student()
        request_id = student.start()
        assert student.come_back(keys[1].response(request_id)).status_code == 403

        page = desk.post(
            page_of(provider), version=version(desk, provider), reason="Compared by telephone.", approve="Approve"
        )

        assert page.redirected_to == url_of(IdentityProvider, "change", provider.pk)
        assert any("approved" in message for message in page.messages())
        saml = SamlConfiguration.objects.get()
        assert (saml.sso_url, saml.signing_certificates) == (NEW_URL, proposed.signing_certificates)
        assert not ProposedMetadata.objects.exists()
        assert "Compared by telephone." in LogEntry.objects.get().get_change_message()
        assert student.come_back(keys[1].response(request_id)).status_code == 302

    def test_is_rejected_with_a_reason(
        self, desk: Desk, provider: IdentityProvider, proposed: ProposedMetadata
    ) -> None:
        before = SamlConfiguration.objects.values().get()

        desk.post(page_of(provider), version=version(desk, provider), reason="Nobody knows it.", reject="Reject")

        assert SamlConfiguration.objects.values().get() == before
        proposed.refresh_from_db()
        assert proposed.rejected_at is not None
        assert proposed.reason == "Nobody knows it."
        assert "Nobody knows it." in LogEntry.objects.get().get_change_message()
        page = desk.get(page_of(provider))
        assert "Nobody knows it." in page.text
        assert page.tree.xpath('//input[@name="approve"]'), "whoever errs can approve it later"
        assert not page.tree.xpath('//input[@name="reject"]')
        assert desk.get(url_of(IdentityProvider, "change", provider.pk)).messages() == []

    @pytest.mark.parametrize("decision", ["approve", "reject"])
    def test_is_not_decided_without_a_reason(
        self, desk: Desk, provider: IdentityProvider, proposed: ProposedMetadata, decision: str
    ) -> None:
        page = desk.post(page_of(provider), version=version(desk, provider), reason=" ", **{decision: "1"})

        assert any("required" in error for error in page.errors())
        assert ProposedMetadata.objects.get().rejected_at is None
        assert SamlConfiguration.objects.get().sso_url != NEW_URL

    def test_that_changed_since_it_was_seen_is_shown_again(
        self, desk: Desk, provider: IdentityProvider, proposed: ProposedMetadata
    ) -> None:
        seen = version(desk, provider)
        ProposedMetadata.objects.update(sso_url="https://evil.example/")

        page = desk.post(page_of(provider), version=seen, reason="Compared.", approve="1")

        assert any("has changed since" in message for message in page.messages())
        assert "https://evil.example/" in page.text
        assert SamlConfiguration.objects.get().sso_url == "https://idp.uni-a.example/sso"

    def test_that_somebody_else_has_decided_on(
        self, desk: Desk, provider: IdentityProvider, proposed: ProposedMetadata
    ) -> None:
        seen = version(desk, provider)
        ProposedMetadata.objects.all().delete()

        page = desk.post(page_of(provider), version=seen, reason="Compared.", approve="1")

        assert any("Nothing is proposed any more" in message for message in page.messages())
        assert desk.get(page_of(provider)).status == 404

    def test_is_decided_by_post_alone(self, desk: Desk, provider: IdentityProvider, proposed: ProposedMetadata) -> None:
        desk.get(page_of(provider), version=version(desk, provider), reason="Compared.", approve="1")

        assert ProposedMetadata.objects.exists()

    def test_is_decided_by_who_may_change_providers(
        self, desk_with: Callable[..., Desk], provider: IdentityProvider, proposed: ProposedMetadata
    ) -> None:
        viewer = desk_with("view_identityprovider")
        assert viewer.get(page_of(provider)).status == 403
        assert viewer.post(page_of(provider), reason="Compared.", approve="1").status == 403
        assert page_of(provider) not in viewer.get(url_of(IdentityProvider, "change", provider.pk)).text
        assert desk_with("change_identityprovider").get(page_of(provider)).status == 200


class TestWhereMetadataComesFrom:
    def save(self, desk: Desk, provider: IdentityProvider, **changed: str) -> list[str]:
        url = url_of(IdentityProvider, "change", provider.pk)
        form = dict(desk.get(url).tree.xpath('//form[@id="identityprovider_form"]')[0].form_values())
        return desk.post(url, **form | changed).errors()

    def test_is_entered_with_the_fingerprint_in_any_spelling(
        self, desk: Desk, provider: IdentityProvider, keys: list[University]
    ) -> None:
        fingerprint = api.read_certificates(text=keys[1].certificate)[0].fingerprint
        changed = {
            "saml-0-metadata_url": " https://idp.uni-a.example/metadata ",
            "saml-0-metadata_fingerprint": fingerprint.lower().replace(":", " "),
        }

        assert self.save(desk, provider, **changed) == []

        saml = SamlConfiguration.objects.get()
        assert saml.metadata_url == "https://idp.uni-a.example/metadata"
        assert saml.metadata_fingerprint == fingerprint

    @pytest.mark.parametrize(
        ("changed", "told"),
        [
            ({"saml-0-metadata_url": "http://idp.uni-a.example/"}, "https://"),
            ({"saml-0-metadata_url": "https://user:secret@idp.uni-a.example/"}, "password"),
            ({"saml-0-metadata_url": "file:///etc/passwd"}, "not a web address"),
            ({"saml-0-metadata_fingerprint": "AB:CD"}, "64 hexadecimal digits"),
        ],
        ids=str,
    )
    def test_is_refused_if_it_cannot_be_used(
        self, desk: Desk, provider: IdentityProvider, changed: dict[str, str], told: str
    ) -> None:
        assert any(told in error for error in self.save(desk, provider, **changed))


def certificate_until(end: datetime) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "uni-a")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(end - timedelta(days=400)).not_valid_after(end)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode("ascii")


class TestACertificateThatEndsSoon:
    @pytest.mark.parametrize(("days", "warned"), [(20, True), (40, False), (-20, False)])
    def test_is_warned_of(self, desk: Desk, provider: IdentityProvider, days: int, warned: bool) -> None:
        end = datetime.now(UTC) + timedelta(days=days)
        SamlConfiguration.objects.update(signing_certificates=certificate_until(end))

        page = desk.get(url_of(IdentityProvider, "change", provider.pk))
        (row,) = desk.get(url_of(IdentityProvider)).rows()

        assert any(f"ends on {end.date().isoformat()}" in message for message in page.messages()) == warned
        assert ("(ends within 30 days)" in page.text) == warned
        assert (f"{end.date().isoformat()} (soon)" in row) == warned

    def test_unusable_ones_are_an_error(self, desk: Desk, provider: IdentityProvider) -> None:
        SamlConfiguration.objects.update(signing_certificates="nonsense")

        page = desk.get(url_of(IdentityProvider, "change", provider.pk))

        assert any("cannot be read" in message for message in page.messages())
