from __future__ import annotations

import pytest
from django.utils import timezone

from program_enrollments import api
from program_enrollments.exceptions import MetadataUnusable
from program_enrollments.models import IdentityProvider, ProposedMetadata, SamlConfiguration
from tests.factories.saml import SamlConfigurationFactory
from tests.management.refreshing import fingerprint, pin, refresh
from tests.saml.published_metadata import Publisher, metadata, signed_metadata
from tests.saml.university import University

pytestmark = pytest.mark.once

URL = "https://idp.uni-a.example/sso"
NEW_URL = "https://idp2.uni-a.example/sso"


class TestUnchangedMetadata:
    def test_changes_nothing_but_the_time(
        self, saml: SamlConfiguration, publisher: Publisher, first: University
    ) -> None:
        publisher.publish(metadata(first))

        assert refresh() == ("uni-a: unchanged, as stored.\n", "", 0)

        before, read_at = saml, saml.metadata_read_at
        saml.refresh_from_db()
        assert saml.signing_certificates == before.signing_certificates
        assert read_at is None
        assert saml.metadata_read_at is not None
        assert not ProposedMetadata.objects.exists()

    def test_is_not_fetched_for_who_is_disabled_or_has_no_url(
        self, saml: SamlConfiguration, publisher: Publisher, first: University
    ) -> None:
        SamlConfigurationFactory(identity_provider__slug="other", signing_certificates=first.certificate)
        IdentityProvider.objects.update(is_enabled=False)

        assert refresh() == ("", "", 0)
        assert publisher.asked == []


class TestANewCertificate:
    @pytest.mark.parametrize("is_signed", [False, True], ids=["unsigned", "signed"])
    def test_is_proposed_beside_the_present_one(
        self,
        saml: SamlConfiguration,
        publisher: Publisher,
        first: University,
        following: University,
        signer: University,
        is_signed: bool,
    ) -> None:
        text = metadata(following)
        if is_signed:
            pin(signer)
            text = signed_metadata(text, signer)
        publisher.publish(text)

        out, errors, status = refresh()

        assert (out, status) == ("", 1)
        assert "uni-a: proposed" in errors
        saml.refresh_from_db()
        assert saml.signing_certificates == first.certificate.strip(), "a key is never taken over silently"
        proposal = api.get_metadata_proposal(identity_provider_id=saml.identity_provider_id)
        assert [each.fingerprint for each in proposal.added] == [fingerprint(following)]
        assert proposal.removed == (), "nobody is locked out during a rollover"

    def test_counts_after_approval_and_the_old_one_is_then_proposed_to_be_removed(
        self, saml: SamlConfiguration, publisher: Publisher, first: University, following: University
    ) -> None:
        publisher.publish(metadata(following))
        refresh()
        approve(saml)

        assert fingerprints(saml) == [fingerprint(first), fingerprint(following)]
        assert not ProposedMetadata.objects.exists()
        assert refresh()[2] == 1
        proposal = api.get_metadata_proposal(identity_provider_id=saml.identity_provider_id)
        assert (proposal.added, [each.fingerprint for each in proposal.removed]) == ((), [fingerprint(first)])
        approve(saml)
        assert fingerprints(saml) == [fingerprint(following)]
        assert refresh()[2] == 0

    def test_stays_proposed_until_somebody_decides(
        self, saml: SamlConfiguration, publisher: Publisher, following: University
    ) -> None:
        publisher.publish(metadata(following))
        refresh()
        since = ProposedMetadata.objects.get().proposed_at

        assert refresh()[2] == 1
        assert ProposedMetadata.objects.get().proposed_at == since

    def test_is_not_proposed_again_after_it_was_rejected(
        self, saml: SamlConfiguration, publisher: Publisher, following: University, universities: dict[str, University]
    ) -> None:
        publisher.publish(metadata(following))
        refresh()
        proposal = api.get_metadata_proposal(identity_provider_id=saml.identity_provider_id)
        api.reject_metadata(
            identity_provider_id=saml.identity_provider_id,
            version=proposal.version,
            reason="Nobody there knows it.",
            now=timezone.now(),
        )

        out, _errors, status = refresh()

        assert "uni-a: rejected" in out
        assert status == 0
        publisher.publish(metadata(universities["stranger"]))
        assert refresh()[2] == 1, "other metadata is another proposal"
        assert ProposedMetadata.objects.get().rejected_at is None

    def test_is_no_proposal_any_more_once_it_is_withdrawn(
        self, saml: SamlConfiguration, publisher: Publisher, first: University, following: University
    ) -> None:
        publisher.publish(metadata(following))
        refresh()
        publisher.publish(metadata(first))

        assert refresh()[2] == 0
        assert not ProposedMetadata.objects.exists()

    def test_dry_run_writes_nothing(self, saml: SamlConfiguration, publisher: Publisher, following: University) -> None:
        publisher.publish(metadata(following, sso_url=NEW_URL))
        before = SamlConfiguration.objects.values().get()

        out, errors, status = refresh("--dry-run")

        assert "nothing was written" in out
        assert "uni-a: proposed" in errors
        assert status == 1
        assert SamlConfiguration.objects.values().get() == before
        assert not ProposedMetadata.objects.exists()

    def test_that_changed_since_it_was_shown_is_not_approved(
        self, saml: SamlConfiguration, publisher: Publisher, following: University, universities: dict[str, University]
    ) -> None:
        publisher.publish(metadata(following))
        refresh()
        seen = api.get_metadata_proposal(identity_provider_id=saml.identity_provider_id)
        publisher.publish(metadata(universities["stranger"]))
        refresh()

        with pytest.raises(MetadataUnusable):
            api.approve_metadata(identity_provider_id=saml.identity_provider_id, version=seen.version)
        assert SamlConfiguration.objects.get().signing_certificates == saml.signing_certificates


