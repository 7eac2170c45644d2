"""Metadata requests: a link for an identity provider's administrator, and the draft they send."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from program_enrollments.api.access import Access
from program_enrollments.api.sso.certificates import SigningCertificate, read_certificates
from program_enrollments.api.sso.metadata import read_metadata
from program_enrollments.api.transactions import in_transaction
from program_enrollments.exceptions import MetadataRequestDoesNotExist, MetadataUnusable
from program_enrollments.models import IdentityProvider, MetadataRequest, SamlConfiguration, School
from program_enrollments.models.schools import validate_slug
from program_enrollments.normalization import is_email, normalize_identity

VALID = timedelta(hours=72)


@dataclass(frozen=True, slots=True)
class RequestedMetadata:
    """A request, and the token of its link, which is known only now."""

    request: MetadataRequest
    token: str


@dataclass(frozen=True, slots=True)
class MetadataDraft:
    """The metadata that was sent, to be compared by entity ID and fingerprint.

    `known_as` is the slug of the provider that it would change, or "".
    """

    request: MetadataRequest
    certificates: tuple[SigningCertificate, ...]
    known_as: str


def request_metadata(*, access: Access, school: School, email: str, now: datetime) -> RequestedMetadata:
    """Ask for a school's metadata. Raises MetadataUnusable for an address that is none."""
    if not is_email(normalize_identity(email)):
        raise MetadataUnusable(_("This is no e-mail address."))
    token = secrets.token_urlsafe(32)
    request = MetadataRequest.objects.create(
        school=school,
        email=email.strip(),
        digest=_digest(token),
        requested_by_id=access.user_id,
        requested_at=now,
        expires_at=now + VALID,
    )
    return RequestedMetadata(request, token)


def get_metadata_request(*, token: str, now: datetime) -> MetadataRequest:
    """Return the open request with this token.

    Raises MetadataRequestDoesNotExist for one that is answered, closed or expired.
    """
    request = (
        MetadataRequest.objects.filter(
            digest=_digest(token), expires_at__gt=now, sent_at__isnull=True, closed_at__isnull=True
        )
        .select_related("school")
        .first()
    )
    if request is None:
        raise MetadataRequestDoesNotExist
    return request


def send_metadata(*, token: str, xml: bytes, now: datetime) -> MetadataRequest:
    """Store what the metadata says as the draft of a request, once.

    Raises MetadataUnusable, and MetadataRequestDoesNotExist.
    """
    request = get_metadata_request(token=token, now=now)
    found = read_metadata(xml=xml)
    is_open = MetadataRequest.objects.filter(pk=request.pk, sent_at__isnull=True, closed_at__isnull=True)
    stored = is_open.update(
        sent_at=now,
        name=found.name[:255],
        entity_id=found.entity_id,
        sso_url=found.sso_url,
        signing_certificates="\n".join(certificate.pem for certificate in found.certificates),
    )
    if not stored:
        raise MetadataRequestDoesNotExist
    return request


def fetch_metadata_drafts(*, school: School) -> list[MetadataDraft]:
    """Return the drafts of a school that wait for a person, the newest first. Two statements."""
    requests = MetadataRequest.objects.filter(school=school, sent_at__isnull=False, closed_at__isnull=True)
    known = dict(
        SamlConfiguration.objects.filter(identity_provider__school=school).values_list(
            "entity_id", "identity_provider__slug"
        )
    )
    return [
        MetadataDraft(request, read_certificates(text=request.signing_certificates), known.get(request.entity_id, ""))
        for request in requests
    ]


def activate_metadata(
    *, access: Access, school: School, request_id: int, slug: str = "", id_attribute: str = "", now: datetime
) -> IdentityProvider:
    """Add a draft's keys to the provider with its entity ID, or make a new provider, for tests only.

    `slug` and `id_attribute` are for a new provider. Raises MetadataRequestDoesNotExist, and MetadataUnusable where
    another school's provider has the entity ID, or the slug cannot be used.
    """

    def work() -> IdentityProvider:
        request = _lock_draft(school=school, request_id=request_id)
        configuration = (
            SamlConfiguration.objects.select_for_update()
            .select_related("identity_provider")
            .filter(entity_id=request.entity_id)
            .first()
        )
        if configuration is None:
            provider = _make_provider(request, slug=slug.strip(), id_attribute=id_attribute.strip())
        elif configuration.identity_provider.school_id != school.pk:
            raise MetadataUnusable(_("Another school's identity provider has this entity ID. Write to support."))
        else:
            provider = configuration.identity_provider
            both = read_certificates(text=f"{configuration.signing_certificates}\n{request.signing_certificates}")
            configuration.sso_url = request.sso_url
            configuration.signing_certificates = "\n".join(certificate.pem for certificate in both)
            configuration.save()
        _close(request, access=access, is_activated=True, now=now)
        return provider

    return in_transaction(work)


def reject_metadata_draft(*, access: Access, school: School, request_id: int, now: datetime) -> None:
    """Close a draft without letting it count. Raises MetadataRequestDoesNotExist."""

    def work() -> None:
        _close(_lock_draft(school=school, request_id=request_id), access=access, is_activated=False, now=now)

    in_transaction(work)


def _lock_draft(*, school: School, request_id: int) -> MetadataRequest:
    request = (
        MetadataRequest.objects.select_for_update()
        .filter(school=school, pk=request_id, sent_at__isnull=False, closed_at__isnull=True)
        .first()
    )
    if request is None:
        raise MetadataRequestDoesNotExist
    return request


def _close(request: MetadataRequest, *, access: Access, is_activated: bool, now: datetime) -> None:
    request.closed_at, request.closed_by_id, request.is_activated = now, access.user_id, is_activated
    request.save(update_fields=["closed_at", "closed_by_id", "is_activated"])


def _make_provider(request: MetadataRequest, *, slug: str, id_attribute: str) -> IdentityProvider:
    if not id_attribute:
        raise MetadataUnusable(_("Name the attribute of the permanent ID, as agreed with the university."))
    try:
        validate_slug(slug)
    except ValidationError as error:
        raise MetadataUnusable(error.messages[0]) from None
    if len(slug) > 64 or IdentityProvider.objects.filter(slug=slug).exists():
        raise MetadataUnusable(_("Another identity provider has this slug, or it is too long. Choose another one."))
    provider = IdentityProvider.objects.create(school_id=request.school_id, slug=slug, name=request.name)
    SamlConfiguration.objects.create(
        identity_provider=provider,
        entity_id=request.entity_id,
        sso_url=request.sso_url,
        signing_certificates=request.signing_certificates,
        id_attribute=id_attribute,
        is_test_only=True,
    )
    return provider


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
