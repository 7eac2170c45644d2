"""Schools: the tenants, the domains of their e-mail addresses and their identity providers."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from model_utils.models import TimeStampedModel

from program_enrollments.document_links import MAX_LENGTH, check_document_links
from program_enrollments.sql.fields import ExactCharField, NormalizedField
from program_enrollments.time_zones import check_time_zone

validate_slug = RegexValidator(
    r"\A[A-Za-z0-9][A-Za-z0-9._~-]*\Z",
    _("Use letters, digits, “.”, “_”, “~” and “-” only, and begin with a letter or digit: it stands in addresses."),
)


class School(TimeStampedModel):
    """A university, as a tenant: owns programs, identity providers, learners and the grants of API users."""

    key = ExactCharField(_("key"), max_length=64, help_text=_("Short name used in URLs and by the API, such as uni-a."))
    name = models.CharField(_("name"), max_length=255)
    logo_url = models.URLField(_("logo URL"), max_length=500, blank=True)
    primary_color = models.CharField(
        _("primary color"), max_length=7, blank=True, help_text=_("As #rrggbb; for the school's own pages.")
    )
    text_color = models.CharField(_("text color on it"), max_length=7, blank=True, help_text=_("As #rrggbb."))
    guard_minimum = models.PositiveIntegerField(
        _("removals always allowed"),
        default=10,
        db_default=10,
        help_text=_("A file that removes no more than this many from a program or course run is never held."),
    )
    guard_percent = models.PositiveSmallIntegerField(
        _("share allowed"),
        default=20,
        db_default=20,
        help_text=_("A file may remove up to this share, in percent, of those present; over both it is held."),
    )
    support_name = models.CharField(
        _("support contact"), max_length=255, blank=True, default="", db_default="", help_text=_("Whom people may ask.")
    )
    support_email = models.EmailField(_("support address"), max_length=255, blank=True, default="", db_default="")
    welcome_text = models.CharField(
        _("welcome text"),
        max_length=500,
        blank=True,
        default="",
        db_default="",
        help_text=_("On the first page of the school."),
    )
    documents = models.CharField(
        _("documents"),
        max_length=MAX_LENGTH,
        blank=True,
        default="",
        db_default="",
        validators=[check_document_links],
        help_text=_("For all learners; one per line, such as “Rules | https://uni.example/rules”."),
    )
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        default="UTC",
        db_default="UTC",
        validators=[check_time_zone],
        help_text=_(
            "Such as Europe/Berlin. Hours at which files are expected, and days that the school names, are in it."
        ),
    )
    is_sandbox = models.BooleanField(
        _("for practice"),
        default=False,
        db_default=False,
        help_text=_(
            "A sandbox. Its learners are never linked to accounts, nobody signs on through it, and nobody is mailed. "
            "Only a school without learners can become one, or stop being one."
        ),
    )

    class Meta:
        verbose_name = _("school")
        verbose_name_plural = _("schools")
        ordering = ["key"]
        constraints = [
            # The key stands for the school in URLs and filters.
            models.UniqueConstraint(fields=["key"], name="ue_school_key_unique"),
            models.CheckConstraint(condition=~Q(key=""), name="ue_school_key_not_blank"),
            # Over a hundred percent would be a guard that never holds anything.
            models.CheckConstraint(condition=Q(guard_percent__lte=100), name="ue_school_guard_percent_possible"),
        ]

    def __str__(self) -> str:
        return self.name


class SchoolEmailDomain(models.Model):
    """A domain whose e-mail addresses a school gives out.

    If a school lists any, only addresses in these domains and their subdomains are accepted for its learners and count
    as evidence.
    """

    school = models.ForeignKey(
        School, models.CASCADE, related_name="email_domains", db_index=False, verbose_name=_("school")
    )
    domain = models.CharField(_("domain"), max_length=255)
    domain_normalized = NormalizedField(source="domain")

    class Meta:
        verbose_name = _("e-mail domain")
        verbose_name_plural = _("e-mail domains")
        ordering = ["domain"]
        constraints = [
            models.UniqueConstraint(fields=["school", "domain_normalized"], name="ue_email_domain_unique"),
            models.CheckConstraint(condition=~Q(domain=""), name="ue_email_domain_not_blank"),
        ]

    def __str__(self) -> str:
        return self.domain


class IdentityProvider(TimeStampedModel):
    """One SAML identity provider of a school. A school may have several, for example while it migrates.

    `slug` is the part of a social-auth uid before the first colon. Two schools can therefore never share one.
    """

    school = models.ForeignKey(School, models.PROTECT, related_name="identity_providers", verbose_name=_("school"))
    slug = ExactCharField(
        _("slug"),
        max_length=64,
        validators=[validate_slug],
        help_text=_("What stands before the first colon of a social-auth uid. It cannot be changed later."),
    )
    name = models.CharField(_("name"), max_length=255, blank=True)
    is_enabled = models.BooleanField(
        _("enabled"), default=True, help_text=_("A disabled provider signs nobody in and links nobody.")
    )

    class Meta:
        verbose_name = _("identity provider")
        verbose_name_plural = _("identity providers")
        ordering = ["slug"]
        constraints = [
            # If two schools shared a slug, each could assert the other's students.
            models.UniqueConstraint(fields=["slug"], name="ue_idp_slug_unique"),
            # With a colon in the slug, a uid would be split at the wrong place.
            models.CheckConstraint(condition=~Q(slug="") & ~Q(slug__contains=":"), name="ue_idp_slug_plain"),
        ]

    def __str__(self) -> str:
        return self.name or self.slug
