from __future__ import annotations

import base64
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from django.test import Client, override_settings
from django.utils.html import escape
from lxml import etree
from onelogin.saml2.xml_utils import OneLogin_Saml2_XML

import program_enrollments
from demo_lms.idp.keys import KeyPair, make_key_pair
from program_enrollments import api
from program_enrollments.colors import MIN_TEXT_CONTRAST, contrast
from program_enrollments.data import SignOnRefusal
from program_enrollments.models import IdentityProvider, SamlConfiguration, School
from program_enrollments.pages.branding import DEFAULT_COLOR, branding_of
from program_enrollments.saml.refusals import EXPLANATIONS
from tests.factories.enrollment import IdentityProviderFactory, SchoolFactory
from tests.factories.saml import SamlConfigurationFactory
from tests.saml.student import Student, read_request, refusal_on
from tests.saml.university import ACS, AUDIENCE, University, encode

pytestmark = pytest.mark.once

MD = "{urn:oasis:names:tc:SAML:2.0:metadata}"


def policy(response: Any) -> dict[str, str]:
    parts = [part.strip().partition(" ") for part in response["Content-Security-Policy"].split(";")]
    return {name: value for name, _space, value in parts}


def disabled(provider: IdentityProvider) -> SignOnRefusal:
    IdentityProvider.objects.filter(pk=provider.pk).update(is_enabled=False)
    return SignOnRefusal.PROVIDER_DISABLED


def only_for_tests(provider: IdentityProvider) -> SignOnRefusal:
    SamlConfiguration.objects.filter(identity_provider=provider).update(is_test_only=True)
    return SignOnRefusal.PROVIDER_TEST_ONLY


def slug_alone(provider: IdentityProvider) -> SignOnRefusal:
    SamlConfiguration.objects.filter(identity_provider=provider).delete()
    return SignOnRefusal.PROVIDER_INCOMPLETE


def unusable_certificates(provider: IdentityProvider) -> SignOnRefusal:
    SamlConfiguration.objects.filter(identity_provider=provider).update(signing_certificates="nonsense")
    return SignOnRefusal.CERTIFICATES_UNUSABLE


def no_provider(provider: IdentityProvider) -> SignOnRefusal:
    IdentityProvider.objects.filter(pk=provider.pk).delete()
    return SignOnRefusal.PROVIDER_MISSING


OBSTACLES = [disabled, only_for_tests, slug_alone, unusable_certificates, no_provider]


