"""XML Security: verify which element a signature covers, and decrypt data that was encrypted to a key.

Only this module needs libxmlsec. It loads the library on first use. A host without single sign-on never loads it, and
the system checks report a library that cannot be loaded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from lxml import etree

DS = "{http://www.w3.org/2000/09/xmldsig#}"
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
ID_ATTRIBUTES = ("ID", "Id", "id", "{http://www.w3.org/XML/1998/namespace}id")


class SignatureRejected(Exception):
    """A signature is invalid, or does not cover the whole element that contains it."""


class AlgorithmRejected(SignatureRejected):
    """A signature uses SHA-1 or another algorithm that is not accepted."""


class DecryptionFailed(Exception):
    """The data cannot be decrypted with this key."""


def load_library() -> tuple[Any, Any]:
    """Return the module `xmlsec` and python3-saml's functions on top of it.

    Raises ImportError, or the library's own error if it and lxml were built with different
    versions of libxml2.
    """
    import xmlsec  # noqa: PLC0415  (a host without single sign-on needs none of this)
    from onelogin.saml2.utils import OneLogin_Saml2_Utils  # noqa: PLC0415

    return xmlsec, OneLogin_Saml2_Utils


def check_ids(roots: Sequence[etree._Element]) -> None:
    """Raise SignatureRejected if an ID occurs twice: a signature's reference would be ambiguous."""
    elements = (element for root in roots for element in root.iter("*"))
    ids = Counter(element.get(name) for element in elements for name in ID_ATTRIBUTES if element.get(name))
    if any(times > 1 for times in ids.values()):
        raise SignatureRejected


def verify(signature: etree._Element, *, certificates: Iterable[str]) -> None:
    """Raise SignatureRejected unless a signature covers its whole parent and a certificate verifies it.

    Certificates are PEM. Keys inside the signature itself are not used.
    """
    signed = signature.getparent()
    _check_form(signature, signed=signed)
    xmlsec, saml = load_library()
    root = signature.getroottree().getroot()
    xmlsec.tree.add_ids(root, ["ID"])
    if not any(saml.validate_node_sign(signature, root, cert=certificate) for certificate in certificates):
        raise SignatureRejected


def decrypt(data: etree._Element, *, private_key: str) -> bytes:
    """Return the plain text of an EncryptedData element without a type, or raise DecryptionFailed."""
    xmlsec, _saml = load_library()
    try:
        manager = xmlsec.KeysManager()
        manager.add_key(xmlsec.Key.from_memory(private_key, xmlsec.KeyFormat.PEM, None))
        return bytes(xmlsec.EncryptionContext(manager).decrypt(data))
    except (xmlsec.Error, ValueError, TypeError):
        raise DecryptionFailed from None


def _check_form(signature: etree._Element, *, signed: etree._Element) -> None:
    """Refuse a signature that doesn't cover all of `signed`, or uses an unacceptable algorithm."""
    references = list(signature.iter(f"{DS}Reference"))
    if (
        len(references) != 1
        or not signed.get("ID")
        or references[0].get("URI") != f"#{signed.get('ID')}"
        or signature.find(f"{DS}Object") is not None
    ):
        raise SignatureRejected
    transforms = [transform.get("Algorithm") for transform in references[0].iter(f"{DS}Transform")]
    if transforms.count(ENVELOPED) != 1 or set(transforms) - CANONICALIZATIONS - {ENVELOPED}:
        raise SignatureRejected
    if (
        _algorithm(signature, "CanonicalizationMethod") not in CANONICALIZATIONS
        or _algorithm(signature, "SignatureMethod") not in SIGNATURE_METHODS
        or _algorithm(signature, "DigestMethod") not in DIGEST_METHODS
    ):
        raise AlgorithmRejected


def _algorithm(signature: etree._Element, tag: str) -> str:
    found = [element.get("Algorithm") or "" for element in signature.iter(f"{DS}{tag}")]
    return found[0] if len(found) == 1 else ""
