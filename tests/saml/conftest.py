from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import override_settings

from demo_lms.idp.keys import KeyPair, make_key_pair
from program_enrollments.models import IdentityProvider
from tests.factories.enrollment import IdentityProviderFactory, SchoolFactory
from tests.factories.saml import SamlConfigurationFactory
from tests.saml.student import Student
from tests.saml.university import AUDIENCE, University, found_university


@pytest.fixture(scope="session")
def universities(tmp_path_factory: pytest.TempPathFactory) -> dict[str, University]:
    folder = tmp_path_factory.mktemp("universities")
    return {slug: found_university(slug, folder) for slug in ("uni-a", "uni-b", "stranger")}


@pytest.fixture
def uni_a(universities: dict[str, University]) -> University:
    return universities["uni-a"]


@pytest.fixture
def uni_b(universities: dict[str, University]) -> University:
    return universities["uni-b"]


@pytest.fixture
def provider(db: None, uni_a: University) -> IdentityProvider:
    """University A, as support staff have set it up."""
    identity_provider = IdentityProviderFactory(slug="uni-a", school=SchoolFactory(key="uni-a", name="University A"))
    SamlConfigurationFactory(identity_provider=identity_provider, signing_certificates=uni_a.certificate)
    return identity_provider


@pytest.fixture
def other_provider(db: None, uni_b: University) -> IdentityProvider:
    """University B."""
    identity_provider = IdentityProviderFactory(slug="uni-b", school=SchoolFactory(key="uni-b", name="University B"))
    SamlConfigurationFactory(identity_provider=identity_provider, signing_certificates=uni_b.certificate)
    return identity_provider


@pytest.fixture
def student(provider: IdentityProvider) -> Student:
    return Student()


@pytest.fixture(scope="session")
def our_keys(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    """The service's own key pair, which universities encrypt to."""
    folder = tmp_path_factory.mktemp("service")
    keys = KeyPair(folder / "key.pem", folder / "certificate.pem")
    make_key_pair(pair=keys, name="service")
    return keys


@pytest.fixture
def with_our_key(our_keys: KeyPair) -> Iterator[None]:
    sign_on = {"ENTITY_ID": AUDIENCE, "PRIVATE_KEY": our_keys.key.read_text(encoding="ascii")}
    with override_settings(PROGRAM_ENROLLMENTS={"HOST": "demo_lms.host.DemoHost", "SIGN_ON": sign_on}):
        yield
