"""Identity providers as staff configured them (ADR 0008).

They are read from the database at each sign-on, and only then. Nothing is cached beyond the request, so changes in the
admin apply at once in every process.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import QuerySet

from program_enrollments.api.sso.certificates import read_certificates
from program_enrollments.data import SignOnRefusal
from program_enrollments.exceptions import IdentityProviderDoesNotExist, MetadataUnusable, SignOnRefused
from program_enrollments.models import IdentityProvider, SamlConfiguration, School

OBSTACLES = (
    SignOnRefusal.PROVIDER_TEST_ONLY,
    SignOnRefusal.CERTIFICATES_UNUSABLE,
    SignOnRefusal.PROVIDER_INCOMPLETE,
    SignOnRefusal.PROVIDER_DISABLED,
)
"""Reasons why nobody can sign on through a provider, those that are easiest to remove first."""


@dataclass(frozen=True, slots=True)
class AttributeNames:
    """The names of an identity provider's attributes. A name that was not configured is empty."""

    permanent_id: str = ""
    email: str = ""
    username: str = ""
    full_name: str = ""
    first_name: str = ""
    last_name: str = ""


@dataclass(frozen=True, slots=True)
class SamlProvider:
    """The SAML side of an identity provider.

    `certificates` are in PEM form. A signature by any of them is valid.
    """

    entity_id: str
    sso_url: str
    certificates: tuple[str, ...]
    is_test_only: bool
    allows_idp_initiated: bool
    confirms_email: bool


@dataclass(frozen=True, slots=True)
class SignOnProvider:
    """An enabled identity provider with its school.

    `saml` is None if the host has a SAML set-up of its own.
    """

    slug: str
    school: School
    attributes: AttributeNames
    saml: SamlProvider | None


@dataclass(frozen=True, slots=True)
class SchoolChoices:
    """A school and the identity providers through which people can sign on.

    `refusal` is the reason if there is none, else None.
    """

    school: School
    providers: tuple[IdentityProvider, ...]
    refusal: SignOnRefused | None


def get_identity_provider(*, slug: str) -> IdentityProvider:
    """Return the identity provider with this slug, enabled or not. Raises IdentityProviderDoesNotExist."""
    named = IdentityProvider.objects.filter(slug=slug) if "\x00" not in slug else ()
    provider = next((each for each in named if each.slug == slug), None)
    if provider is None:
        raise IdentityProviderDoesNotExist
    return provider


def get_sign_on_provider(*, slug: str = "", entity_id: str = "") -> SignOnProvider:
    """Return the identity provider with this slug, or else the one with this entity ID. One statement.

    Raises SignOnRefused if there is none, or if it is disabled.
    """
    wanted = {"slug": slug} if slug else {"saml__entity_id": entity_id}
    found = None
    # PostgreSQL refuses strings with NUL, which no slug has.
    if "\x00" not in slug + entity_id:
        found = IdentityProvider.objects.filter(**wanted).select_related("school", "saml").first()
    if found is None:
        raise SignOnRefused(SignOnRefusal.PROVIDER_UNKNOWN)
    if not found.is_enabled:
        raise SignOnRefused(SignOnRefusal.PROVIDER_DISABLED, slug=found.slug)
    try:
        configuration = found.saml
    except ObjectDoesNotExist:
        return SignOnProvider(found.slug, found.school, AttributeNames(), None)
    return SignOnProvider(found.slug, found.school, _attribute_names(configuration), _saml(found, configuration))


def get_saml_provider(*, slug: str = "", entity_id: str = "") -> tuple[SignOnProvider, SamlProvider]:
    """Return an identity provider and its SAML configuration.

    Raises SignOnRefused as above, and if there is no configuration.
    """
    provider = get_sign_on_provider(slug=slug, entity_id=entity_id)
    if provider.saml is None:
        raise SignOnRefused(SignOnRefusal.PROVIDER_INCOMPLETE, slug=provider.slug)
    return provider, provider.saml


def fetch_sign_on_choices() -> QuerySet[IdentityProvider]:
    """Return the identity providers through which people can sign on, by school.

    They are enabled, and not for tests only, as those of schools for practice are. Providers with unusable certificates
    are included; `get_school_choices` leaves them out.
    """
    choices = IdentityProvider.objects.filter(is_enabled=True, saml__is_test_only=False, school__is_sandbox=False)
    return choices.select_related("school", "saml").order_by("school__name", "school__key", "name", "slug")


def get_school_choices(*, school_key: str) -> SchoolChoices:
    """Return a school with the identity providers through which people can sign on. Two statements.

    Raises SignOnRefused if there is no such school.
    """
    # PostgreSQL refuses strings with NUL.
    school = School.objects.filter(key=school_key).first() if "\x00" not in school_key else None
    if school is None:
        raise SignOnRefused(SignOnRefusal.PROVIDER_UNKNOWN)
    providers = IdentityProvider.objects.filter(school=school).select_related("school", "saml")
    obstacles = [(provider, _obstacle(provider)) for provider in providers.order_by("name", "slug")]
    choices = tuple(provider for provider, obstacle in obstacles if obstacle is None)
    return SchoolChoices(school, choices, None if choices else _nearest(obstacles))


def _nearest(obstacles: list[tuple[IdentityProvider, SignOnRefusal | None]]) -> SignOnRefused:
    """Return the obstacle that is easiest to remove, as a refusal."""
    for code in OBSTACLES:
        for provider, obstacle in obstacles:
            if obstacle == code:
                return SignOnRefused(code, slug=provider.slug)
    return SignOnRefused(SignOnRefusal.PROVIDER_MISSING)


def _obstacle(provider: IdentityProvider) -> SignOnRefusal | None:
    """Return the reason why nobody can sign on through a provider, or None if people can."""
    if not provider.is_enabled:
        return SignOnRefusal.PROVIDER_DISABLED
    try:
        saml = _saml(provider, provider.saml)
    except ObjectDoesNotExist:
        return SignOnRefusal.PROVIDER_INCOMPLETE
    except SignOnRefused as error:
        return SignOnRefusal(error.code)
    return SignOnRefusal.PROVIDER_TEST_ONLY if saml.is_test_only else None


def _attribute_names(configuration: SamlConfiguration) -> AttributeNames:
    return AttributeNames(
        permanent_id=configuration.id_attribute,
        email=configuration.email_attribute,
        username=configuration.username_attribute,
        full_name=configuration.full_name_attribute,
        first_name=configuration.first_name_attribute,
        last_name=configuration.last_name_attribute,
    )


def _saml(provider: IdentityProvider, configuration: SamlConfiguration) -> SamlProvider:
    try:
        certificates = read_certificates(text=configuration.signing_certificates)
    except MetadataUnusable:
        # The admin refuses unusable certificates, so these were written by other means.
        raise SignOnRefused(SignOnRefusal.CERTIFICATES_UNUSABLE, slug=provider.slug) from None
    return SamlProvider(
        entity_id=configuration.entity_id,
        sso_url=configuration.sso_url,
        certificates=tuple(certificate.pem for certificate in certificates),
        is_test_only=configuration.is_test_only or provider.school.is_sandbox,
        allows_idp_initiated=configuration.allows_idp_initiated,
        confirms_email=configuration.confirms_email,
    )
