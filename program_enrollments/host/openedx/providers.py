"""The platform's SAML providers with their organizations, as third-party auth has them."""

from __future__ import annotations

from dataclasses import dataclass

from django.apps import apps

from program_enrollments.host.openedx.platform import get_model

APP = "third_party_auth"


@dataclass(frozen=True, slots=True)
class PlatformProvider:
    """An enabled SAML provider.

    `organization` is the short name; it is empty if the provider belongs to none.
    """

    slug: str
    name: str
    backend: str
    organization: str
    organization_name: str


def is_third_party_auth_there() -> bool:
    """Whether the platform's third-party auth is installed."""
    return any(config.label == APP for config in apps.get_app_configs())


def read_providers() -> list[PlatformProvider]:
    """Return the providers that are enabled now, by slug.

    Every change is a row, and the newest row of a slug counts.
    """
    rows = get_model(f"{APP}.SAMLProviderConfig").objects.current_set().select_related("organization")
    return sorted(
        (
            PlatformProvider(
                slug=row.slug,
                name=row.display_name or row.name,
                backend=row.backend_name,
                organization=row.organization.short_name if row.organization else "",
                organization_name=row.organization.name if row.organization else "",
            )
            for row in rows
            if row.enabled and not row.archived
        ),
        key=lambda provider: provider.slug,
    )
