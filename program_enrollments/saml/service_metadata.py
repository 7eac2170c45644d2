"""The SAML metadata of this service, which universities load into their identity providers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from django.core.exceptions import ImproperlyConfigured
from lxml import etree

from program_enrollments.saml.authn_requests import POST_BINDING, SAMLP
from program_enrollments.saml.configuration import SignOnSettings

MD = "urn:oasis:names:tc:SAML:2.0:metadata"
DS = "http://www.w3.org/2000/09/xmldsig#"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def service_metadata(*, settings: SignOnSettings, entity_id: str, acs_urls: Sequence[str]) -> bytes:
    """Return the metadata as XML. Raises ImproperlyConfigured for a certificate that cannot be read.

    The first of `acs_urls` is the default one. The metadata requires signed assertions. With a private key, it
    announces signed requests. With a certificate, universities can encrypt assertions to it.
    """
    root = etree.Element(f"{{{MD}}}EntityDescriptor", {"entityID": entity_id}, nsmap={"md": MD, "ds": DS})
    service = etree.SubElement(
        root,
        f"{{{MD}}}SPSSODescriptor",
        {
            "protocolSupportEnumeration": SAMLP,
            "WantAssertionsSigned": "true",
            "AuthnRequestsSigned": "true" if settings.PRIVATE_KEY else "false",
        },
    )
    for certificate in filter(None, (settings.CERTIFICATE, settings.NEXT_CERTIFICATE)):
        for use in ("signing", "encryption"):
            _add_key(service, use=use, certificate=certificate)
    for index, acs_url in enumerate(acs_urls):
        attributes = {"Binding": POST_BINDING, "Location": acs_url, "index": str(index)}
        etree.SubElement(service, f"{{{MD}}}AssertionConsumerService", attributes)
    if settings.ORGANIZATION:
        _add_organization(root, settings.ORGANIZATION)
    for kind, contact in (("technical", settings.TECHNICAL_CONTACT), ("support", settings.SUPPORT_CONTACT)):
        if contact:
            _add_contact(root, kind=kind, contact=contact)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))


def _add_key(parent: etree._Element, *, use: str, certificate: str) -> None:
    try:
        der = x509.load_pem_x509_certificate(certificate.encode()).public_bytes(serialization.Encoding.PEM)
    except ValueError:
        raise ImproperlyConfigured("A certificate in SIGN_ON is not in PEM form.") from None
    key = etree.SubElement(parent, f"{{{MD}}}KeyDescriptor", {"use": use})
    data = etree.SubElement(etree.SubElement(key, f"{{{DS}}}KeyInfo"), f"{{{DS}}}X509Data")
    body = der.decode("ascii").strip().splitlines()[1:-1]
    etree.SubElement(data, f"{{{DS}}}X509Certificate").text = "".join(body)


def _add_organization(parent: etree._Element, organization: Mapping[str, str]) -> None:
    element = etree.SubElement(parent, f"{{{MD}}}Organization")
    for tag, key in (("OrganizationName", "name"), ("OrganizationDisplayName", "name"), ("OrganizationURL", "url")):
        etree.SubElement(element, f"{{{MD}}}{tag}", {XML_LANG: "en"}).text = organization.get(key, "")


def _add_contact(parent: etree._Element, *, kind: str, contact: Mapping[str, str]) -> None:
    element = etree.SubElement(parent, f"{{{MD}}}ContactPerson", {"contactType": kind})
    if contact.get("name"):
        etree.SubElement(element, f"{{{MD}}}GivenName").text = contact["name"]
    if contact.get("email"):
        etree.SubElement(element, f"{{{MD}}}EmailAddress").text = f"mailto:{contact['email'].removeprefix('mailto:')}"
