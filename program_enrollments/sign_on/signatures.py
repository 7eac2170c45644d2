"""Signatures: which element of a response its identity provider has signed. Only that element is believed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from lxml import etree
from onelogin.saml2.utils import OneLogin_Saml2_Utils

from program_enrollments.data import SignOnRefusal
from program_enrollments.exceptions import SignOnRefused
from program_enrollments.sign_on.documents import DS, SAML, ResponseDocument

SIGNATURE_METHODS = frozenset(
    f"http://www.w3.org/2001/04/xmldsig-more#{name}"
    for name in ("rsa-sha256", "rsa-sha384", "rsa-sha512", "ecdsa-sha256", "ecdsa-sha384", "ecdsa-sha512")
)
DIGEST_METHODS = frozenset(
    {
        "http://www.w3.org/2001/04/xmlenc#sha256",
        "http://www.w3.org/2001/04/xmldsig-more#sha384",
        "http://www.w3.org/2001/04/xmlenc#sha512",
    }
)
ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
CANONICALIZATIONS = frozenset(
    {
        "http://www.w3.org/2001/10/xml-exc-c14n#",
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
        "http://www.w3.org/2006/12/xml-c14n11",
    }
)
OF_RESPONSE = OneLogin_Saml2_Utils.RESPONSE_SIGNATURE_XPATH
OF_ASSERTION = OneLogin_Saml2_Utils.ASSERTION_SIGNATURE_XPATH
OF_OPENED_ASSERTION = "/saml:EncryptedAssertion/saml:Assertion/ds:Signature"
ID_ATTRIBUTES = ("ID", "Id", "id", "{http://www.w3.org/XML/1998/namespace}id")


def verified_assertion(document: ResponseDocument, *, certificates: Sequence[str]) -> etree._Element:
    """Return the one assertion of a response, signed by itself with one of the keys of `certificates` (PEM).

    A signature of the response must hold, too, if there is one: in the document as it was sent, since it covers the
    ciphertext of an encrypted assertion. The assertion's own signature is verified after decryption. Raises
    SignOnRefused for

    * no assertion or several, anywhere in the document;
    * an assertion that only the response's signature covers;
    * signatures in other places, with several or foreign references, or with transforms that could leave something out;
    * signatures by SHA-1 or older algorithms.
    """
    sent, opened = document.sent, document.opened
    roots = (sent, opened) if document.is_encrypted else (sent,)
    assertions = [assertion for root in roots for assertion in root.iter(f"{SAML}Assertion")]
    if len(assertions) != 1 or assertions[0].getparent() is not opened:
        raise SignOnRefused(SignOnRefusal.RESPONSE_UNREADABLE)
    assertion = assertions[0]
    of_assertion, of_response = assertion.findall(f"{DS}Signature"), sent.findall(f"{DS}Signature")
    if not of_assertion:
        raise SignOnRefused(SignOnRefusal.UNSIGNED)
    signatures = [signature for root in roots for signature in root.iter(f"{DS}Signature")]
    if len(of_assertion) > 1 or len(of_response) > 1 or len(signatures) > len(of_assertion) + len(of_response):
        raise SignOnRefused(SignOnRefusal.SIGNATURE_WRONG)
    _check_ids(roots)
    for signature in of_assertion:
        _check_form(signature, signed=assertion)
        _verify(opened, OF_OPENED_ASSERTION if document.is_encrypted else OF_ASSERTION, certificates)
    for signature in of_response:
        _check_form(signature, signed=sent)
        _verify(sent, OF_RESPONSE, certificates)
    return assertion


def _check_ids(roots: Sequence[etree._Element]) -> None:
    """Refuse documents in which an ID stands twice: the reference of a signature could mean either."""
    elements = (element for root in roots for element in root.iter("*"))
    ids = Counter(element.get(name) for element in elements for name in ID_ATTRIBUTES if element.get(name))
    if any(times > 1 for times in ids.values()):
        raise SignOnRefused(SignOnRefusal.SIGNATURE_WRONG)


def _check_form(signature: etree._Element, *, signed: etree._Element) -> None:
    """Refuse signatures that don't cover the whole of the element they stand in, by acceptable algorithms."""
    references = list(signature.iter(f"{DS}Reference"))
    if (
        len(references) != 1
        or not signed.get("ID")
        or references[0].get("URI") != f"#{signed.get('ID')}"
        or signature.find(f"{DS}Object") is not None
    ):
        raise SignOnRefused(SignOnRefusal.SIGNATURE_WRONG)
    transforms = [transform.get("Algorithm") for transform in references[0].iter(f"{DS}Transform")]
    if transforms.count(ENVELOPED) != 1 or set(transforms) - CANONICALIZATIONS - {ENVELOPED}:
        raise SignOnRefused(SignOnRefusal.SIGNATURE_WRONG)
    if (
        _algorithm(signature, "CanonicalizationMethod") not in CANONICALIZATIONS
        or _algorithm(signature, "SignatureMethod") not in SIGNATURE_METHODS
        or _algorithm(signature, "DigestMethod") not in DIGEST_METHODS
    ):
        raise SignOnRefused(SignOnRefusal.ALGORITHM_WEAK)


def _algorithm(signature: etree._Element, tag: str) -> str:
    found = [element.get("Algorithm") or "" for element in signature.iter(f"{DS}{tag}")]
    return found[0] if len(found) == 1 else ""


def _verify(root: etree._Element, xpath: str, certificates: Sequence[str]) -> None:
    # Keys that the signature itself brings along are not looked at.
    if not certificates or not OneLogin_Saml2_Utils.validate_sign(root, multicerts=list(certificates), xpath=xpath):
        raise SignOnRefused(SignOnRefusal.SIGNATURE_WRONG)
