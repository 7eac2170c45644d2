"""Provider states: how a school's identity providers are set up, for its administrators."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from program_enrollments.api.sso.certificates import ENDS_SOON, SigningCertificate, read_certificates
from program_enrollments.exceptions import MetadataUnusable
from program_enrollments.models import IdentityProvider, ProposedMetadata, SamlConfiguration, School


@dataclass(frozen=True, slots=True)
class ProviderState:
    """An identity provider; without `entity_id` it is signed on through the host's own set-up.

    `certificates` are empty if they cannot be read; `ends_at` is when the last of them ends.
    """

    slug: str
    name: str
    is_enabled: bool
    is_test_only: bool = False
    entity_id: str = ""
    sso_url: str = ""
    metadata_url: str = ""
    metadata_read_at: datetime | None = None
    certificates: tuple[SigningCertificate, ...] = ()
    ends_at: datetime | None = None
    ends_soon: bool = False
    has_proposal: bool = False


def fetch_provider_states(*, school: School, now: datetime) -> list[ProviderState]:
    """Return the school's identity providers in the order of their slugs. Three statements."""
    providers = list(IdentityProvider.objects.filter(school=school).order_by("slug"))
    configured = {
        one.identity_provider_id: one for one in SamlConfiguration.objects.filter(identity_provider__in=providers)
    }
    proposals = set(
        ProposedMetadata.objects.filter(
            configuration__identity_provider__school=school, rejected_at__isnull=True
        ).values_list("configuration_id", flat=True)
    )
    return [_state(provider, configured.get(provider.pk), proposals=proposals, now=now) for provider in providers]


def _state(
    provider: IdentityProvider, configuration: SamlConfiguration | None, *, proposals: set[int], now: datetime
) -> ProviderState:
    if configuration is None:
        return ProviderState(provider.slug, provider.name, provider.is_enabled)
    try:
        certificates = read_certificates(text=configuration.signing_certificates)
    except MetadataUnusable:
        certificates = ()
    ends_at = max((one.expires_at for one in certificates), default=None)
    return ProviderState(
        slug=provider.slug,
        name=provider.name,
        is_enabled=provider.is_enabled,
        is_test_only=configuration.is_test_only or provider.school.is_sandbox,
        entity_id=configuration.entity_id,
        sso_url=configuration.sso_url,
        metadata_url=configuration.metadata_url,
        metadata_read_at=configuration.metadata_read_at,
        certificates=certificates,
        ends_at=ends_at,
        ends_soon=ends_at is None or ends_at <= now + ENDS_SOON,
        has_proposal=configuration.pk in proposals,
    )
