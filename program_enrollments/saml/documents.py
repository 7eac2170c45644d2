"""Documents: SAML responses, parsed so that hostile XML does no harm, and decrypted."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass

from lxml import etree
from onelogin.saml2.xml_utils import OneLogin_Saml2_XML

from program_enrollments.data import SignOnRefusal
from program_enrollments.exceptions import SignOnRefused
from program_enrollments.xml_security import DS, DecryptionFailed, decrypt

MAX_RESPONSE_CHARACTERS = 400_000
"""The most characters of a response in Base64. Real ones have 5,000 to 50,000."""

SAML = "{urn:oasis:names:tc:SAML:2.0:assertion}"
SAMLP = "{urn:oasis:names:tc:SAML:2.0:protocol}"
XENC = "{http://www.w3.org/2001/04/xmlenc#}"
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
ELEMENT = "http://www.w3.org/2001/04/xmlenc#Element"
SCHEMA = "saml-schema-protocol-2.0.xsd"

# RSA 1.5 is left out: by sending many ciphertexts, an attacker can learn from its padding errors what they contain.
KEY_TRANSPORTS = frozenset(
    {"http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p", "http://www.w3.org/2009/xmlenc11#rsa-oaep"}
)

GCM = frozenset(f"http://www.w3.org/2009/xmlenc11#aes{bits}-gcm" for bits in (128, 192, 256))
"""The ciphers that notice a ciphertext that was changed."""


@dataclass(frozen=True, slots=True)
class ResponseDocument:
    """A SAML response as it was sent, and decrypted.

    `sent` is the posted root, and `opened` is the element that has the assertion as a child. Both are the same unless
    the assertion is encrypted. Then `opened` is the root of a document of its own: the envelope with the plain text.
    `sent` is not changed, because the response's signature covers the ciphertext.
    """

    sent: etree._Element
    opened: etree._Element
    is_malleable: bool = False
    """Whether the assertion was encrypted by a cipher under which anybody can change what is inside, unseen."""

    @property
    def is_encrypted(self) -> bool:
        """Return whether the assertion came encrypted."""
        return self.sent is not self.opened


def read_response(*, encoded: str, private_key: str = "") -> ResponseDocument:
    """Parse a SAML response that was posted in Base64: valid by SAML's schema, successful, decrypted.

    Assertions can be encrypted to `private_key` (PEM). No signature is verified yet. Raises SignOnRefused.
    """
    root = _parse(encoded)
    _check_schema(root)
    status = root.find(f"{SAMLP}Status/{SAMLP}StatusCode")
    if root.get("Version") != "2.0":
        raise SignOnRefused(SignOnRefusal.RESPONSE_UNREADABLE)
    if status is None or status.get("Value") != SUCCESS:
        raise SignOnRefused(SignOnRefusal.DECLINED)
    if root.find(f"{SAML}EncryptedAssertion") is None:
        return ResponseDocument(root, root)
    is_malleable = _is_malleable(root)
    with refusing_alike(is_malleable=is_malleable):
        return ResponseDocument(root, _opened(root, private_key), is_malleable)


@contextmanager
def refusing_alike(*, is_malleable: bool) -> Iterator[None]:
    """Refuse for one reason, whatever was wrong with an encrypted text that anybody can change.

    The true reason is for the log. Otherwise somebody with a person's response would send it changed, again and again,
    and learn from the answers what is in it. To be used until the signature has been verified.
    """
    try:
        yield
    except SignOnRefused as error:
        if not is_malleable:
            raise
        raise SignOnRefused(SignOnRefusal.ENCRYPTION_WEAK, slug=error.slug, logged=error.code) from None


def issuer_of(document: ResponseDocument) -> str:
    """Return the assertion's issuer, or the response's if there is no assertion."""
    for root, path in ((document.opened, f"{SAML}Assertion/{SAML}Issuer"), (document.sent, f"{SAML}Issuer")):
        issuer = root.find(path)
        if issuer is not None:
            return plain_text(issuer) or ""
    return ""


def request_id_of(document: ResponseDocument) -> str:
    """Return the ID of the request that the response claims to answer, or an empty string.

    The response's attribute may not be covered by a signature; the assertion repeats it.
    """
    stated = document.sent.get("InResponseTo")
    if stated is None:
        path = f"{SAML}Assertion/{SAML}Subject/{SAML}SubjectConfirmation/{SAML}SubjectConfirmationData"
        data = document.opened.find(path)
        stated = data.get("InResponseTo") if data is not None else None
    return stated or ""


def plain_text(element: etree._Element) -> str | None:
    """Return the trimmed text of an element, None if it holds anything but text."""
    return None if len(element) else (element.text or "").strip()


def _parse(encoded: str) -> etree._Element:
    if len(encoded) > MAX_RESPONSE_CHARACTERS:
        raise SignOnRefused(SignOnRefusal.RESPONSE_TOO_LARGE)
    try:
        raw = base64.b64decode("".join(encoded.split()), validate=True)
        # UTF-8 is required, so that this search and the parser read the same text. No response needs a DTD.
        text = raw.decode("utf-8")
    except (binascii.Error, ValueError):
        raise SignOnRefused(SignOnRefusal.RESPONSE_UNREADABLE) from None
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise SignOnRefused(SignOnRefusal.RESPONSE_UNREADABLE)
    try:
        root = OneLogin_Saml2_XML.to_etree(raw)
    except (etree.XMLSyntaxError, ValueError):
        raise SignOnRefused(SignOnRefusal.RESPONSE_UNREADABLE) from None
    # With a declared encoding, the parser could read another text than the one that was searched.
    if root.tag != f"{SAMLP}Response" or (root.getroottree().docinfo.encoding or "utf-8").lower() not in {
        "utf-8",
        "ascii",
    }:
        raise SignOnRefused(SignOnRefusal.RESPONSE_UNREADABLE)
    return root


def _check_schema(root: etree._Element) -> None:
    # The function returns a string if the document isn't valid.
    if isinstance(OneLogin_Saml2_XML.validate_xml(root, SCHEMA, debug=False), str):
        raise SignOnRefused(SignOnRefusal.RESPONSE_UNREADABLE)


def _opened(root: etree._Element, private_key: str) -> etree._Element:
    """Return the root of a new document, whose one child is the decrypted assertion.

    The plain text is parsed with the namespaces of the envelope in scope, as when it was encrypted. It is never moved
    afterwards: libraries change the prefixes of elements that they move, and a signature covers prefixes.
    """
    envelopes = list(root.iter(f"{SAML}EncryptedAssertion"))
    if not private_key or len(envelopes) != 1 or not _is_acceptable(envelopes[0]):
        raise SignOnRefused(SignOnRefusal.RESPONSE_UNREADABLE)
    start, end = _empty_element(f"{SAML}EncryptedAssertion", envelopes[0].nsmap)
    try:
        opened: etree._Element = OneLogin_Saml2_XML.to_etree(start + _plain_text_of(envelopes[0], private_key) + end)
    except (DecryptionFailed, etree.XMLSyntaxError, ValueError):
        raise SignOnRefused(SignOnRefusal.RESPONSE_UNREADABLE) from None
    if [child.tag for child in opened] != [f"{SAML}Assertion"]:
        raise SignOnRefused(SignOnRefusal.RESPONSE_UNREADABLE)
    _check_schema(opened[0])
    return opened


def _plain_text_of(envelope: etree._Element, private_key: str) -> bytes:
    envelope = deepcopy(envelope)
    data = envelope.find(f"{XENC}EncryptedData")
    _put_keys_inside(envelope, data)
    # Without a type, the library returns the plain text instead of parsing it.
    if data.attrib.pop("Type", ELEMENT) != ELEMENT:
        raise SignOnRefused(SignOnRefusal.RESPONSE_UNREADABLE)
    return decrypt(data, private_key=private_key)


def _empty_element(tag: str, nsmap: dict[str | None, str]) -> tuple[bytes, bytes]:
    """Return the start tag, which declares the namespaces of `nsmap`, and the end tag."""
    element = etree.Element(tag, nsmap=nsmap)
    element.text = " "
    start, _space, end = etree.tostring(element).rpartition(b" </")
    return start, b"</" + end


def _is_acceptable(envelope: etree._Element) -> bool:
    """Return whether each key in the envelope is encrypted by an acceptable algorithm."""
    keys = list(envelope.iter(f"{XENC}EncryptedKey"))
    methods = [key.find(f"{XENC}EncryptionMethod") for key in keys]
    return bool(keys) and all(method is not None and method.get("Algorithm") in KEY_TRANSPORTS for method in methods)


def _is_malleable(root: etree._Element) -> bool:
    ciphers = [data.find(f"{XENC}EncryptionMethod") for data in root.iter(f"{XENC}EncryptedData")]
    return any(cipher is None or cipher.get("Algorithm") not in GCM for cipher in ciphers)


def _put_keys_inside(envelope: etree._Element, data: etree._Element) -> None:
    """Move keys that are siblings of the data to the place where the library looks for them."""
    beside: Iterator[etree._Element] = iter(envelope.findall(f"{XENC}EncryptedKey"))
    for key in beside:
        info = data.find(f"{DS}KeyInfo")
        if info is None:
            info = etree.Element(f"{DS}KeyInfo")
            data.find(f"{XENC}CipherData").addprevious(info)  # the schema has seen to it that there is one
        for reference in info.findall(f"{DS}RetrievalMethod"):
            info.remove(reference)
        info.append(key)
