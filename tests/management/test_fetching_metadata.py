from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from program_enrollments import api
from program_enrollments.metadata_source import MAX_METADATA_BYTES
from program_enrollments.models import ProposedMetadata, SamlConfiguration
from program_enrollments.public_http import is_public
from tests.factories.saml import SamlConfigurationFactory
from tests.loopback import free_port
from tests.management.refreshing import refresh
from tests.saml.published_metadata import Publisher, metadata, publishing
from tests.saml.university import University, at

pytestmark = pytest.mark.once

URL = "https://idp.uni-a.example/sso"
NEW_URL = "https://idp2.uni-a.example/sso"


class TestWhatIsRefused:
    def refused(self) -> str:
        before = SamlConfiguration.objects.values().get()
        _out, errors, status = refresh()
        assert "uni-a: refused" in errors
        assert status == 1
        assert SamlConfiguration.objects.values().get() == before
        assert not ProposedMetadata.objects.exists()
        return errors

    def test_another_entity_id(self, saml: SamlConfiguration, publisher: Publisher, first: University) -> None:
        publisher.publish(metadata(first).replace(first.entity_id, "https://other.example/"))

        assert "that entity ID" in self.refused()

    def test_metadata_that_is_no_longer_valid(
        self, saml: SamlConfiguration, publisher: Publisher, following: University
    ) -> None:
        publisher.publish(metadata(following, valid_until=at(-3600)))

        assert "no longer valid" in self.refused()

    @pytest.mark.parametrize("text", ["", "hello", "<a/>"])
    def test_what_is_no_metadata(self, saml: SamlConfiguration, publisher: Publisher, text: str) -> None:
        publisher.publish(text)

        self.refused()

    def test_more_than_the_limit(self, saml: SamlConfiguration, publisher: Publisher) -> None:
        publisher.publish("<a>" + " " * MAX_METADATA_BYTES)

        assert "too large" in self.refused()

    def test_another_host(self, saml: SamlConfiguration, publisher: Publisher) -> None:
        publisher.redirect(publisher.url.replace("127.0.0.1", "localhost"))

        assert "another host" in self.refused()
        assert len(publisher.asked) == 1

    def test_a_circle(self, saml: SamlConfiguration, publisher: Publisher) -> None:
        publisher.redirect(publisher.url)

        assert "too often" in self.refused()
        assert len(publisher.asked) == 4

    def test_an_address_that_is_gone(self, saml: SamlConfiguration, publisher: Publisher) -> None:
        publisher.answer = (404, {}, b"")

        assert "404" in self.refused()

    def test_a_private_address_that_no_setting_names(
        self, saml: SamlConfiguration, publisher: Publisher, first: University, settings: Settings
    ) -> None:
        publisher.publish(metadata(first))
        settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "PRIVATE_METADATA_HOSTS": []}

        assert "PRIVATE_METADATA_HOSTS" in self.refused()
        assert publisher.asked == [], "nothing was sent"

    def test_a_name_that_leads_to_a_private_address(
        self, saml: SamlConfiguration, publisher: Publisher, first: University
    ) -> None:
        publisher.publish(metadata(first))
        SamlConfiguration.objects.update(metadata_url=publisher.url.replace("127.0.0.1", "localhost"))

        assert "PRIVATE_METADATA_HOSTS" in self.refused()
        assert publisher.asked == []

    def test_a_private_address_over_https(
        self, saml: SamlConfiguration, publisher: Publisher, settings: Settings
    ) -> None:
        settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "PRIVATE_METADATA_HOSTS": []}
        SamlConfiguration.objects.update(metadata_url=publisher.url.replace("http:", "https:"))

        assert "PRIVATE_METADATA_HOSTS" in self.refused()

    @pytest.mark.parametrize(
        "url", ["http://idp.uni-a.example/", "ftp://x/", "https://user:secret@x.example/", "https:///x", "nonsense"]
    )
    def test_addresses_that_nothing_is_fetched_from(self, saml: SamlConfiguration, url: str) -> None:
        SamlConfiguration.objects.update(metadata_url=url)

        assert "secret" not in self.refused()


class TestWhatPasses:
    @pytest.mark.parametrize(
        ("read", "status"),
        [(timedelta(days=1), 0), (timedelta(days=4), 1), (None, 1)],
        ids=["lately", "long ago", "never"],
    )
    def test_needs_a_person_only_if_it_lasts(
        self, saml: SamlConfiguration, read: timedelta | None, status: int
    ) -> None:
        SamlConfiguration.objects.update(
            metadata_url=f"http://127.0.0.1:{free_port()}/", metadata_read_at=timezone.now() - read if read else None
        )

        out, errors, found = refresh()

        assert "uni-a: unreachable" in out + errors
        assert found == status

    def test_a_server_that_fails_for_now(self, saml: SamlConfiguration, publisher: Publisher) -> None:
        SamlConfiguration.objects.update(metadata_read_at=timezone.now())
        publisher.answer = (503, {}, b"")

        assert refresh()[2] == 0

    def test_one_provider_does_not_keep_the_others_waiting(
        self, saml: SamlConfiguration, publisher: Publisher, first: University
    ) -> None:
        publisher.publish(metadata(first))
        SamlConfigurationFactory(
            identity_provider__slug="a-failing-one",
            signing_certificates=first.certificate,
            metadata_url=f"http://127.0.0.1:{free_port()}/",
        )

        out, errors, status = refresh()

        assert "uni-a: unchanged" in out
        assert "a-failing-one: unreachable" in errors
        assert status == 1

    def test_a_certificate_that_nobody_trusts(self, saml: SamlConfiguration, publisher: Publisher) -> None:
        SamlConfiguration.objects.update(metadata_url=publisher.url.replace("http:", "https:"))

        assert "uni-a: unreachable" in refresh()[1]
        assert publisher.asked == []

    def test_a_proxy_is_not_used(
        self, saml: SamlConfiguration, publisher: Publisher, first: University, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Through one, nobody could tell which address is connected to."""
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
        publisher.publish(metadata(first))

        assert refresh()[2] == 0

    def test_a_redirect_on_the_same_host(
        self, saml: SamlConfiguration, publisher: Publisher, first: University
    ) -> None:
        with publishing() as moved:
            moved.publish(metadata(first))
            publisher.redirect(moved.url)

            assert refresh()[2] == 0


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:93.184.216.34", True),
        ("64:ff9b::a00:1", False),
        ("2002:0a00:0001::1", False),
    ],
)
def test_public_addresses(address: str, expected: bool) -> None:
    assert is_public(address) == expected


def test_a_certificate_ends_soon_in_its_last_thirty_days() -> None:
    certificate = api.SigningCertificate(
        "", "", "", datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 30, tzinfo=UTC)
    )

    assert not certificate.ends_soon(now=datetime(2026, 5, 30, tzinfo=UTC))
    assert certificate.ends_soon(now=datetime(2026, 5, 31, tzinfo=UTC))
    assert certificate.ends_soon(now=datetime(2026, 6, 29, tzinfo=UTC))
    assert not certificate.ends_soon(now=datetime(2026, 6, 30, tzinfo=UTC)), "it has ended"
