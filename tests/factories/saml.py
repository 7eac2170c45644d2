"""What support staff configure of a university's identity provider."""

from __future__ import annotations

import factory
from factory.django import DjangoModelFactory

from program_enrollments.models import SamlConfiguration
from program_enrollments.saml.identities import UID
from tests.factories.enrollment import IdentityProviderFactory


class SamlConfigurationFactory(DjangoModelFactory[SamlConfiguration]):
    """A complete configuration; `signing_certificates` (PEM) has to be given."""

    class Meta:
        model = SamlConfiguration

    identity_provider = factory.SubFactory(IdentityProviderFactory)
    entity_id = factory.LazyAttribute(lambda saml: f"https://idp.{saml.identity_provider.slug}.example/saml")
    sso_url = factory.LazyAttribute(lambda saml: f"https://idp.{saml.identity_provider.slug}.example/sso")
    id_attribute = UID
