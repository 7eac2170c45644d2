"""Signatures: the element of a response that its identity provider has signed. No other one is used."""

from __future__ import annotations

from collections.abc import Sequence

from lxml import etree

from program_enrollments.data import SignOnRefusal
from program_enrollments.exceptions import SignOnRefused
from program_enrollments.saml.documents import SAML, ResponseDocument
from program_enrollments.xml_security import DS, AlgorithmRejected, SignatureRejected, check_ids, verify


def verified_assertion(document: ResponseDocument, *, certificates: Sequence[str]) -> etree._Element:
    """Return the only assertion of a response, if it has a valid signature of its own.

    The key has to be that of one of `certificates` (PEM). If the response is signed, that signature has to be valid,
    too. It is verified in the document as it was sent, since it covers the ciphertext of an encrypted assertion. The
    assertion's own signature is verified after decryption. Raises SignOnRefused for

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
    try:
        check_ids(roots)
        for signature in (*of_assertion, *of_response):
            verify(signature, certificates=certificates)
    except AlgorithmRejected:
        raise SignOnRefused(SignOnRefusal.ALGORITHM_WEAK) from None
    except SignatureRejected:
        raise SignOnRefused(SignOnRefusal.SIGNATURE_WRONG) from None
    return assertion
