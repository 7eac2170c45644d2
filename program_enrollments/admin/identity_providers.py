"""Identity providers and their SAML configurations, for support staff (docs/sso.rst)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from social_django.models import UserSocialAuth

from program_enrollments import api
from program_enrollments.admin import metadata_import, metadata_proposals, permanent_ids
from program_enrollments.admin.large_tables import DeletedOneByOne
from program_enrollments.conf import get_setting
from program_enrollments.exceptions import MetadataUnusable
from program_enrollments.models import IdentityProvider, SamlConfiguration

if TYPE_CHECKING:
    ProviderModelForm = forms.ModelForm[IdentityProvider]
    ConfigurationModelForm = forms.ModelForm[SamlConfiguration]
    StackedInline = admin.StackedInline[Any, Any]
else:
    ProviderModelForm = ConfigurationModelForm = forms.ModelForm
    StackedInline = admin.StackedInline

NONE = "–"


class ProviderForm(ProviderModelForm):
    """A provider. Its slug has to fit before the first colon of a uid, and into addresses."""

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        if not metadata_import.SLUG.fullmatch(slug):
            raise ValidationError(metadata_import.SLUG_HELP, code="slug")
        return slug


class ConfigurationForm(ConfigurationModelForm):
    """A SAML configuration. Unreadable or weak certificates and unencrypted addresses are refused."""

    sso_url = forms.CharField(
        label=_("Sign-on URL"),
        max_length=1000,
        help_text=_("Of the provider's HTTP-Redirect binding."),
        widget=forms.TextInput(attrs={"class": "vLargeTextField"}),
    )

    metadata_url = forms.CharField(
        label=_("Metadata URL"),
        max_length=1000,
        required=False,
        help_text=SamlConfiguration._meta.get_field("metadata_url").help_text,
        widget=forms.TextInput(attrs={"class": "vLargeTextField"}),
    )
    metadata_fingerprint = forms.CharField(
        label=_("Fingerprint of the metadata's signer"),
        max_length=200,
        required=False,
        help_text=SamlConfiguration._meta.get_field("metadata_fingerprint").help_text,
        widget=forms.TextInput(attrs={"class": "vLargeTextField", "spellcheck": "false"}),
    )

    class Meta:
        model = SamlConfiguration
        fields = "__all__"
        widgets = {
            name: forms.TextInput(attrs={"class": "vLargeTextField"}) for name in ("entity_id", "id_attribute")
        } | {
            "signing_certificates": forms.Textarea(attrs={"rows": 8, "class": "vLargeTextField", "spellcheck": "false"})
        }

    def clean_entity_id(self) -> str:
        return str(self.cleaned_data["entity_id"]).strip()

    def clean_sso_url(self) -> str:
        url: str = self.cleaned_data["sso_url"].strip()
        try:
            api.check_sso_url(url=url)
        except MetadataUnusable as error:
            raise ValidationError(error.message, code=error.code) from None
        return url

    def clean_metadata_url(self) -> str:
        url: str = self.cleaned_data["metadata_url"].strip()
        if url:
            try:
                api.check_metadata_url(url=url)
            except MetadataUnusable as error:
                raise ValidationError(error.message, code=error.code) from None
        return url

    def clean_metadata_fingerprint(self) -> str:
        given: str = self.cleaned_data["metadata_fingerprint"].strip()
        try:
            return api.read_fingerprint(text=given) if given else ""
        except MetadataUnusable as error:
            raise ValidationError(error.message, code=error.code) from None

    def clean_signing_certificates(self) -> str:
        try:
            certificates = api.read_certificates(text=self.cleaned_data["signing_certificates"])
        except MetadataUnusable as error:
            raise ValidationError(error.message, code=error.code) from None
        return "\n".join(certificate.pem for certificate in certificates)


class ConfigurationInline(StackedInline):
    """The SAML side. A host with a SAML set-up of its own needs none."""

    model = SamlConfiguration
    form = ConfigurationForm
    extra = 0
    can_delete = True
    readonly_fields = ["certificates_seen", "metadata_read_at"]
    fieldsets = [
        (None, {"fields": ["is_test_only", "entity_id", "sso_url", "signing_certificates", "certificates_seen"]}),
        (_("Published metadata"), {"fields": ["metadata_url", "metadata_fingerprint", "metadata_read_at"]}),
        (
            _("What is asserted"),
            {
                "fields": [
                    "id_attribute",
                    "email_attribute",
                    "username_attribute",
                    "full_name_attribute",
                    "first_name_attribute",
                    "last_name_attribute",
                ],
                "description": _(
                    "Names of SAML attributes, compared exactly. If a field is empty, the usual names are tried."
                ),
            },
        ),
        (_("What is allowed"), {"fields": ["confirms_email", "allows_idp_initiated"]}),
    ]

    @admin.display(description=_("these are"))
    def certificates_seen(self, configuration: SamlConfiguration) -> str:
        """The certificates: their owners, their ends, and the fingerprints to compare."""
        try:
            certificates = api.read_certificates(text=configuration.signing_certificates)
        except MetadataUnusable:
            return NONE
        return list_certificates(certificates)


@admin.register(IdentityProvider)
class IdentityProviderAdmin(DeletedOneByOne):
    """Providers of all schools.

    New ones come with their metadata; those in use are switched off, not deleted.
    """

    form = ProviderForm
    fields = ["school", "slug", "name", "is_enabled", "addresses"]
    readonly_fields = ["addresses"]
    list_display = ["slug", "name", "school", "state", "certificates_end"]
    list_select_related = ["school", "saml"]
    search_fields = ["slug", "name", "school__name", "saml__entity_id"]
    search_help_text = _("Part of the slug, the name, the school's name or the entity ID.")
    ordering = ["slug"]
    autocomplete_fields = ["school"]
    inlines = [ConfigurationInline]
    change_list_template = "admin/university_enrollments/identityprovider/change_list.html"
    change_form_template = "admin/university_enrollments/identityprovider/change_form.html"

    @admin.display(description=_("state"))
    def state(self, provider: IdentityProvider) -> str:
        """One word that says whether people can sign on."""
        if not provider.is_enabled:
            return str(_("disabled"))
        configuration = _configuration(provider)
        if configuration is None:
            return str(_("slug alone"))
        return str(_("test only") if configuration.is_test_only else _("enabled"))

    @admin.display(description=_("last certificate ends"))
    def certificates_end(self, provider: IdentityProvider) -> str:
        """The day on which the last certificate ends."""
        configuration = _configuration(provider)
        try:
            certificates = api.read_certificates(text=configuration.signing_certificates) if configuration else ()
        except MetadataUnusable:
            return NONE
        last = max(certificates, key=lambda certificate: certificate.expires_at, default=None)
        if last is None:
            return NONE
        end, now = last.expires_at.date().isoformat(), timezone.now()
        if last.ends_soon(now=now):
            return format_html("<strong>{} {}</strong>", end, _("(soon)"))
        return end

    @admin.display(description=_("addresses"))
    def addresses(self, provider: IdentityProvider) -> str:
        """The addresses that staff and the university need, if this app serves sign-ons."""
        if _configuration(provider) is None:
            return NONE
        try:
            addresses = [
                (_("Sign in or test"), reverse("sign_on:start", args=[provider.slug])),
                (_("Page of the school"), reverse("sign_on:school", args=[provider.school.key])),
                (_("Our metadata, for the university"), reverse("sign_on:metadata")),
            ]
        except NoReverseMatch:
            return NONE
        return format_html_join("", '<div><a href="{1}">{0}</a> <code>{1}</code></div>', addresses)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        base = f"{self.opts.app_label}_{self.opts.model_name}"
        name = f"{base}_import"
        return [
            path("import-metadata/", view(self.import_metadata), name=name),
            path("permanent-id/", view(self.choose_permanent_id), name=f"{base}_permanent_id"),
            path("<int:pk>/import-metadata/", view(self.import_metadata), name=f"{name}_again"),
            path("<int:pk>/proposed-metadata/", view(self.decide_metadata), name=f"{base}_proposal"),
            *super().get_urls(),
        ]

    def import_metadata(self, request: HttpRequest, pk: int | None = None) -> HttpResponse:
        """Show the contents of pasted metadata, and save them on the second click."""
        return metadata_import.import_metadata(request, model_admin=self, pk=pk)

    def choose_permanent_id(self, request: HttpRequest) -> HttpResponse:
        """Let staff use an attribute that a test sign-on showed as the permanent ID."""
        return permanent_ids.choose_permanent_id(request, model_admin=self)

    def decide_metadata(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show what published metadata would change, and let staff approve or reject it."""
        return metadata_proposals.decide_metadata(request, model_admin=self, pk=pk)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        provider = self.get_object(request, unquote(object_id))
        context = {"has_proposal": False} | (extra_context or {})
        if provider is not None and request.method == "GET" and self.has_view_permission(request, provider):
            context["has_proposal"] = metadata_proposals.warn_of_proposal(request, provider)
            _warn_of_certificates(request, provider)
        return super().change_view(request, object_id, form_url, context)

    def get_queryset(self, request: HttpRequest) -> QuerySet[IdentityProvider]:
        return super().get_queryset(request).select_related("school", "saml")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Keep the slug, because the uid of everybody who has signed on has it."""
        return [*self.readonly_fields, "slug"] if obj is not None and _is_used(obj) else list(self.readonly_fields)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        # A provider is deleted only if nobody has signed on through it.
        return super().has_delete_permission(request, obj) and (obj is None or not _is_used(obj))


def list_certificates(certificates: tuple[api.SigningCertificate, ...]) -> SafeString:
    """Return certificates as HTML, for people to compare."""
    now = timezone.now()
    rows = [
        (
            certificate.subject or NONE,
            certificate.expires_at.date().isoformat(),
            _validity(certificate, now),
            certificate.fingerprint,
        )
        for certificate in certificates
    ]
    text = _("until")
    items = format_html_join(
        "", "<li>{0}, {4} {1} {2}<br><code>SHA-256 {3}</code></li>", [(*row, text) for row in rows]
    )
    return format_html("<ul>{}</ul>", items)


def _validity(certificate: api.SigningCertificate, now: datetime) -> str:
    if certificate.is_expired(now=now):
        return str(_("(expired; its key still counts)"))
    return str(_("(ends within 30 days)")) if certificate.ends_soon(now=now) else ""


def _warn_of_certificates(request: HttpRequest, provider: IdentityProvider) -> None:
    configuration = _configuration(provider)
    try:
        certificates = api.read_certificates(text=configuration.signing_certificates) if configuration else ()
    except MetadataUnusable:
        messages.error(
            request, _("The stored signing certificates cannot be read, so nobody can sign on. Import the metadata.")
        )
        return
    now = timezone.now()
    ending = [certificate for certificate in certificates if certificate.ends_soon(now=now)]
    if ending:
        end = min(certificate.expires_at for certificate in ending).date().isoformat()
        text = _("A signing certificate ends on %(end)s. Ask the university when it changes its key.")
        messages.warning(request, text % {"end": end})


def _configuration(provider: IdentityProvider) -> SamlConfiguration | None:
    try:
        return provider.saml
    except ObjectDoesNotExist:
        return None


def _is_used(provider: Any) -> bool:
    """Return whether anybody has signed on through the provider."""
    return UserSocialAuth.objects.filter(
        provider__in=get_setting("SAML_BACKENDS"), uid__startswith=f"{provider.slug}:"
    ).exists()
