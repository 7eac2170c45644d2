"""SAML metadata: parsed descriptions of identity providers, before anything is saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from django.utils.translation import gettext as _
from lxml import etree

from program_enrollments.api.sso.certificates import SigningCertificate, read_certificates
from program_enrollments.exceptions import MetadataUnusable
from program_enrollments.metadata_source import LOOPBACK, MAX_METADATA_BYTES
from program_enrollments.models.saml import MAX_ENTITY_ID_LENGTH
from program_enrollments.xml_security import DS, AlgorithmRejected, SignatureRejected, check_ids, verify

NAMESPACES = {
    "md": "urn:oasis:names:tc:SAML:2.0:metadata",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
    "mdui": "urn:oasis:names:tc:SAML:metadata:ui",
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
}
SAML2 = "urn:oasis:names:tc:SAML:2.0:protocol"
REDIRECT_BINDING = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


@dataclass(frozen=True, slots=True)
class ProviderMetadata:
    """One identity provider, as its metadata describes it.

    `attributes` are the names of attributes that it announces, often none. `valid_until` is UTC, or None if the
    metadata names no end.
    """

    entity_id: str
    name: str
    sso_url: str
    certificates: tuple[SigningCertificate, ...]
    attributes: tuple[str, ...]
    valid_until: datetime | None


def read_metadata(*, xml: bytes, entity_id: str = "", signer: str = "") -> ProviderMetadata:
    """Parse the identity provider that `xml` describes, or the one named `entity_id` of several.

    With `signer`, the SHA-256 fingerprint of a certificate, the provider's description or an element around it must be
    signed with that certificate's key. Without, signatures are not checked: the person who pastes the metadata is
    responsible for its origin (docs/sso.rst). Raises MetadataUnusable with a sentence for that person.
    """
    root = _parse(xml)
    entities = [
        entity
        for entity in root.iter(f"{{{NAMESPACES['md']}}}EntityDescriptor")
        if _descriptor(entity) is not None and (not entity_id or entity.get("entityID") == entity_id)
    ]
    if not entities:
        raise MetadataUnusable(_nobody_found(root, entity_id))
    if len(entities) > 1:
        raise MetadataUnusable(
            _("This describes {count} identity providers. Give the entity ID of the one you mean.").format(
                count=len(entities)
            )
        )
    if signer:
        _check_signer(entities[0], signer)
    return _read_entity(entities[0])


def check_sso_url(*, url: str) -> None:
    """Raise MetadataUnusable unless people may be sent to `url` to sign on.

    The address must be HTTPS, or HTTP on this machine.
    """
    try:
        scheme, host = urlsplit(url).scheme, urlsplit(url).hostname
    except ValueError:
        scheme, host = "", None
    if not host or scheme not in {"http", "https"} or any(letter.isspace() for letter in url):
        raise MetadataUnusable(_("The sign-on URL is not a web address."))
    if scheme == "http" and host not in LOOPBACK:
        raise MetadataUnusable(_("The sign-on URL must start with https://, so that nobody can read along."))


def _parse(xml: bytes) -> etree._Element:
    if len(xml) > MAX_METADATA_BYTES:
        raise MetadataUnusable(_("This is too large. Ask for the metadata of the one identity provider alone."))
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(xml.strip(), parser)
    except etree.XMLSyntaxError:
        raise MetadataUnusable(_("This is not XML. Copy the provider's whole metadata, or upload its file.")) from None
    if root.getroottree().docinfo.doctype:
        raise MetadataUnusable(
            _("This has a document type declaration, which SAML metadata never needs. It is not read.")
        )
    return root


def _check_signer(entity: etree._Element, signer: str) -> None:
    """Raise MetadataUnusable unless the entity, or an element around it, is signed by `signer`."""
    signatures = [
        signature
        for element in (entity, *entity.iterancestors())
        for signature in element.findall(f"{DS}Signature")
        if _certificate_of(signature, signer)
    ]
    if not signatures:
        raise MetadataUnusable(
            _(
                "The metadata is not signed with the certificate whose fingerprint was entered. If the university "
                "signs with another one now, compare its fingerprint with the university and enter it."
            )
        )
    try:
        check_ids([entity.getroottree().getroot()])
        verify(signatures[0], certificates=[_certificate_of(signatures[0], signer)])
    except AlgorithmRejected:
        raise MetadataUnusable(
            _("The metadata's signature uses an algorithm that is not accepted. Ask the university for SHA-256.")
        ) from None
    except SignatureRejected:
        raise MetadataUnusable(
            _("The metadata's signature does not hold: the metadata was changed on its way. It is not used.")
        ) from None


def _certificate_of(signature: etree._Element, fingerprint: str) -> str:
    """Return the certificate (PEM) with this fingerprint from a signature, empty if it has none."""
    for body in signature.iterfind("ds:KeyInfo/ds:X509Data/ds:X509Certificate", NAMESPACES):
        for certificate in read_certificates(text=body.text or ""):
            if certificate.fingerprint == fingerprint:
                return certificate.pem
    return ""


def _descriptor(entity: etree._Element) -> etree._Element | None:
    for descriptor in entity.iterfind("md:IDPSSODescriptor", NAMESPACES):
        if SAML2 in (descriptor.get("protocolSupportEnumeration") or "").split():
            return descriptor
    return None


def _nobody_found(root: etree._Element, entity_id: str) -> str:
    if entity_id:
        return _("No identity provider in this metadata has that entity ID.")
    if root.find(".//md:SPSSODescriptor", NAMESPACES) is not None or root.tag.endswith("SPSSODescriptor"):
        return _("This describes a service, not an identity provider. Ask the university for its IdP metadata.")
    return _("No SAML 2.0 identity provider is described here. Ask the university for its IdP metadata.")


def _read_entity(entity: etree._Element) -> ProviderMetadata:
    descriptor = _descriptor(entity)
    if descriptor is None:
        raise LookupError("An entity without identity provider was chosen.")
    entity_id = (entity.get("entityID") or "").strip()
    if not entity_id or len(entity_id) > MAX_ENTITY_ID_LENGTH:
        raise MetadataUnusable(_("The entity ID is missing or longer than can be stored."))
    return ProviderMetadata(
        entity_id=entity_id,
        name=_display_name(entity, descriptor),
        sso_url=_sso_url(descriptor),
        certificates=_certificates(descriptor),
        attributes=tuple(
            attribute.get("Name") or "" for attribute in descriptor.iterfind("saml:Attribute", NAMESPACES)
        ),
        valid_until=_valid_until(entity),
    )


def _sso_url(descriptor: etree._Element) -> str:
    for service in descriptor.iterfind("md:SingleSignOnService", NAMESPACES):
        if service.get("Binding") == REDIRECT_BINDING:
            url = (service.get("Location") or "").strip()
            check_sso_url(url=url)
            return url
    raise MetadataUnusable(
        _("The provider offers no sign-on by HTTP-Redirect, the only way supported here. Ask the university to add it.")
    )


def _certificates(descriptor: etree._Element) -> tuple[SigningCertificate, ...]:
    bodies = [
        certificate.text or ""
        for key in descriptor.iterfind("md:KeyDescriptor", NAMESPACES)
        if key.get("use") in {None, "signing"}
        for certificate in key.iterfind(".//ds:X509Certificate", NAMESPACES)
    ]
    found = {certificate.fingerprint: certificate for body in bodies for certificate in read_certificates(text=body)}
    if not found:
        raise MetadataUnusable(_("The metadata holds no signing certificate. Ask the university to publish it."))
    return tuple(found.values())


def _display_name(entity: etree._Element, descriptor: etree._Element) -> str:
    named = descriptor.findall(".//mdui:DisplayName", NAMESPACES) or entity.findall(
        ".//md:OrganizationDisplayName", NAMESPACES
    )
    return _in_english(named)[:255]


def _in_english(elements: Sequence[etree._Element]) -> str:
    """Return the English one of several translations, else the first."""
    english = [element for element in elements if (element.get(XML_LANG) or "").lower().startswith("en")]
    chosen = (english or list(elements))[:1]
    return " ".join((chosen[0].text or "").split()) if chosen else ""


def _valid_until(entity: etree._Element) -> datetime | None:
    """Return the earliest end of validity that the entity or an element around it names."""
    stated = [element.get("validUntil") for element in (entity, *entity.iterancestors())]
    moments = []
    for text in filter(None, stated):
        try:
            moment = datetime.fromisoformat(text.strip())
        except ValueError:
            raise MetadataUnusable(_("The metadata names an end of its validity that is no date.")) from None
        moments.append(moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC))
    return min(moments, default=None)
