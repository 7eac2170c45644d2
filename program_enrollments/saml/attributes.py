"""Attributes as the page of a test sign-on shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from program_enrollments.api import SignOnProvider
from program_enrollments.saml.assertions import Assertion
from program_enrollments.saml.identities import (
    CLAIM_NAMES,
    CLAIMS,
    EMAIL,
    FIRST_NAME,
    FULL_NAME,
    LAST_NAME,
    UID,
    is_storable,
    permanent_id_name,
)

FRIENDLY_NAMES = {
    UID: "uid",
    "urn:oid:0.9.2342.19200300.100.1.3": "mail",
    "urn:oid:1.3.6.1.4.1.5923.1.1.1.1": "eduPersonAffiliation",
    "urn:oid:1.3.6.1.4.1.5923.1.1.1.6": "eduPersonPrincipalName",
    "urn:oid:1.3.6.1.4.1.5923.1.1.1.7": "eduPersonEntitlement",
    "urn:oid:1.3.6.1.4.1.5923.1.1.1.9": "eduPersonScopedAffiliation",
    "urn:oid:1.3.6.1.4.1.5923.1.1.1.10": "eduPersonTargetedID",
    "urn:oid:1.3.6.1.4.1.5923.1.1.1.13": "eduPersonUniqueId",
    "urn:oid:1.3.6.1.4.1.25178.1.2.9": "schacHomeOrganization",
    "urn:oid:1.3.6.1.4.1.25178.1.2.14": "schacPersonalUniqueCode",
    "urn:oasis:names:tc:SAML:attribute:subject-id": "subject-id",
    "urn:oasis:names:tc:SAML:attribute:pairwise-id": "pairwise-id",
    "urn:oid:2.16.840.1.113730.3.1.3": "employeeNumber",
    "urn:oid:2.16.840.1.113730.3.1.241": "displayName",
    "urn:oid:2.5.4.3": "cn",
    "urn:oid:2.5.4.4": "sn",
    "urn:oid:2.5.4.42": "givenName",
}
"""Names of numbered attributes in the schemas eduPerson, SCHAC and inetOrgPerson and in SAML's own profiles."""

USUAL = (EMAIL, FULL_NAME, FIRST_NAME, LAST_NAME)
ROLES = frozenset(
    {
        "urn:oid:1.3.6.1.4.1.5923.1.1.1.1",
        "urn:oid:1.3.6.1.4.1.5923.1.1.1.7",
        "urn:oid:1.3.6.1.4.1.5923.1.1.1.9",
        "urn:oid:1.3.6.1.4.1.25178.1.2.9",
    }
)
NO_IDS = ROLES.union(name for names in USUAL for name in (*names, f"{CLAIMS}{CLAIM_NAMES[names]}"))
"""Attributes that people can change or share, so that they are never permanent IDs."""


@dataclass(frozen=True, slots=True)
class PresentedAttribute:
    """An attribute as shown to people. `friendly_name` is empty if no better name is known."""

    name: str
    friendly_name: str
    values: Sequence[str | None]
    is_permanent_id: bool
    could_be_permanent_id: bool


def present_attributes(*, provider: SignOnProvider, assertion: Assertion) -> list[PresentedAttribute]:
    """Return all attributes of an assertion, sorted by name.

    An attribute could be the permanent ID if it has one plain value that fits into the tables, and is neither a name
    nor an e-mail address.
    """
    chosen = permanent_id_name(provider)
    return [
        PresentedAttribute(
            name=name,
            friendly_name=friendly_name(name, assertion=assertion),
            values=values,
            is_permanent_id=name == chosen,
            could_be_permanent_id=name not in {chosen, "", *NO_IDS} and _is_usable(provider.slug, values),
        )
        for name, values in sorted(assertion.attributes.items())
    ]


def friendly_name(name: str, *, assertion: Assertion) -> str:
    """Return what people call an attribute, or "" if nothing better than its name is known."""
    if name in FRIENDLY_NAMES:
        return FRIENDLY_NAMES[name]
    if name.startswith(CLAIMS):
        return name.removeprefix(CLAIMS)
    stated = assertion.friendly_names.get(name, "")
    return stated if stated != name else ""


def _is_usable(slug: str, values: Sequence[str | None]) -> bool:
    return len(values) == 1 and values[0] is not None and is_storable(slug=slug, remote_id=values[0])