class TestTheSchoolsPage:
    def test_has_its_name_logo_and_colors(self, client: Client, provider: IdentityProvider) -> None:
        School.objects.update(
            logo_url="https://cdn.example/a.svg", primary_color="#7a1f2b", text_color="#ffffff", name="Uni & Friends"
        )

        response = client.get("/sso/schools/uni-a/")

        page = response.content.decode()
        assert "Sign in with Uni &amp; Friends" in page
        assert '<img src="https://cdn.example/a.svg"' in page
        assert "--school: #7a1f2b; --on-school: #ffffff" in page
        assert policy(response)["img-src"] == "'self' data: https://cdn.example"

    def test_starts_the_sign_on_and_keeps_where_to_go(self, client: Client, provider: IdentityProvider) -> None:
        page = client.get("/sso/schools/uni-a/", {"next": "/courses/one/?a=1&b=2"}).content.decode()

        assert 'href="/sso/start/uni-a/?next=%2Fcourses%2Fone%2F%3Fa%3D1%26b%3D2"' in page
        page = client.get("/sso/schools/uni-a/", {"next": "https://evil.example/"}).content.decode()
        assert "evil" not in page

    def test_offers_each_of_several_providers(
        self, client: Client, provider: IdentityProvider, uni_a: University
    ) -> None:
        for slug, enabled in (("uni-a-new", True), ("uni-a-old", False)):
            other = IdentityProviderFactory(slug=slug, school=provider.school, name=f"IdP {slug}", is_enabled=enabled)
            SamlConfigurationFactory(identity_provider=other, signing_certificates=uni_a.certificate)

        page = client.get("/sso/schools/uni-a/").content.decode()

        assert "IdP uni-a-new" in page
        assert "uni-a-old" not in page

    @pytest.mark.parametrize("key", ["nowhere", "UNI-A", "uni-a%00", "%ff"])
    def test_of_no_school(self, client: Client, provider: IdentityProvider, key: str) -> None:
        assert client.get(f"/sso/schools/{key}/").status_code == 404

    def test_of_a_school_with_an_odd_key(self, client: Client, db: None, uni_a: University) -> None:
        school = SchoolFactory(key="a/b?c#d", name="Odd")
        odd = IdentityProviderFactory(slug="a/b?c#d %", school=school)
        SamlConfigurationFactory(identity_provider=odd, signing_certificates=uni_a.certificate)

        (address,) = re.findall(r'href="(/sso/schools/[^"]+)"', client.get("/sso/").content.decode())
        (start,) = re.findall(r'href="(/sso/start/[^"]+)"', client.get(address).content.decode())
        assert client.get(start).status_code == 302

    @pytest.mark.parametrize("obstacle", OBSTACLES, ids=lambda obstacle: obstacle.__name__)
    def test_without_a_way_in_reports_why(
        self, client: Client, provider: IdentityProvider, obstacle: Callable[[IdentityProvider], SignOnRefusal]
    ) -> None:
        refusal = obstacle(provider)

        page = client.get("/sso/schools/uni-a/")

        explanation = EXPLANATIONS[refusal]
        assert refusal_on(page.content.decode()) == refusal
        assert page.status_code == explanation.status
        assert escape(str(explanation.person)) in page.content.decode()
        assert escape(str(explanation.support)) in page.content.decode()

    @pytest.mark.parametrize("obstacle", [disabled, only_for_tests], ids=lambda obstacle: obstacle.__name__)
    def test_without_a_way_in_is_still_the_schools(
        self, client: Client, provider: IdentityProvider, obstacle: Callable[[IdentityProvider], SignOnRefusal]
    ) -> None:
        School.objects.update(
            primary_color="#7a1f2b", support_name="Registrar", support_email="registrar@uni-a.example"
        )
        obstacle(provider)

        page = client.get("/sso/schools/uni-a/").content.decode()

        assert "Nobody can sign in with University A now" in page
        assert "You could not be signed in" not in page, "nobody has tried"
        assert "--school: #7a1f2b" in page
        assert '<a href="mailto:registrar@uni-a.example">Registrar</a>' in page

    @pytest.mark.parametrize("obstacle", OBSTACLES, ids=lambda obstacle: obstacle.__name__)
    def test_leaves_out_a_provider_that_is_no_way_in(
        self,
        client: Client,
        provider: IdentityProvider,
        uni_a: University,
        obstacle: Callable[[IdentityProvider], SignOnRefusal],
    ) -> None:
        other = IdentityProviderFactory(slug="uni-a-new", school=provider.school)
        SamlConfigurationFactory(identity_provider=other, signing_certificates=uni_a.certificate)
        obstacle(provider)

        starts = re.findall(r'href="(/sso/start/[^"]+)"', client.get("/sso/schools/uni-a/").content.decode())

        assert starts == ["/sso/start/uni-a-new/"]

    def test_with_several_obstacles_reports_the_one_next_to_a_way_in(
        self, client: Client, provider: IdentityProvider, uni_a: University
    ) -> None:
        disabled(provider)
        assert refusal_on(client.get("/sso/schools/uni-a/").content.decode()) == SignOnRefusal.PROVIDER_DISABLED
        IdentityProviderFactory(slug="alone", school=provider.school)
        assert refusal_on(client.get("/sso/schools/uni-a/").content.decode()) == SignOnRefusal.PROVIDER_INCOMPLETE
        trial = IdentityProviderFactory(slug="trial", school=provider.school)
        SamlConfigurationFactory(identity_provider=trial, signing_certificates=uni_a.certificate, is_test_only=True)
        assert refusal_on(client.get("/sso/schools/uni-a/").content.decode()) == SignOnRefusal.PROVIDER_TEST_ONLY

    def test_is_read_at_the_same_cost_however_many_providers(
        self, client: Client, provider: IdentityProvider, uni_a: University, django_assert_max_num_queries: Any
    ) -> None:
        for number in range(5):
            other = IdentityProviderFactory(slug=f"more{number}", school=provider.school)
            SamlConfigurationFactory(identity_provider=other, signing_certificates=uni_a.certificate)

        with django_assert_max_num_queries(2):
            assert client.get("/sso/schools/uni-a/").status_code == 200


