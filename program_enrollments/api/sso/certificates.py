"""Signing certificates of identity providers, pasted or from metadata."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.utils.translation import gettext as _

from program_enrollments.exceptions import MetadataUnusable

MIN_RSA_BITS = 2048
ENDS_SOON = timedelta(days=30)
"""How long before a certificate ends staff are warned, so that a university can publish the next one."""

FINGERPRINT = re.compile(r"(?:[0-9A-F]{2}:){31}[0-9A-F]{2}")
PEM = re.compile(r"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class SigningCertificate:
    """A certificate with an RSA or elliptic-curve key.

    `fingerprint` is SHA-256 in upper-case hex pairs, `expires_at` is UTC.

    SAML trusts the key because it was configured here. The issuer and the dates of the certificate do not matter: an
    expired certificate still verifies, and is only shown as expired.
    """

    pem: str
    subject: str
    fingerprint: str
    starts_at: datetime
    expires_at: datetime

    def is_expired(self, *, now: datetime) -> bool:
        """Return whether the certificate's end of validity has passed."""
        return self.expires_at <= now

    def ends_soon(self, *, now: datetime) -> bool:
        """Return whether the certificate has not expired, but will within 30 days."""
        return now < self.expires_at <= now + ENDS_SOON


def read_certificates(*, text: str) -> tuple[SigningCertificate, ...]:
    """Parse the certificates in `text`: PEM blocks, or one bare Base64 body as in metadata.

    Each is returned once, in order. Raises MetadataUnusable if there is none, or if one is unreadable or its key too
    weak.
    """
    certificates = {certificate.fingerprint: certificate for certificate in map(_read, _bodies(text))}
    if not certificates:
        raise MetadataUnusable(
            _("There is no certificate here. Paste one that starts with -----BEGIN CERTIFICATE-----.")
        )
    return tuple(certificates.values())


def read_fingerprint(*, text: str) -> str:
    """Parse a SHA-256 fingerprint into upper-case hex pairs. Raises MetadataUnusable."""
    digits = "".join(text.removeprefix("SHA-256").replace(":", "").split()).upper()
    fingerprint = ":".join(digits[at : at + 2] for at in range(0, len(digits), 2))
    if not FINGERPRINT.fullmatch(fingerprint):
        raise MetadataUnusable(_("This is no SHA-256 fingerprint: it has 64 hexadecimal digits, such as 9F:86:D0:…"))
    return fingerprint


def _bodies(text: str) -> Iterator[bytes]:
    blocks = PEM.findall(text) or ([text] if text.strip() else [])
    for block in blocks:
        try:
            yield base64.b64decode("".join(block.split()), validate=True)
        except (binascii.Error, ValueError):
            raise MetadataUnusable(_("A certificate is cut off or not in PEM form. Copy it again, whole.")) from None


def _read(der: bytes) -> SigningCertificate:
    try:
        certificate = x509.load_der_x509_certificate(der)
        key = certificate.public_key()
        subject = certificate.subject.rfc4514_string()
    except UnsupportedAlgorithm:
        raise MetadataUnusable(
            _("A certificate has a key of a kind that cannot be used. Ask for an RSA key.")
        ) from None
    except (ValueError, TypeError, x509.InvalidVersion):
        raise MetadataUnusable(_("A certificate cannot be read. Copy it again, whole.")) from None
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < MIN_RSA_BITS:
            raise MetadataUnusable(
                _("A certificate's key has {bits} bits. Ask the university for one with at least {least}.").format(
                    bits=key.key_size, least=MIN_RSA_BITS
                )
            )
    elif not isinstance(key, ec.EllipticCurvePublicKey):
        raise MetadataUnusable(_("A certificate has a key of a kind that cannot be used. Ask for an RSA key."))
    return SigningCertificate(
        pem=certificate.public_bytes(serialization.Encoding.PEM).decode("ascii").strip(),
        subject=subject,
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(":").upper(),
        starts_at=certificate.not_valid_before_utc.astimezone(UTC),
        expires_at=certificate.not_valid_after_utc.astimezone(UTC),
    )
