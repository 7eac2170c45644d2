"""Identities: the person that asserted attributes describe.

The permanent ID is checked strictly. All other attributes are optional.
"""

from __future__ import annotations

import unicodedata

from social_django.models import UserSocialAuth

from program_enrollments.api import AssertedIdentity, SignOnProvider
from program_enrollments.data import SignOnRefusal
from program_enrollments.exceptions import SignOnRefused
from program_enrollments.normalization import (
    MAX_IDENTITY_LENGTH,
    is_email,
    is_pseudonym,
    normalize_identity,
    strip_invisible,
)
from program_enrollments.saml.assertions import Attributes

UNSTORABLE = frozenset({"Cc", "Cs"})
"""Unicode categories that some databases refuse and no ID needs: control characters and lone surrogates."""

MAX_EMAIL_LENGTH = 254
MAX_NAME_LENGTH = 150

# Used if no name is configured: names of the eduPerson and inetOrgPerson schemas, then those of common products.
UID = "urn:oid:0.9.2342.19200300.100.1.1"
EMAIL = ("urn:oid:0.9.2342.19200300.100.1.3", "mail", "email")
USERNAME = (UID, "urn:oid:1.3.6.1.4.1.5923.1.1.1.6", "uid", "eduPersonPrincipalName", "username")
FULL_NAME = ("urn:oid:2.16.840.1.113730.3.1.241", "urn:oid:2.5.4.3", "displayName", "cn")
FIRST_NAME = ("urn:oid:2.5.4.42", "givenName")
LAST_NAME = ("urn:oid:2.5.4.4", "sn")
CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
CLAIM_NAMES = {EMAIL: "emailaddress", USERNAME: "upn", FULL_NAME: "name", FIRST_NAME: "givenname", LAST_NAME: "surname"}


def permanent_id_name(provider: SignOnProvider) -> str:
    """Return the name of the attribute that carries the permanent ID."""
    return provider.attributes.permanent_id or UID


def identify(*, provider: SignOnProvider, attributes: Attributes) -> AssertedIdentity:
    """Return the person that the attributes describe.

    Raises SignOnRefused unless the permanent ID is one plain, storable value.
    """
    names = provider.attributes
    return AssertedIdentity(
        school_id=provider.school.pk,
        slug=provider.slug,
        remote_id=_permanent_id(provider, attributes),
        email=_email(attributes, names.email),
        username=_first(attributes, names.username, USERNAME),
        full_name=_first(attributes, names.full_name, FULL_NAME),
        first_name=_first(attributes, names.first_name, FIRST_NAME),
        last_name=_first(attributes, names.last_name, LAST_NAME),
        confirms_email=provider.saml is not None and provider.saml.confirms_email,
    )


def _permanent_id(provider: SignOnProvider, attributes: Attributes) -> str:
    values = attributes.get(permanent_id_name(provider), ())
    if not values or values == [""]:
        raise SignOnRefused(SignOnRefusal.ID_MISSING, slug=provider.slug)
    value = values[0]
    if len(values) > 1 or value is None:
        raise SignOnRefused(SignOnRefusal.ID_AMBIGUOUS, slug=provider.slug)
    if not is_storable(slug=provider.slug, remote_id=value):
        raise SignOnRefused(SignOnRefusal.ID_UNUSABLE, slug=provider.slug)
    return strip_invisible(value)


def is_storable(*, slug: str, remote_id: str) -> bool:
    """Return whether an ID can name a person, and fits into every database's tables.

    The uid has to fit, too: it is the provider's slug, a colon and the ID.
    """
    limit = min(MAX_IDENTITY_LENGTH, UserSocialAuth._meta.get_field("uid").max_length or MAX_IDENTITY_LENGTH)
    if is_pseudonym(normalize_identity(remote_id)):
        # This app generates such IDs for learners whose own ID is gone; universities never assert them.
        return False
    if len(f"{slug}:{remote_id}") > limit or any(unicodedata.category(letter) in UNSTORABLE for letter in remote_id):
        return False
    return 0 < len(normalize_identity(remote_id)) <= MAX_IDENTITY_LENGTH


def _candidates(attributes: Attributes, configured: str, usual: tuple[str, ...]) -> list[str]:
    """Return the plain values of the configured attribute, or of the first usual one that has any."""
    usual_names = (*usual, f"{CLAIMS}{CLAIM_NAMES[usual]}")
    for name in (configured,) if configured else usual_names:
        values = [" ".join(_printable(value).split()) for value in attributes.get(name, ()) if value]
        if any(values):
            return [value for value in values if value]
    return []


def _printable(value: str) -> str:
    return "".join(letter for letter in value if unicodedata.category(letter) not in UNSTORABLE or letter.isspace())


def _first(attributes: Attributes, configured: str, usual: tuple[str, ...]) -> str:
    return next((value[:MAX_NAME_LENGTH] for value in _candidates(attributes, configured, usual)), "")


def _email(attributes: Attributes, configured: str) -> str:
    """Return the first usable of the asserted addresses, or an empty string."""
    for value in _candidates(attributes, configured, EMAIL):
        if len(value) <= MAX_EMAIL_LENGTH and is_email(value):
            return value
    return ""
