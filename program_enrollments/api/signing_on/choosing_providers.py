"""Signing on: the identity providers that people sign on through here, as support staff configured them (ADR 0008).

They are read from the database at each sign-on and at no other request, so that what is changed in the admin holds at
once in every process. Nothing of it is cached beyond the request.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import QuerySet

from program_enrollments.api.signing_on.reading_certificates import read_certificates
from program_enrollments.data import SignOnRefusal
from program_enrollments.exceptions import MetadataUnusable, SignOnRefused
from program_enrollments.models import IdentityProvider, SamlConfiguration, School


@dataclass(frozen=True, slots=True)
class AttributeNames:
    """Under which names an identity provider asserts what; empty where nothing was configured."""

    permanent_id: str = ""
    email: str = ""
    username: str = ""
    full_name: str = ""
    first_name: str = ""
    last_name: str = ""


@dataclass(frozen=True, slots=True)
class SamlProvider:
    """The SAML side of an identity provider. `certificates` are in PEM form; a signature by any of them counts."""

    entity_id: str
    sso_url: str
    certificates: tuple[str, ...]
    is_test_only: bool
    allows_idp_initiated: bool
    confirms_email: bool


@dataclass(frozen=True, slots=True)
class SignOnProvider:
    """An enabled identity provider with its school. `saml` is None where the host has a SAML set-up of its own."""

    slug: str
    school: School
    attributes: AttributeNames
    saml: SamlProvider | None


def get_sign_on_provider(*, slug: str = "", entity_id: str = "") -> SignOnProvider:
    """Return the identity provider with this slug, or else the one with this entity ID; one statement.

    Raises SignOnRefused where there is none, or it is switched off.
    """
    wanted = {"slug": slug} if slug else {"saml__entity_id": entity_id}
    found = None
    # PostgreSQL has no NUL in strings; nobody has one in a slug.
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
    return SignOnProvider(found.slug, found.school, _attribute_names(configuration), _saml(found.slug, configuration))


def get_saml_provider(*, slug: str = "", entity_id: str = "") -> tuple[SignOnProvider, SamlProvider]:
    """Return an identity provider that people can be sent to, and its SAML side. Raises SignOnRefused as above, and
    where it has none.
    """
    provider = get_sign_on_provider(slug=slug, entity_id=entity_id)
    if provider.saml is None:
        raise SignOnRefused(SignOnRefusal.PROVIDER_INCOMPLETE, slug=provider.slug)
    return provider, provider.saml


def fetch_sign_on_choices(*, school_key: str | None = None) -> QuerySet[IdentityProvider]:
    """Return the identity providers that people can sign on through, of one school or of all, by school: enabled, not
    for tests only.
    """
    choices = IdentityProvider.objects.filter(is_enabled=True, saml__is_test_only=False).select_related(
        "school", "saml"
    )
    if school_key is not None:
        choices = choices.filter(school__key=school_key) if "\x00" not in school_key else choices.none()
    return choices.order_by("school__name", "school__key", "name", "slug")


def _attribute_names(configuration: SamlConfiguration) -> AttributeNames:
    return AttributeNames(
        permanent_id=configuration.id_attribute,
        email=configuration.email_attribute,
        username=configuration.username_attribute,
        full_name=configuration.full_name_attribute,
        first_name=configuration.first_name_attribute,
        last_name=configuration.last_name_attribute,
    )


def _saml(slug: str, configuration: SamlConfiguration) -> SamlProvider:
    try:
        certificates = read_certificates(text=configuration.signing_certificates)
    except MetadataUnusable:
        # The admin lets nothing unusable in; somebody wrote to the table by other means.
        raise SignOnRefused(SignOnRefusal.PROVIDER_INCOMPLETE, slug=slug) from None
    return SamlProvider(
        entity_id=configuration.entity_id,
        sso_url=configuration.sso_url,
        certificates=tuple(certificate.pem for certificate in certificates),
        is_test_only=configuration.is_test_only,
        allows_idp_initiated=configuration.allows_idp_initiated,
        confirms_email=configuration.confirms_email,
    )
