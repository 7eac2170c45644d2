"""Proposals: changes from published metadata that a person approves or rejects."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.utils.translation import gettext as _

from program_enrollments.api.sso.certificates import SigningCertificate, read_certificates
from program_enrollments.api.transactions import in_transaction
from program_enrollments.exceptions import DoesNotExist, MetadataUnusable
from program_enrollments.models import ProposedMetadata, SamlConfiguration


@dataclass(frozen=True, slots=True)
class MetadataProposal:
    """A proposed change of a provider's certificates and sign-on URL, beside the present ones.

    `added` and `removed` are certificates that an approval adds and removes. `version` identifies exactly this change,
    which a person approves or rejects. `rejected_at` is None until somebody rejects it.
    """

    present: tuple[SigningCertificate, ...]
    added: tuple[SigningCertificate, ...]
    removed: tuple[SigningCertificate, ...]
    present_sso_url: str
    sso_url: str
    is_signed: bool
    proposed_at: datetime
    rejected_at: datetime | None
    reason: str
    version: str


def get_metadata_proposal(*, identity_provider_id: int) -> MetadataProposal:
    """Return the change that is proposed for an identity provider. Raises DoesNotExist if there is none."""
    proposed = (
        ProposedMetadata.objects.select_related("configuration")
        .filter(configuration__identity_provider=identity_provider_id)
        .first()
    )
    if proposed is None:
        raise DoesNotExist
    configuration = proposed.configuration
    present, wanted = _certificates(configuration.signing_certificates), _certificates(proposed.signing_certificates)
    before, after = ({certificate.fingerprint for certificate in those} for those in (present, wanted))
    return MetadataProposal(
        present=present,
        added=tuple(certificate for certificate in wanted if certificate.fingerprint not in before),
        removed=tuple(certificate for certificate in present if certificate.fingerprint not in after),
        present_sso_url=configuration.sso_url,
        sso_url=proposed.sso_url,
        is_signed=bool(configuration.metadata_fingerprint),
        proposed_at=proposed.proposed_at,
        rejected_at=proposed.rejected_at,
        reason=proposed.reason,
        version=_version(proposed),
    )


def approve_metadata(*, identity_provider_id: int, version: str) -> None:
    """Apply a proposed change, from the next sign-on.

    Raises DoesNotExist, or MetadataUnusable if the proposal is no longer the `version` that was shown.
    """

    def approve(proposed: ProposedMetadata) -> None:
        configuration = proposed.configuration
        configuration.sso_url = proposed.sso_url
        configuration.signing_certificates = proposed.signing_certificates
        configuration.save(update_fields=["sso_url", "signing_certificates", "modified"])
        proposed.delete()

    in_transaction(partial(_decide, identity_provider_id, version, approve))


def reject_metadata(*, identity_provider_id: int, version: str, reason: str, now: datetime) -> None:
    """Keep a proposed change from being proposed again. Raises as `approve_metadata` does."""

    def reject(proposed: ProposedMetadata) -> None:
        proposed.rejected_at, proposed.reason = now, reason
        proposed.save(update_fields=["rejected_at", "reason"])

    in_transaction(partial(_decide, identity_provider_id, version, reject))


def _decide(identity_provider_id: int, version: str, decide: Callable[[ProposedMetadata], None]) -> None:
    # The configuration is locked, as in a refresh.
    configuration = SamlConfiguration.objects.select_for_update().filter(identity_provider=identity_provider_id).first()
    proposed = ProposedMetadata.objects.filter(configuration=configuration).first() if configuration else None
    if proposed is None or configuration is None:
        raise DoesNotExist
    proposed.configuration = configuration
    if _version(proposed) != version:
        raise MetadataUnusable(_("The proposal has changed since it was shown. Look at it again, then decide."))
    decide(proposed)


def _version(proposed: ProposedMetadata) -> str:
    """Return a digest of the present and the proposed values."""
    configuration = proposed.configuration
    parts = (
        configuration.sso_url,
        configuration.signing_certificates,
        proposed.sso_url,
        proposed.signing_certificates,
        str(proposed.rejected_at),
    )
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _certificates(text: str) -> tuple[SigningCertificate, ...]:
    try:
        return read_certificates(text=text)
    except MetadataUnusable:
        # Certificates that were not written in the admin can be unreadable. They are left out.
        return ()
