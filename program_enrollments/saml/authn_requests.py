"""Authentication requests, which send a person to their university by the HTTP-Redirect binding."""

from __future__ import annotations

import base64
import secrets
import zlib
from datetime import UTC, datetime
from urllib.parse import urlencode

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from django.core.exceptions import ImproperlyConfigured
from lxml import etree

SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
SAMLP = "urn:oasis:names:tc:SAML:2.0:protocol"
POST_BINDING = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"


def new_request_id() -> str:
    """Return an ID for a request. Nobody can guess it, and it can be part of a cookie's name."""
    return f"_{secrets.token_hex(16)}"


def request_url(
    *, request_id: str, sso_url: str, acs_url: str, entity_id: str, private_key: str = "", now: datetime
) -> str:
    """Return the address at the identity provider that requests a sign-on, signed if there is a key (PEM).

    The request names neither an authentication context nor a name format: each university decides what is secure
    enough. Raises ImproperlyConfigured if the key is not an RSA key.
    """
    xml = _authn_request(request_id=request_id, sso_url=sso_url, acs_url=acs_url, entity_id=entity_id, now=now)
    query = urlencode({"SAMLRequest": base64.b64encode(_deflate(xml)).decode("ascii")})
    if private_key:
        query += "&" + urlencode({"SigAlg": RSA_SHA256})
        query += "&" + urlencode({"Signature": _sign(query.encode("ascii"), private_key)})
    return f"{sso_url}{'&' if '?' in sso_url else '?'}{query}"


def _authn_request(*, request_id: str, sso_url: str, acs_url: str, entity_id: str, now: datetime) -> bytes:
    root = etree.Element(
        f"{{{SAMLP}}}AuthnRequest",
        {
            "ID": request_id,
            "Version": "2.0",
            "IssueInstant": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "Destination": sso_url,
            "ProtocolBinding": POST_BINDING,
            "AssertionConsumerServiceURL": acs_url,
        },
        nsmap={"samlp": SAMLP, "saml": SAML},
    )
    etree.SubElement(root, f"{{{SAML}}}Issuer").text = entity_id
    etree.SubElement(root, f"{{{SAMLP}}}NameIDPolicy", {"AllowCreate": "true"})
    return bytes(etree.tostring(root))


def _deflate(data: bytes) -> bytes:
    """Compress with raw DEFLATE, without zlib's header and checksum, as the binding requires."""
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


def _sign(data: bytes, private_key: str) -> str:
    try:
        key = serialization.load_pem_private_key(private_key.encode(), password=None)
    except (ValueError, TypeError):
        raise ImproperlyConfigured("SIGN_ON['PRIVATE_KEY'] is no private key in PEM form, or has a password.") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ImproperlyConfigured("SIGN_ON['PRIVATE_KEY'] must be an RSA key.")
    return base64.b64encode(key.sign(data, padding.PKCS1v15(), hashes.SHA256())).decode("ascii")
