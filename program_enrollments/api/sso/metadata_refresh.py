"""Refresh of metadata: the published metadata of providers is compared with their configurations.

Keys never change without a person. New certificates are proposed (see `metadata_proposals`). A new sign-on URL is
proposed, too, unless the metadata is signed by the certificate with the pinned fingerprint: then it is taken over.
Another entity ID is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from program_enrollments.api.sso.certificates import read_certificates
from program_enrollments.api.sso.metadata import ProviderMetadata, read_metadata
from program_enrollments.api.transactions import in_transaction
from program_enrollments.exceptions import MetadataUnreachable, MetadataUnusable
from program_enrollments.metadata_source import fetch_metadata
from program_enrollments.models import ProposedMetadata, SamlConfiguration

PATIENCE = timedelta(days=3)
"""How long metadata may be unreachable before a person has to look at it."""


class RefreshOutcome(TextChoices):
    """The outcome for one provider, as a word."""

    UNCHANGED = "unchanged", gettext_lazy("as stored")
    UPDATED = "updated", gettext_lazy("the sign-on URL was taken over from signed metadata")
    PROPOSED = "proposed", gettext_lazy("a change waits to be approved or rejected in the admin")
    REJECTED = "rejected", gettext_lazy("a change that was rejected is still published")
    UNREACHABLE = "unreachable", gettext_lazy("cannot be fetched at the moment")
    REFUSED = "refused", gettext_lazy("cannot be used")


@dataclass(frozen=True, slots=True)
class RefreshedMetadata:
    """The outcome for one provider.

    `needs_person` if another try will not help; `detail` explains a failure.
    """

    slug: str
    outcome: RefreshOutcome
    needs_person: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """The values of a configuration after the change."""

    sso_url: str
    signing_certificates: str


def refresh_metadata(*, now: datetime, dry_run: bool = False) -> Iterator[RefreshedMetadata]:
    """Fetch the metadata of each enabled provider with a metadata URL, and yield the outcomes.

    The metadata is fetched outside of any transaction. Each provider is written in a transaction of its own. With
    `dry_run`, nothing is written.
    """
    configurations = SamlConfiguration.objects.exclude(metadata_url="").filter(identity_provider__is_enabled=True)
    for configuration in list(configurations.select_related("identity_provider").order_by("identity_provider__slug")):
        yield _refresh(configuration, now=now, dry_run=dry_run)


def _refresh(configuration: SamlConfiguration, *, now: datetime, dry_run: bool) -> RefreshedMetadata:
    slug = configuration.identity_provider.slug
    try:
        xml = fetch_metadata(url=configuration.metadata_url)
        found = read_metadata(xml=xml, entity_id=configuration.entity_id, signer=configuration.metadata_fingerprint)
        if found.valid_until is not None and found.valid_until <= now:
            raise MetadataUnusable(_("The metadata is no longer valid. Ask the university to publish it anew."))
    except MetadataUnreachable as error:
        last = configuration.metadata_read_at
        return RefreshedMetadata(slug, RefreshOutcome.UNREACHABLE, last is None or last < now - PATIENCE, error.detail)
    except MetadataUnusable as error:
        return RefreshedMetadata(slug, RefreshOutcome.REFUSED, True, error.detail)
    outcome = in_transaction(partial(_compare, configuration, found, now=now, dry_run=dry_run))
    return RefreshedMetadata(slug, outcome, outcome is RefreshOutcome.PROPOSED)


def _compare(seen: SamlConfiguration, found: ProviderMetadata, *, now: datetime, dry_run: bool) -> RefreshOutcome:
    """Write the changes of `found`, or propose them.

    If staff changed the entity ID, the metadata URL or the pinned fingerprint meanwhile, nothing is done.
    """
    configuration = (
        SamlConfiguration.objects.select_for_update()
        .filter(
            pk=seen.pk,
            entity_id=seen.entity_id,
            metadata_url=seen.metadata_url,
            metadata_fingerprint=seen.metadata_fingerprint,
        )
        .first()
    )
    if configuration is None:
        return RefreshOutcome.UNCHANGED
    outcome = RefreshOutcome.UNCHANGED
    if configuration.metadata_fingerprint and found.sso_url != configuration.sso_url:
        configuration.sso_url = found.sso_url
        outcome = RefreshOutcome.UPDATED
    configuration.metadata_read_at = now
    if not dry_run:
        configuration.save(update_fields=["sso_url", "metadata_read_at", "modified"])
    change = change_of(configuration, found)
    if change is None:
        if not dry_run:
            ProposedMetadata.objects.filter(configuration=configuration).delete()
        return outcome
    proposed = ProposedMetadata.objects.filter(configuration=configuration).first()
    if proposed is not None and Change(proposed.sso_url, proposed.signing_certificates) == change:
        if proposed.rejected_at is None:
            return RefreshOutcome.PROPOSED
        return RefreshOutcome.REJECTED if outcome is RefreshOutcome.UNCHANGED else outcome
    if not dry_run:
        ProposedMetadata.objects.update_or_create(
            configuration=configuration,
            defaults={
                "sso_url": change.sso_url,
                "signing_certificates": change.signing_certificates,
                "proposed_at": now,
                "rejected_at": None,
                "reason": "",
            },
        )
    return RefreshOutcome.PROPOSED


def change_of(configuration: SamlConfiguration, found: ProviderMetadata) -> Change | None:
    """Return the change of `configuration` that has to be approved to agree with `found`, or None.

    If there are new certificates, unpublished ones are kept beside them, so that nobody is locked out during a
    rollover. Without new ones, the change removes unpublished certificates.
    """
    try:
        present = read_certificates(text=configuration.signing_certificates)
    except MetadataUnusable:
        # Certificates that were not written in the admin can be unreadable. Nobody can sign on with these anyway.
        present = ()
    known = {certificate.fingerprint for certificate in present}
    new = [certificate for certificate in found.certificates if certificate.fingerprint not in known]
    wanted = (*present, *new) if new else found.certificates
    if {certificate.fingerprint for certificate in wanted} == known and found.sso_url == configuration.sso_url:
        return None
    return Change(found.sso_url, "\n".join(certificate.pem for certificate in wanted))
