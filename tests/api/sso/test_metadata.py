from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from demo_lms.idp.keys import KeyPair, make_key_pair
from program_enrollments import api
from program_enrollments.exceptions import MetadataUnusable
from program_enrollments.models.saml import MAX_ENTITY_ID_LENGTH

REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
NAMESPACES = (
    'xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" '
    'xmlns:mdui="urn:oasis:names:tc:SAML:metadata:ui" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"'
)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder: Path = tmp_path_factory.mktemp("keys")
    keys = KeyPair(folder / "key.pem", folder / "certificate.pem")
    make_key_pair(pair=keys, name="idp")
    return keys.certificate.read_text(encoding="ascii")


def body(certificate: str) -> str:
    return "".join(certificate.strip().splitlines()[1:-1])


def key(certificate: str, *, use: str | None = "signing") -> str:
    kind = f' use="{use}"' if use else ""
    return (
        f"<md:KeyDescriptor{kind}><ds:KeyInfo><ds:X509Data><ds:X509Certificate>\n{body(certificate)}\n"
        "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
    )


def service(url: str = "https://idp.example/sso", binding: str = REDIRECT) -> str:
    return f'<md:SingleSignOnService Binding="{binding}" Location="{url}"/>'


def entity(inner: str, entity_id: str = "https://idp.example/saml", **attributes: str) -> str:
    more = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return (
        f'<md:EntityDescriptor {NAMESPACES} entityID="{entity_id}"{more}>'
        '<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">'
        f"{inner}</md:IDPSSODescriptor></md:EntityDescriptor>"
    )


def read(xml: str, entity_id: str = "") -> api.ProviderMetadata:
    return api.read_metadata(xml=xml.encode(), entity_id=entity_id)


class TestMetadata:
    def test_tells_all_there_is_to_know(self, certificate: str) -> None:
        names = (
            '<md:Extensions><mdui:UIInfo><mdui:DisplayName xml:lang="de">Universität A</mdui:DisplayName>'
            '<mdui:DisplayName xml:lang="en">University\n A</mdui:DisplayName></mdui:UIInfo></md:Extensions>'
        )
        attribute = '<saml:Attribute Name="urn:oid:0.9.2342.19200300.100.1.1"/>'
        found = read(
            entity(
                names + key(certificate) + service("https://idp.example/post", POST) + service() + attribute,
                validUntil="2030-01-02T03:04:05Z",
            )
        )

        assert found.entity_id == "https://idp.example/saml"
        assert found.name == "University A"
        assert found.sso_url == "https://idp.example/sso"
        assert [one.pem for one in found.certificates] == [certificate.strip()]
        assert found.attributes == ("urn:oid:0.9.2342.19200300.100.1.1",)
        assert found.valid_until == datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)

    def test_a_key_without_use_signs_and_one_for_encryption_does_not(self, certificate: str) -> None:
        assert len(read(entity(key(certificate, use=None) + service())).certificates) == 1
        with pytest.raises(MetadataUnusable, match="no signing certificate"):
            read(entity(key(certificate, use="encryption") + service()))

    def test_the_same_certificate_twice_is_one(self, certificate: str) -> None:
        assert len(read(entity(key(certificate) * 2 + service())).certificates) == 1

    def test_of_a_federation_names_the_one_that_is_meant(self, certificate: str) -> None:
        inner = key(certificate) + service()
        services = f'<md:EntityDescriptor {NAMESPACES} entityID="sp"><md:SPSSODescriptor/></md:EntityDescriptor>'
        both = entity(inner, "one") + services + entity(inner, "two")
        xml = f'<md:EntitiesDescriptor {NAMESPACES} validUntil="2031-01-01T00:00:00Z">{both}</md:EntitiesDescriptor>'

        with pytest.raises(MetadataUnusable, match="2 identity providers"):
            read(xml)
        assert read(xml, "two").entity_id == "two"
        assert read(xml, "two").valid_until == datetime(2031, 1, 1, tzinfo=UTC)
        with pytest.raises(MetadataUnusable, match="No identity provider in this metadata"):
            read(xml, "sp")

    @pytest.mark.parametrize(
        ("xml", "told"),
        [
            ("", "not XML"),
            ("<a", "not XML"),
            ("\ufeff", "not XML"),
            ("<a/>", "No SAML 2.0 identity provider"),
            ("<!DOCTYPE a><a/>", "document type"),
            ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "document type"),
            (f'<md:EntityDescriptor {NAMESPACES} entityID="x"><md:SPSSODescriptor/></md:EntityDescriptor>', "service"),
        ],
        ids=lambda value: str(value)[:30],
    )
    def test_that_is_none_is_told_so(self, xml: str, told: str) -> None:
        with pytest.raises(MetadataUnusable, match=told):
            read(xml)

    @pytest.mark.parametrize(
        ("url", "told"),
        [
            ("http://idp.example/sso", "https://"),
            ("javascript:alert(1)", "not a web address"),
            ("https://", "not a web address"),
            ("https://[::1", "not a web address"),
            ("https://idp.example/a b", "not a web address"),
            ("", "not a web address"),
        ],
    )
    def test_with_an_odd_address_is_refused(self, certificate: str, url: str, told: str) -> None:
        with pytest.raises(MetadataUnusable, match=told):
            read(entity(key(certificate) + service(url)))

    @pytest.mark.parametrize("url", ["http://127.0.0.1:8001/sso", "http://localhost/sso", "http://[::1]:8/sso"])
    def test_may_lead_to_this_machine_without_https(self, certificate: str, url: str) -> None:
        assert read(entity(key(certificate) + service(url))).sso_url == url

    def test_without_the_one_binding_is_refused(self, certificate: str) -> None:
        with pytest.raises(MetadataUnusable, match="HTTP-Redirect"):
            read(entity(key(certificate) + service(binding=POST)))

    @pytest.mark.parametrize("entity_id", ["", "x" * (MAX_ENTITY_ID_LENGTH + 1)])
    def test_with_an_entity_id_that_cannot_be_stored_is_refused(self, certificate: str, entity_id: str) -> None:
        with pytest.raises(MetadataUnusable, match="entity ID"):
            read(entity(key(certificate) + service(), entity_id))

    def test_with_an_end_that_is_no_date_is_refused(self, certificate: str) -> None:
        with pytest.raises(MetadataUnusable, match="no date"):
            read(entity(key(certificate) + service(), validUntil="soon"))

    def test_of_saml_1_alone_is_refused(self, certificate: str) -> None:
        xml = entity(key(certificate) + service()).replace("SAML:2.0:protocol", "SAML:1.1:protocol")
        with pytest.raises(MetadataUnusable, match=r"No SAML 2\.0"):
            read(xml)

    def test_that_is_huge_is_refused(self) -> None:
        with pytest.raises(MetadataUnusable, match="too large"):
            api.read_metadata(xml=b"<a>" + b" " * 11_000_000 + b"</a>")


