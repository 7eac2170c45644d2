from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from program_enrollments.models import SamlConfiguration
from tests.factories.enrollment import IdentityProviderFactory, SchoolFactory
from tests.factories.saml import SamlConfigurationFactory
from tests.management.discovery_server import DiscoveryServer, serve_discovery
from tests.management.syncing import configure
from tests.saml.published_metadata import Publisher, publishing
from tests.saml.university import University, found_university


@pytest.fixture(scope="module")
def universities(tmp_path_factory: pytest.TempPathFactory) -> dict[str, University]:
    """The university with its first key, its next, the key it signs metadata with; and a stranger."""
    folder = tmp_path_factory.mktemp("universities")
    entity_id = "https://idp.uni-a.example/saml"
    return {
        name: University("uni-a", entity_id, found_university(name, folder).keys)
        for name in ("first", "next", "signer", "stranger")
    }


@pytest.fixture
def first(universities: dict[str, University]) -> University:
    return universities["first"]


@pytest.fixture
def following(universities: dict[str, University]) -> University:
    return universities["next"]


@pytest.fixture
def signer(universities: dict[str, University]) -> University:
    return universities["signer"]


@pytest.fixture
def publisher(settings: Settings) -> Iterator[Publisher]:
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "PRIVATE_METADATA_HOSTS": ["127.0.0.1"]}
    with publishing() as server:
        yield server


@pytest.fixture
def saml(db: None, first: University, publisher: Publisher) -> SamlConfiguration:
    provider = IdentityProviderFactory(slug="uni-a", school=SchoolFactory(key="uni-a"))
    configuration: SamlConfiguration = SamlConfigurationFactory(
        identity_provider=provider, signing_certificates=first.certificate.strip(), metadata_url=publisher.url
    )
    return configuration


@pytest.fixture
def discovery(settings: Settings) -> Iterator[DiscoveryServer]:
    """A Discovery that the settings name, and a school that it has programs of."""
    SchoolFactory(key="uni-a")
    with serve_discovery() as server:
        configure(settings, **server.settings())
        yield server


@pytest.fixture
def file_storage(settings: Settings, tmp_path: Path) -> Path:
    """A folder of its own for the files that commands send."""
    settings.STORAGES = {
        **settings.STORAGES,
        "program_enrollments": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "files")},
        },
    }
    return tmp_path