def approve(saml: SamlConfiguration) -> None:
    proposal = api.get_metadata_proposal(identity_provider_id=saml.identity_provider_id)
    api.approve_metadata(identity_provider_id=saml.identity_provider_id, version=proposal.version)


def fingerprints(saml: SamlConfiguration) -> list[str]:
    saml.refresh_from_db()
    return [certificate.fingerprint for certificate in api.read_certificates(text=saml.signing_certificates)]


class TestANewSignOnUrl:
    def test_of_unsigned_metadata_is_proposed(
        self, saml: SamlConfiguration, publisher: Publisher, first: University
    ) -> None:
        publisher.publish(metadata(first, sso_url=NEW_URL))

        assert refresh()[2] == 1

        saml.refresh_from_db()
        assert saml.sso_url == URL
        assert ProposedMetadata.objects.get().sso_url == NEW_URL
        approve(saml)
        saml.refresh_from_db()
        assert saml.sso_url == NEW_URL

    def test_of_signed_metadata_is_taken_over(
        self, saml: SamlConfiguration, publisher: Publisher, first: University, signer: University
    ) -> None:
        pin(signer)
        publisher.publish(signed_metadata(metadata(first, sso_url=NEW_URL), signer))

        out, _errors, status = refresh()

        assert "uni-a: updated" in out
        assert status == 0
        saml.refresh_from_db()
        assert saml.sso_url == NEW_URL
        assert not ProposedMetadata.objects.exists()

    def test_of_signed_metadata_that_stood_unsigned_before_is_taken_over_by_a_dry_run_in_words_only(
        self, saml: SamlConfiguration, publisher: Publisher, first: University, signer: University
    ) -> None:
        pin(signer)
        publisher.publish(signed_metadata(metadata(first, sso_url=NEW_URL), signer))

        assert "uni-a: updated" in refresh("--dry-run")[0]
        saml.refresh_from_db()
        assert (saml.sso_url, saml.metadata_read_at) == (URL, None)


class TestPinnedMetadata:
    """With a fingerprint, the metadata must be signed with that very certificate."""

    def refused(self, saml: SamlConfiguration) -> str:
        before = SamlConfiguration.objects.values().get()
        _out, errors, status = refresh()
        assert status == 1
        assert SamlConfiguration.objects.values().get() == before
        assert not ProposedMetadata.objects.exists()
        assert "uni-a: refused" in errors
        return errors

    def test_that_is_not_signed(
        self, saml: SamlConfiguration, publisher: Publisher, following: University, signer: University
    ) -> None:
        pin(signer)
        publisher.publish(metadata(following, sso_url=NEW_URL))

        assert "not signed with the certificate" in self.refused(saml)

    def test_that_a_stranger_signs(
        self, saml: SamlConfiguration, publisher: Publisher, universities: dict[str, University]
    ) -> None:
        pin(universities["signer"])
        text = metadata(universities["next"], sso_url=NEW_URL)
        publisher.publish(signed_metadata(text, universities["stranger"]))
        assert "not signed with the certificate" in self.refused(saml)

        publisher.publish(signed_metadata(text, universities["stranger"], shown=universities["signer"]))
        assert "does not hold" in self.refused(saml)

    def test_that_was_changed_on_its_way(
        self, saml: SamlConfiguration, publisher: Publisher, first: University, signer: University
    ) -> None:
        pin(signer)
        publisher.publish(signed_metadata(metadata(first), signer).replace(URL, NEW_URL))

        assert "does not hold" in self.refused(saml)

    def test_that_is_signed_by_sha_1(
        self, saml: SamlConfiguration, publisher: Publisher, first: University, signer: University
    ) -> None:
        pin(signer)
        publisher.publish(signed_metadata(metadata(first, sso_url=NEW_URL), signer, method="RSA_SHA1"))

        assert "SHA-256" in self.refused(saml)

    def test_whose_signature_covers_another_description(
        self,
        saml: SamlConfiguration,
        publisher: Publisher,
        first: University,
        following: University,
        signer: University,
    ) -> None:
        """The signed description of somebody else stands beside the forged one."""
        pin(signer)
        other = signed_metadata(metadata(first).replace(first.entity_id, "https://other.example/"), signer)
        forged = metadata(following, sso_url=NEW_URL).replace("_metadata", "_forged")
        publisher.publish(
            f'<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">{other}{forged}'
            "</md:EntitiesDescriptor>"
        )

        assert "not signed with the certificate" in self.refused(saml)

    def test_of_a_federation_that_signs_the_whole(
        self, saml: SamlConfiguration, publisher: Publisher, first: University, signer: University
    ) -> None:
        pin(signer)
        whole = (
            '<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" ID="_whole">'
            f"{metadata(first, sso_url=NEW_URL)}</md:EntitiesDescriptor>"
        )
        publisher.publish(signed_metadata(whole, signer))

        assert refresh()[2] == 0
        assert SamlConfiguration.objects.get().sso_url == NEW_URL