def self_signed(private_key: object, *, until: timedelta = timedelta(days=1)) -> str:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp")])
    now = datetime.now(UTC)
    algorithm = None if isinstance(private_key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private_key.public_key())  # type: ignore[attr-defined]
        .serial_number(1)
        .not_valid_before(now - timedelta(days=9))
        .not_valid_after(now + until)
        .sign(private_key, algorithm)  # type: ignore[arg-type]
    )
    return built.public_bytes(serialization.Encoding.PEM).decode("ascii")


class TestCertificates:
    def test_are_found_one_below_the_other(self, certificate: str) -> None:
        other = self_signed(ec.generate_private_key(ec.SECP256R1()))
        found = api.read_certificates(text=f"the old one:\n{certificate}\r\nthe new one:\n{other}{certificate}")

        assert [one.pem for one in found] == [certificate.strip(), other.strip()]
        assert found[0].subject == "CN=idp"
        assert len(found[0].fingerprint.split(":")) == 32

    def test_may_come_without_their_frame(self, certificate: str) -> None:
        assert api.read_certificates(text=f" {body(certificate)}\n")[0].pem == certificate.strip()

    def test_that_expired_still_count_and_say_so(self) -> None:
        text = self_signed(rsa.generate_private_key(65537, 2048), until=timedelta(days=-1))

        (found,) = api.read_certificates(text=text)

        assert found.is_expired(now=datetime.now(UTC))
        assert not found.is_expired(now=datetime.now(UTC) - timedelta(days=5))

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("", "no certificate"),
            ("  \n ", "no certificate"),
            ("hello world!", "cut off"),
            ("ä", "cut off"),
            (base64.b64encode(b"hello").decode(), "cannot be read"),
            ("-----BEGIN CERTIFICATE-----\n\n-----END CERTIFICATE-----", "cannot be read"),
        ],
    )
    def test_that_are_none_are_told_so(self, text: str, told: str) -> None:
        with pytest.raises(MetadataUnusable, match=told):
            api.read_certificates(text=text)

    def test_with_weak_keys_are_refused(self) -> None:
        with pytest.raises(MetadataUnusable, match="1024 bits"):
            api.read_certificates(text=self_signed(rsa.generate_private_key(65537, 1024)))

    def test_with_keys_of_other_kinds_are_refused(self) -> None:
        for private_key in (dsa.generate_private_key(2048), ed25519.Ed25519PrivateKey.generate()):
            with pytest.raises(MetadataUnusable, match="kind that cannot be used"):
                api.read_certificates(text=self_signed(private_key))
