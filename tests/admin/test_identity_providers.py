"""Support staff add a university's identity provider, and change it when the university does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.utils import IntegrityError

from program_enrollments.models import IdentityProvider, SamlConfiguration, School
from program_enrollments.saml.identities import UID
from tests.admin.conftest import Desk, Page, url_of
from tests.factories.enrollment import IdentityProviderFactory, SchoolFactory, UserSocialAuthFactory
from tests.factories.saml import SamlConfigurationFactory
from tests.saml.published_metadata import metadata
from tests.saml.student import Student
from tests.saml.university import University, found_university

LIST = url_of(IdentityProvider)
IMPORT = url_of(IdentityProvider, "import")


@pytest.fixture(scope="module")
def university(tmp_path_factory: pytest.TempPathFactory) -> University:
    folder: Path = tmp_path_factory.mktemp("university")
    return found_university("uni-a", folder)


@pytest.fixture(scope="module")
def renewed(university: University, tmp_path_factory: pytest.TempPathFactory) -> University:
    """The same university with another key."""
    folder: Path = tmp_path_factory.mktemp("renewed")
    return University("uni-a", university.entity_id, found_university("uni-a", folder).keys)


@pytest.fixture
def school(db: None) -> School:
    return SchoolFactory(key="uni-a", name="University A")


@pytest.fixture
def provider(school: School, university: University) -> IdentityProvider:
    identity_provider: IdentityProvider = IdentityProviderFactory(slug="uni-a", school=school)
    SamlConfigurationFactory(identity_provider=identity_provider, signing_certificates=university.certificate)
    return identity_provider


def fields(page: Page) -> dict[str, Any]:
    """Return what the form of a page would send."""
    form = page.tree.xpath('//div[@id="content-main"]/form')[0]
    return {name: value for name, value in form.form_values() if name != "file"}


def new(school: School, university: University, **changed: Any) -> dict[str, Any]:
    given = {"school": school.pk, "slug": "uni-a", "id_attribute": UID, "is_test_only": "on"}
    return given | {"metadata": metadata(university)} | changed


class TestAddingByMetadata:
    def test_shows_what_it_says_and_saves_on_the_second_click(
        self, desk: Desk, school: School, university: University
    ) -> None:
        page = desk.post(IMPORT, **new(school, university), show="1")

        for told in (university.entity_id, "https://idp.uni-a.example/sso", "Uni A", "SHA-256 "):
            assert told in page.text
        assert not IdentityProvider.objects.exists(), "nothing is saved before it was seen"

        page = desk.post(IMPORT, **fields(page), save="Save")

        provider = IdentityProvider.objects.select_related("saml").get()
        assert page.redirected_to == url_of(IdentityProvider, "change", provider.pk)
        assert (provider.slug, provider.name, provider.school) == ("uni-a", "Uni A", school)
        assert (provider.saml.entity_id, provider.saml.id_attribute) == (university.entity_id, UID)
        assert provider.saml.signing_certificates.strip() == university.certificate.strip()
        assert provider.saml.is_test_only
        assert not provider.saml.confirms_email
        assert "/sso/start/uni-a/" in page.text

    def test_takes_a_file(self, desk: Desk, school: School, university: University) -> None:
        file = SimpleUploadedFile("idp.xml", metadata(university).encode(), "application/xml")
        page = desk.post(IMPORT, **new(school, university, metadata=""), file=file, show="1")
        assert university.entity_id in page.text

        desk.post(IMPORT, **fields(page), save="Save")

        assert SamlConfiguration.objects.get().entity_id == university.entity_id

    def test_counts_at_once(self, desk: Desk, school: School, university: University) -> None:
        """Without a restart, and in whatever process: the next sign-on reads it."""
        given = new(school, university)
        del given["is_test_only"]
        desk.post(IMPORT, **fields(desk.post(IMPORT, **given, show="1")), save="Save")
        student = Student()

        assert student.come_back(university.response(student.start())).status_code == 302
        assert student.username == "student1"

    def test_what_was_changed_after_it_was_shown_is_shown_again(
        self, desk: Desk, school: School, university: University
    ) -> None:
        page = desk.post(IMPORT, **new(school, university), show="1")
        changed = fields(page) | {"metadata": metadata(university, sso_url="https://evil.example/sso")}

        page = desk.post(IMPORT, **changed, save="Save")

        assert "https://evil.example/sso" in page.text
        assert not IdentityProvider.objects.exists()

    def test_saving_without_having_seen_it_shows_it(self, desk: Desk, school: School, university: University) -> None:
        page = desk.post(IMPORT, **new(school, university), save="Save")

        assert university.entity_id in page.text
        assert not IdentityProvider.objects.exists()

    @pytest.mark.parametrize(
        ("changed", "told"),
        [
            ({"metadata": ""}, "Paste the metadata"),
            ({"metadata": "hello"}, "not XML"),
            ({"metadata": "<a/>"}, "No SAML 2.0 identity provider"),
            ({"slug": "a:b"}, "letters, digits"),
            ({"slug": "a b"}, "letters, digits"),
            ({"slug": ""}, "required"),
            ({"id_attribute": ""}, "required"),
            ({"entity_id": "https://other.example/"}, "No identity provider in this metadata"),
        ],
        ids=str,
    )
    def test_says_what_is_wrong(
        self, desk: Desk, school: School, university: University, changed: dict[str, str], told: str
    ) -> None:
        page = desk.post(IMPORT, **new(school, university, **changed), show="1")

        assert any(told in error for error in page.errors())
        assert not IdentityProvider.objects.exists()

    def test_an_entity_id_is_configured_once(
        self, desk: Desk, provider: IdentityProvider, university: University
    ) -> None:
        page = desk.post(IMPORT, **new(provider.school, university, slug="other"), show="1")

        assert any("uni-a has this entity ID already" in error for error in page.errors())
        with pytest.raises(IntegrityError):
            SamlConfigurationFactory(entity_id=university.entity_id, signing_certificates=university.certificate)

    def test_a_slug_is_one_providers(self, desk: Desk, school: School, university: University) -> None:
        IdentityProviderFactory(slug="uni-a")

        page = desk.post(IMPORT, **new(school, university), show="1")

        assert any("Another identity provider has this slug" in error for error in page.errors())


class TestImportingAgain:
    def url(self, provider: IdentityProvider) -> str:
        return url_of(IdentityProvider, "import_again", provider.pk)

    def test_keeps_the_old_key_beside_the_new_one(
        self, desk: Desk, provider: IdentityProvider, university: University, renewed: University
    ) -> None:
        page = desk.post(self.url(provider), metadata=metadata(renewed), keep_certificates="on", show="1")
        assert "(new)" in page.text
        desk.post(self.url(provider), **fields(page), save="Save")

        certificates = SamlConfiguration.objects.get().signing_certificates
        assert university.certificate.strip() in certificates
        assert renewed.certificate.strip() in certificates

    def test_lets_the_old_key_go_when_the_rollover_is_over(
        self, desk: Desk, provider: IdentityProvider, university: University, renewed: University
    ) -> None:
        page = desk.post(self.url(provider), metadata=metadata(renewed), show="1")
        desk.post(self.url(provider), **fields(page), save="Save")

        certificates = SamlConfiguration.objects.get().signing_certificates
        assert university.certificate.strip() not in certificates
        assert renewed.certificate.strip() in certificates

    def test_leaves_what_metadata_does_not_tell(
        self, desk: Desk, provider: IdentityProvider, university: University
    ) -> None:
        SamlConfiguration.objects.update(id_attribute="studentNumber", confirms_email=True)

        url = "https://idp2.uni-a.example/sso"
        page = desk.post(self.url(provider), metadata=metadata(university, sso_url=url), show="1")
        assert "Until now it was https://idp.uni-a.example/sso" in page.text
        desk.post(self.url(provider), **fields(page), save="Save")

        saml = SamlConfiguration.objects.get()
        assert (saml.sso_url, saml.id_attribute, saml.confirms_email) == (url, "studentNumber", True)

    def test_completes_a_provider_that_was_a_slug_alone(
        self, desk: Desk, school: School, university: University
    ) -> None:
        provider = IdentityProviderFactory(slug="uni-a", school=school)

        page = desk.post(self.url(provider), metadata=metadata(university), id_attribute=UID, show="1")
        desk.post(self.url(provider), **fields(page), save="Save")

        provider.refresh_from_db()
        assert provider.saml.is_test_only
        assert provider.saml.id_attribute == UID

    def test_of_no_provider(self, desk: Desk) -> None:
        assert desk.get(url_of(IdentityProvider, "import_again", 10**6)).status == 404


class TestThePages:
    def form(self, desk: Desk, provider: IdentityProvider) -> dict[str, Any]:
        page = desk.get(url_of(IdentityProvider, "change", provider.pk))
        return dict(page.tree.xpath('//form[@id="identityprovider_form"]')[0].form_values())

    def test_show_certificates_and_addresses(self, desk: Desk, provider: IdentityProvider) -> None:
        page = desk.get(url_of(IdentityProvider, "change", provider.pk))

        assert "SHA-256" in page.text
        assert "/sso/schools/uni-a/" in page.text
        assert "/sso/metadata.xml" in page.text

    def test_switch_test_only_off(self, desk: Desk, provider: IdentityProvider) -> None:
        SamlConfiguration.objects.update(is_test_only=True)
        form = self.form(desk, provider)
        del form["saml-0-is_test_only"]

        page = desk.post(url_of(IdentityProvider, "change", provider.pk), **form)

        assert not page.errors()
        assert not SamlConfiguration.objects.get().is_test_only

    @pytest.mark.parametrize(
        ("changed", "told"),
        [
            ({"saml-0-signing_certificates": "nonsense!"}, "cut off or not in PEM form"),
            ({"saml-0-signing_certificates": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"}, "read"),
            ({"saml-0-sso_url": "http://idp.uni-a.example/"}, "https://"),
            ({"saml-0-sso_url": "javascript:alert(1)"}, "not a web address"),
            ({"saml-0-id_attribute": ""}, "required"),
            ({"slug": "a:b"}, "letters, digits"),
        ],
        ids=str,
    )
    def test_refuse_what_nobody_could_sign_on_with(
        self, desk: Desk, provider: IdentityProvider, changed: dict[str, str], told: str
    ) -> None:
        before = SamlConfiguration.objects.values().get()

        page = desk.post(url_of(IdentityProvider, "change", provider.pk), **self.form(desk, provider) | changed)

        assert any(told in error for error in page.errors())
        assert SamlConfiguration.objects.values().get() == before

    def test_keep_a_slug_and_its_provider_once_somebody_has_signed_on(
        self, desk: Desk, provider: IdentityProvider
    ) -> None:
        assert "slug" in self.form(desk, provider)
        UserSocialAuthFactory(uid="uni-a:student1")

        page = desk.get(url_of(IdentityProvider, "change", provider.pk))
        assert not page.tree.xpath('//input[@name="slug"]')
        assert desk.get(url_of(IdentityProvider, "delete", provider.pk)).status == 403

    def test_let_an_unused_provider_go(self, desk: Desk, provider: IdentityProvider) -> None:
        desk.post(url_of(IdentityProvider, "delete", provider.pk), post="yes")

        assert not IdentityProvider.objects.exists()
        assert not SamlConfiguration.objects.exists()

    def test_list_states_at_the_same_cost_however_many(
        self, desk: Desk, provider: IdentityProvider, university: University
    ) -> None:
        IdentityProviderFactory(slug="own")
        SamlConfigurationFactory(
            identity_provider__slug="trial", is_test_only=True, signing_certificates=university.certificate
        )
        IdentityProviderFactory(slug="old", is_enabled=False)
        desk.get(LIST)

        rows = desk.get(LIST).rows()
        few = desk.statements(LIST)
        for number in range(20):
            saml = {"identity_provider__slug": f"more{number}", "signing_certificates": university.certificate}
            SamlConfigurationFactory(**saml)

        slugs = ("old", "own", "trial", "uni-a")
        assert all(row.startswith(slug) for row, slug in zip(rows, slugs, strict=True))
        for row, state in zip(rows, ("disabled", "slug alone", "test only", "enabled"), strict=True):
            assert state in row
        assert desk.statements(LIST) == few


class TestPermissions:
    def test_importing_needs_the_one_for_adding_or_changing(
        self, desk_with: Callable[..., Desk], provider: IdentityProvider, university: University
    ) -> None:
        viewer = desk_with("view_identityprovider")
        again = url_of(IdentityProvider, "import_again", provider.pk)

        assert viewer.get(LIST).status == 200
        assert viewer.get(IMPORT).status == 403
        assert viewer.post(again, metadata=metadata(university), save="1").status == 403
        assert desk_with("add_identityprovider").get(IMPORT).status == 200
        changer = desk_with("change_identityprovider")
        assert (changer.get(IMPORT).status, changer.get(again).status) == (403, 200)
