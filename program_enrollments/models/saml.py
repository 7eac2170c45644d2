"""Single sign-on through this app: identity providers' configurations, used assertions (ADR 0008)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from model_utils.models import TimeStampedModel

from program_enrollments.models.schools import IdentityProvider, School
from program_enrollments.sql.fields import ExactCharField

MAX_ENTITY_ID_LENGTH = 750
"""SAML allows 1,024 characters; a unique index of MariaDB and MySQL in utf8mb4 takes this many."""


class SamlConfiguration(TimeStampedModel):
    """How this app signs people on through one identity provider.

    A host with a SAML set-up of its own has none of these: its identity providers are slugs alone. The names of
    attributes are compared exactly with the `Name` of SAML attributes. If one is empty, the usual names are tried.
    """

    identity_provider = models.OneToOneField(
        IdentityProvider, models.CASCADE, related_name="saml", verbose_name=_("identity provider")
    )
    entity_id = ExactCharField(
        _("entity ID"), max_length=MAX_ENTITY_ID_LENGTH, help_text=_("As the provider's metadata gives it.")
    )
    sso_url = models.URLField(
        _("sign-on URL"), max_length=1000, help_text=_("Of the provider's HTTP-Redirect binding.")
    )
    signing_certificates = models.TextField(
        _("signing certificates"),
        help_text=_("In PEM form, one below the other. During a key rollover the old and the new one are both here."),
    )
    metadata_url = models.URLField(
        _("metadata URL"),
        max_length=1000,
        blank=True,
        help_text=_("Where the university publishes the metadata. It is read daily if refresh_metadata runs daily."),
    )
    metadata_fingerprint = models.CharField(
        _("fingerprint of the metadata's signer"),
        max_length=95,
        blank=True,
        help_text=_(
            "SHA-256, of the certificate that the metadata is signed with. If given, unsigned metadata is refused, and "
            "signed metadata may change the sign-on URL without being asked about."
        ),
    )
    metadata_read_at = models.DateTimeField(_("metadata last read at"), null=True, blank=True, editable=False)
    id_attribute = models.CharField(
        _("attribute of the permanent ID"),
        max_length=255,
        help_text=_("The SAML attribute that carries the student ID: one value, never given to another person."),
    )
    email_attribute = models.CharField(_("attribute of the e-mail address"), max_length=255, blank=True)
    username_attribute = models.CharField(_("attribute of the username"), max_length=255, blank=True)
    full_name_attribute = models.CharField(_("attribute of the full name"), max_length=255, blank=True)
    first_name_attribute = models.CharField(_("attribute of the given name"), max_length=255, blank=True)
    last_name_attribute = models.CharField(_("attribute of the family name"), max_length=255, blank=True)
    is_test_only = models.BooleanField(
        _("test only"),
        default=False,
        help_text=_("Sign-ons end on a page that shows what was asserted. Nobody is signed in, nothing is linked."),
    )
    allows_idp_initiated = models.BooleanField(
        _("may start sign-ons"),
        default=False,
        help_text=_("Whether the university's own portal may send people here without their having asked here first."),
    )
    confirms_email = models.BooleanField(
        _("confirms e-mail addresses"),
        default=False,
        help_text=_(
            "Whether an address the provider asserts, within the school's e-mail domains, counts as confirmed."
        ),
    )

    class Meta:
        verbose_name = _("SAML configuration")
        verbose_name_plural = _("SAML configurations")
        constraints = [
            # With one entity ID under two slugs, people could choose the prefix of their own uid.
            models.UniqueConstraint(fields=["entity_id"], name="ue_saml_entity_id_unique"),
            # Without all of these, no response of the provider could be verified and read.
            models.CheckConstraint(
                condition=~Q(entity_id="") & ~Q(sso_url="") & ~Q(signing_certificates="") & ~Q(id_attribute=""),
                name="ue_saml_complete",
            ),
        ]

    def __str__(self) -> str:
        return str(self.entity_id)


class ProposedMetadata(models.Model):
    """What a provider's published metadata would change, waiting for a person to approve or reject it.

    `sso_url` and `signing_certificates` are the values that the configuration has after approval. A rejected proposal
    is kept, so that the same metadata isn't proposed again every day.
    """

    configuration = models.OneToOneField(
        SamlConfiguration, models.CASCADE, related_name="proposal", verbose_name=_("SAML configuration")
    )
    sso_url = models.URLField(_("sign-on URL"), max_length=1000)
    signing_certificates = models.TextField(_("signing certificates"))
    proposed_at = models.DateTimeField(_("proposed at"))
    rejected_at = models.DateTimeField(_("rejected at"), null=True)
    reason = models.TextField(_("reason"), blank=True, help_text=_("Why it was rejected."))

    class Meta:
        verbose_name = _("proposed metadata")
        verbose_name_plural = _("proposed metadata")
        constraints = [
            # Approving a proposal without these would make the configuration incomplete.
            models.CheckConstraint(
                condition=~Q(sso_url="") & ~Q(signing_certificates=""), name="ue_proposed_metadata_complete"
            ),
        ]

    def __str__(self) -> str:
        return str(self.configuration)


class SeenAssertion(models.Model):
    """An assertion that signed somebody on, kept until it expires so that it works only once.

    `digest` is SHA-256 (hex) of the entity ID and the assertion's ID. Because it is the primary key, parallel posts of
    one assertion sign on once.
    """

    digest = ExactCharField(max_length=64, primary_key=True)
    expires_at = models.DateTimeField(_("expires at"), db_index=True)

    class Meta:
        verbose_name = _("seen assertion")
        verbose_name_plural = _("seen assertions")

    def __str__(self) -> str:
        return str(self.digest)


class MetadataRequest(models.Model):
    """A school's request to its identity provider's administrator, by a link that works once.

    Only the digest of the link's token is stored. What is sent is a draft: it counts after a person with the grant has
    compared it and activated it.
    """

    school = models.ForeignKey(School, models.CASCADE, related_name="metadata_requests", verbose_name=_("school"))
    email = models.CharField(_("sent to"), max_length=255)
    digest = ExactCharField(_("digest of the token"), max_length=64)
    requested_by_id = models.BigIntegerField(_("requested by"), help_text=_("The host's user ID."))
    requested_at = models.DateTimeField(_("requested at"))
    expires_at = models.DateTimeField(_("expires at"))
    sent_at = models.DateTimeField(_("draft sent at"), null=True)
    name = models.CharField(_("name"), max_length=255, blank=True)
    entity_id = models.CharField(_("entity ID"), max_length=MAX_ENTITY_ID_LENGTH, blank=True)
    sso_url = models.URLField(_("sign-on URL"), max_length=1000, blank=True)
    signing_certificates = models.TextField(_("signing certificates"), blank=True)
    closed_at = models.DateTimeField(_("closed at"), null=True)
    closed_by_id = models.BigIntegerField(_("closed by"), null=True, help_text=_("The host's user ID."))
    is_activated = models.BooleanField(_("activated"), default=False)

    class Meta:
        verbose_name = _("request for metadata")
        verbose_name_plural = _("requests for metadata")
        ordering = ["-pk"]
        constraints = [
            # The token is how a request is found.
            models.UniqueConstraint(fields=["digest"], name="ue_metadata_request_digest_unique"),
            # A draft is complete, or there is none.
            models.CheckConstraint(
                condition=Q(sent_at__isnull=True) | (~Q(entity_id="") & ~Q(sso_url="") & ~Q(signing_certificates="")),
                name="ue_metadata_request_draft_complete",
            ),
            models.CheckConstraint(
                condition=Q(is_activated=False) | Q(sent_at__isnull=False, closed_at__isnull=False),
                name="ue_metadata_request_activated_draft",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
