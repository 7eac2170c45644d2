"""Keys: made at the first start, kept for the next ones."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

BITS = 2048
VALID_FOR = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A private key and its self-signed certificate, as PEM files."""

    key: Path
    certificate: Path


def key_pair(*, folder: Path, name: str) -> KeyPair:
    """Return the key pair kept in `folder`, made there if there is none."""
    pair = KeyPair(folder / "key.pem", folder / "certificate.pem")
    if not pair.certificate.exists():
        make_key_pair(pair=pair, name=name)
    return pair


def make_key_pair(*, pair: KeyPair, name: str) -> None:
    """Make a new key pair; `name` is what the certificate calls its owner. The key is readable by its owner only."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + VALID_FOR)
        .sign(key, hashes.SHA256())
    )
    pair.key.parent.mkdir(parents=True, exist_ok=True)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    with os.fdopen(os.open(pair.key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(pem)
    pair.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