class TestColors:
    @pytest.mark.parametrize(
        ("color", "text", "expected"),
        [
            ("#7a1f2b", "#ffffff", ("#7a1f2b", "#ffffff")),
            ("#ffff00", "#ffffff", ("#ffff00", "#000000")),
            ("#777777", "#767676", ("#777777", "#000000")),
            ("", "", (DEFAULT_COLOR, "#ffffff")),
            ("red", "#fff", (DEFAULT_COLOR, "#ffffff")),
            ("#12345", "x", (DEFAULT_COLOR, "#ffffff")),
            ("#000;}*", "#ffffff", (DEFAULT_COLOR, "#ffffff")),
        ],
    )
    def test_are_used_if_they_can_be_read(self, color: str, text: str, expected: tuple[str, str]) -> None:
        branding = branding_of(School(primary_color=color, text_color=text))

        assert (branding.color, branding.text_color) == expected
        assert contrast(*expected) >= MIN_TEXT_CONTRAST

    @pytest.mark.parametrize("url", ["javascript:alert(1)", "ftp://x/y", "https://a b/c", "https://x;y/z", "//x/y", ""])
    def test_logos_from_odd_addresses_are_left_out(self, url: str) -> None:
        assert branding_of(School(logo_url=url)).logo_url == ""


class TestThePolicy:
    def test_of_every_page_is_strict(self, student: Student, uni_a: University) -> None:
        pages = [
            student.client.get("/sso/"),
            student.client.get("/sso/schools/uni-a/"),
            student.client.get("/sso/schools/nowhere/"),
            student.client.get("/sso/connect/"),
            student.client.post("/sso/acs/", {"SAMLResponse": uni_a.response(student.start())}),
            student.come_back(encode("<a/>")),
        ]
        for response in pages:
            found = policy(response)
            assert found["default-src"] == "'none'"
            assert found["form-action"] == "'self'"
            assert found["frame-ancestors"] == "'none'"
            assert found["base-uri"] == "'none'"
            assert "unsafe" not in response["Content-Security-Policy"]
            assert response["X-Frame-Options"] == "DENY"
            assert "no-store" in response["Cache-Control"]

    def test_lets_only_the_one_script_of_the_step_back_run(self, student: Student, uni_a: University) -> None:
        pages = [student.client.post("/sso/acs/", {"SAMLResponse": uni_a.response(student.start())}) for _ in range(2)]

        nonces = [re.findall(r'<script nonce="([^"]+)">', page.content.decode()) for page in pages]
        assert [len(found) for found in nonces] == [1, 1]
        assert nonces[0] != nonces[1]
        assert policy(pages[0])["script-src"] == f"'nonce-{nonces[0][0]}'"
        assert b"<button" in pages[0].content, "without scripts there is a button"


class TestTheList:
    def test_has_every_school_once(self, client: Client, provider: IdentityProvider, uni_a: University) -> None:
        second = IdentityProviderFactory(slug="uni-a-new", school=provider.school)
        SamlConfigurationFactory(identity_provider=second, signing_certificates=uni_a.certificate)

        page = client.get("/sso/", {"next": "/courses/one/"}).content.decode()

        assert page.count("University A") == 1
        assert "/sso/schools/uni-a/?next=%2Fcourses%2Fone%2F" in page

    def test_may_be_empty(self, client: Client, db: None) -> None:
        response = client.get("/sso/")

        assert response.status_code == 200
        assert "No university" in response.content.decode()


class TestTheRequest:
    def test_says_who_asks_and_where_to_come_back_to(self, client: Client, provider: IdentityProvider) -> None:
        response = client.get("/sso/start/uni-a/")

        assert response["Location"].startswith("https://idp.uni-a.example/sso?SAMLRequest=")
        request = read_request(response["Location"])
        assert request.get("AssertionConsumerServiceURL") == ACS
        assert request.get("Destination") == "https://idp.uni-a.example/sso"
        assert request.findtext("{*}Issuer") == AUDIENCE
        assert request.find("{*}RequestedAuthnContext") is None
        assert "Format" not in request.find("{*}NameIDPolicy").attrib

    def test_keeps_the_query_of_the_address(self, client: Client, provider: IdentityProvider) -> None:
        saml = provider.saml
        saml.sso_url = "https://idp.uni-a.example/sso?tenant=1&x=<y>"
        saml.save()

        location = client.get("/sso/start/uni-a/")["Location"]

        assert location.startswith("https://idp.uni-a.example/sso?tenant=1&x=%3Cy%3E&SAMLRequest=")
        assert read_request(location).get("Destination") == saml.sso_url

    def test_is_different_each_time(self, student: Student) -> None:
        assert len({student.start() for _ in range(5)}) == 5


