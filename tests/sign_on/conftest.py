from __future__ import annotations

import pytest

from program_enrollments.models import IdentityProvider
from tests.factories.enrollment import IdentityProviderFactory, SchoolFactory
from tests.factories.sign_on import SamlConfigurationFactory
from tests.sign_on.student import Student
from tests.sign_on.university import University, found_university


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
