"""A university that can say anything: builds SAML responses part by part, and signs them with its own key."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import xmlsec
from lxml import etree

from demo_lms.idp.keys import KeyPair, make_key_pair
from program_enrollments.saml.documents import SAML
from program_enrollments.saml.identities import UID
from program_enrollments.xml_security import DS

ACS = "http://testserver/sso/acs/"
AUDIENCE = "https://demo-lms.example/sso"
NAMESPACES = (
    'xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xs="http://www.w3.org/2001/XMLSchema"'
)
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"


def at(seconds: float) -> str:
    """Return the time so many seconds from now, as SAML writes it."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Statement:
    """What a response says. None leaves a thing out altogether."""

    request_id: str | None
    issuer: str
    attributes: Mapping[str, Sequence[str]] = field(default_factory=lambda: {UID: ["student1"]})
    destination: str | None = ACS
    recipient: str | None = ACS
    audience: str | None = AUDIENCE
    not_before: str | None = field(default_factory=lambda: at(-5))
    not_on_or_after: str | None = field(default_factory=lambda: at(300))
    confirmed_not_on_or_after: str | None = field(default_factory=lambda: at(300))
    confirmed_request_id: str | None = ""
    session_not_on_or_after: str | None = None
    status: str = SUCCESS
    response_issuer: str | None = ""
    assertion_id: str = field(default_factory=lambda: f"_a{secrets.token_hex(12)}")
    response_id: str = field(default_factory=lambda: f"_r{secrets.token_hex(12)}")
    raw_values: str = ""
    """XML put behind the attributes of the statement, as it is."""

    def xml(self) -> str:
        """Return the response, unsigned."""
        confirmed_request_id = self.request_id if self.confirmed_request_id == "" else self.confirmed_request_id
        response_issuer = self.issuer if self.response_issuer == "" else self.response_issuer
        return (
            f'<samlp:Response {NAMESPACES} ID="{self.response_id}" Version="2.0" IssueInstant="{at(0)}"'
            f"{_attribute('Destination', self.destination)}{_attribute('InResponseTo', self.request_id)}>"
            + _element("saml:Issuer", response_issuer)
            + f'<samlp:Status><samlp:StatusCode Value="{self.status}"/></samlp:Status>'
            f'<saml:Assertion ID="{self.assertion_id}" Version="2.0" IssueInstant="{at(0)}">'
            f"<saml:Issuer>{escape(self.issuer)}</saml:Issuer><saml:Subject>"
            '<saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:transient">anybody</saml:NameID>'
            '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData'
            f"{_attribute('NotOnOrAfter', self.confirmed_not_on_or_after)}{_attribute('Recipient', self.recipient)}"
            f"{_attribute('InResponseTo', confirmed_request_id)}/></saml:SubjectConfirmation></saml:Subject>"
            f"<saml:Conditions{_attribute('NotBefore', self.not_before)}"
            f"{_attribute('NotOnOrAfter', self.not_on_or_after)}>"
            + self._restriction()
            + f'</saml:Conditions><saml:AuthnStatement AuthnInstant="{at(0)}"'
            f"{_attribute('SessionNotOnOrAfter', self.session_not_on_or_after)}><saml:AuthnContext>"
            "<saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef>"
            "</saml:AuthnContext></saml:AuthnStatement>" + self._attributes() + "</saml:Assertion></samlp:Response>"
        )

    def _restriction(self) -> str:
        if self.audience is None:
            return ""
        return f"<saml:AudienceRestriction>{_element('saml:Audience', self.audience)}</saml:AudienceRestriction>"

    def _attributes(self) -> str:
        attributes = "".join(
            f"<saml:Attribute Name={quoteattr(name)}>"
            + "".join(_element("saml:AttributeValue", value) for value in values)
            + "</saml:Attribute>"
            for name, values in self.attributes.items()
        )
        together = attributes + self.raw_values
        return f"<saml:AttributeStatement>{together}</saml:AttributeStatement>" if together else ""


def _attribute(name: str, value: str | None) -> str:
    return "" if value is None else f" {name}={quoteattr(value)}"


def _element(name: str, text: str | None) -> str:
    return "" if text is None else f"<{name}>{escape(text)}</{name}>"


@dataclass(frozen=True, slots=True)
class University:
    """A university's identity provider."""

    slug: str
    entity_id: str
    keys: KeyPair

    @property
    def certificate(self) -> str:
        """The certificate, in PEM form."""
        return self.keys.certificate.read_text(encoding="ascii")

    def says(self, request_id: str | None, **parts: Any) -> Statement:
        """Return what the university would say to that request; `parts` change it."""
        return replace(Statement(request_id=request_id, issuer=self.entity_id), **parts)

    def response(self, request_id: str | None, **parts: Any) -> str:
        """Return a signed response, in Base64."""
        return encode(self.signed(self.says(request_id, **parts)))

    def signed(self, statement: Statement) -> etree._Element:
        """Return the response with its assertion signed."""
        root = etree.fromstring(statement.xml().encode())
        return self.sign(root.find(f"{SAML}Assertion"))

    def sign(
        self,
        element: etree._Element,
        *,
        method: str = "RSA_SHA256",
        digest: str = "SHA256",
        uri: str | None = None,
    ) -> etree._Element:
        """Sign an element of a document, right behind its issuer, and return the document's root, read anew: what the
        library writes into a tree is not all found in it.
        """
        root = element.getroottree().getroot()
        signature = xmlsec.template.create(
            element, xmlsec.Transform.EXCL_C14N, getattr(xmlsec.Transform, method), ns="ds"
        )
        place = element.find(f"{SAML}Issuer")
        if place is not None:
            place.addnext(signature)
        else:
            element.insert(0, signature)
        reference = xmlsec.template.add_reference(
            signature, getattr(xmlsec.Transform, digest), uri=f"#{element.get('ID')}" if uri is None else uri
        )
        xmlsec.template.add_transform(reference, xmlsec.Transform.ENVELOPED)
        xmlsec.template.add_transform(reference, xmlsec.Transform.EXCL_C14N)
        xmlsec.tree.add_ids(root, ["ID"])
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_file(str(self.keys.key), xmlsec.KeyFormat.PEM)
        context.sign(signature)
        return etree.fromstring(etree.tostring(root))


def found_university(slug: str, folder: Path) -> University:
    """Return a new university, with a key of its own."""
    keys = KeyPair(folder / slug / "key.pem", folder / slug / "certificate.pem")
    make_key_pair(pair=keys, name=slug)
    return University(slug, f"https://idp.{slug}.example/saml", keys)


def encode(root: etree._Element | str | bytes) -> str:
    """Return a document in Base64, as it is posted."""
    data = root if isinstance(root, bytes) else root.encode() if isinstance(root, str) else etree.tostring(root)
    return base64.b64encode(data).decode("ascii")


def signature_of(element: etree._Element) -> etree._Element:
    """Return the signature that an element carries."""
    return element.find(f"{DS}Signature")