class TestOurMetadata:
    def test_describes_this_service(self, client: Client, db: None) -> None:
        response = client.get("/sso/metadata.xml")

        root = etree.fromstring(response.content)
        assert root.get("entityID") == AUDIENCE
        service = root.find(f"{MD}SPSSODescriptor")
        assert service.get("WantAssertionsSigned") == "true"
        assert service.find(f"{MD}AssertionConsumerService").get("Location") == ACS
        assert b"mailto:support@demo-lms.example" in response.content

    def test_is_valid_by_the_schema(self, client: Client, db: None) -> None:
        content = client.get("/sso/metadata.xml").content
        assert not isinstance(OneLogin_Saml2_XML.validate_xml(content, "saml-schema-metadata-2.0.xsd"), str)

    def test_without_any_settings_the_service_is_called_by_its_address(self, client: Client, db: None) -> None:
        with override_settings(PROGRAM_ENROLLMENTS={"HOST": "demo_lms.host.DemoHost"}):
            root = etree.fromstring(client.get("/sso/metadata.xml").content)

        assert root.get("entityID") == "http://testserver/sso/metadata.xml"
        assert [child.tag for child in root] == [f"{MD}SPSSODescriptor"]


def with_key(keys: KeyPair, **more: object) -> dict[str, Any]:
    """Return settings of the app with a key of this service."""
    key, certificate = keys.key.read_text(encoding="ascii"), keys.certificate.read_text(encoding="ascii")
    sign_on = {"ENTITY_ID": AUDIENCE, "PRIVATE_KEY": key, "CERTIFICATE": certificate} | more
    return {"HOST": "demo_lms.host.DemoHost", "SIGN_ON": sign_on}


@pytest.fixture(scope="module")
def our_keys(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    folder = tmp_path_factory.mktemp("service")
    keys = KeyPair(folder / "key.pem", folder / "certificate.pem")
    make_key_pair(pair=keys, name="service")
    return keys


class TestOurKey:
    def test_is_in_the_metadata_old_and_next(
        self, client: Client, db: None, our_keys: KeyPair, uni_b: University
    ) -> None:
        with override_settings(PROGRAM_ENROLLMENTS=with_key(our_keys, NEXT_CERTIFICATE=uni_b.certificate)):
            root = etree.fromstring(client.get("/sso/metadata.xml").content)

        uses = [key.get("use") for key in root.iter(f"{MD}KeyDescriptor")]
        assert uses == ["signing", "encryption"] * 2
        assert root.find(f"{MD}SPSSODescriptor").get("AuthnRequestsSigned") == "true"

    def test_signs_requests(self, client: Client, provider: IdentityProvider, our_keys: KeyPair) -> None:
        with override_settings(PROGRAM_ENROLLMENTS=with_key(our_keys)):
            location = client.get("/sso/start/uni-a/")["Location"]

        query = urlsplit(location).query
        signed, _separator, _signature = query.partition("&Signature=")
        signature = base64.b64decode(parse_qs(query)["Signature"][0])
        public_key: Any = x509.load_pem_x509_certificate(our_keys.certificate.read_bytes()).public_key()
        public_key.verify(signature, signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        assert parse_qs(query)["SigAlg"] == ["http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"]


class TestTheApi:
    def test_choices_are_found_by_one_statement(
        self, provider: IdentityProvider, other_provider: IdentityProvider, django_assert_num_queries: Any
    ) -> None:
        with django_assert_num_queries(1):
            assert [choice.school.name for choice in api.fetch_sign_on_choices()] == ["University A", "University B"]

    def test_a_provider_is_found_by_one_statement(
        self, provider: IdentityProvider, django_assert_num_queries: Any
    ) -> None:
        with django_assert_num_queries(1):
            _provider, saml = api.get_saml_provider(slug="uni-a")
            assert saml.certificates


class TestTheFocusRing:
    STYLES = Path(program_enrollments.__file__).parent / "static" / "program_enrollments" / "sign_on.css"

    @staticmethod
    def colors(block: str) -> dict[str, str]:
        found = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6})\b", block))
        return {
            name: color if len(color) > 4 else "#" + "".join(2 * digit for digit in color[1:])
            for name, color in found.items()
        }

    def test_stands_out_in_light_and_in_dark(self) -> None:
        light, dark = re.findall(r":root \{(.*?)\}", self.STYLES.read_text(encoding="utf-8"), re.DOTALL)

        for block in (light, dark):
            colors = self.colors(block)
            for background in ("paper", "back"):
                assert contrast(colors["focus"], colors[background]) >= 3
            # On a school's color, the one ring or the other one.
            for school in ("#777777", "#ffd54a", "#1a4f8b", "#000000", "#ffffff"):
                assert max(contrast(colors[ring], school) for ring in ("focus", "focus-around")) >= 3
