"""Import of metadata: it is pasted or uploaded, shown to staff, and saved on their second click."""

from __future__ import annotations

import hashlib
import re
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from program_enrollments import api
from program_enrollments.admin.large_tables import AnyModelAdmin
from program_enrollments.admin.pages import form_page_context
from program_enrollments.exceptions import MetadataUnusable
from program_enrollments.models import IdentityProvider, SamlConfiguration, School

TEMPLATE = "admin/university_enrollments/identityprovider/import_metadata.html"
SLUG = re.compile(r"[A-Za-z0-9._-]{1,64}")
SLUG_HELP = gettext_lazy("Use letters, digits, dots, dashes and underscores only, such as uni-a.")
MAX_PASTED = 200_000
"""The longest text that the form shows again for the second click."""


def id_attribute_field() -> forms.CharField:
    """Return the field for the attribute of the permanent ID, which metadata does not name."""
    return forms.CharField(
        label=gettext_lazy("Attribute of the permanent ID"),
        max_length=255,
        help_text=gettext_lazy("The name of the SAML attribute with the student ID, as agreed with the university."),
        widget=forms.TextInput(attrs={"class": "vLargeTextField"}),
    )


class MetadataForm(forms.Form):
    """A provider's metadata, as text or as a file."""

    metadata = forms.CharField(
        label=gettext_lazy("Metadata"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 12, "class": "vLargeTextField", "spellcheck": "false"}),
        help_text=gettext_lazy("Paste the whole XML here, or choose its file below."),
    )
    file = forms.FileField(label=gettext_lazy("Metadata file"), required=False)
    entity_id = forms.CharField(
        label=gettext_lazy("Entity ID"),
        required=False,
        max_length=1024,
        help_text=gettext_lazy("Only if the metadata describes several identity providers."),
        widget=forms.TextInput(attrs={"class": "vLargeTextField"}),
    )

    found: api.ProviderMetadata | None = None

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        uploaded = cleaned.get("file")
        xml = uploaded.read() if uploaded is not None else (cleaned.get("metadata") or "").encode()
        if not xml.strip():
            self.add_error("metadata", _("Paste the metadata, or choose a file."))
            return cleaned
        try:
            self.found = api.read_metadata(xml=xml, entity_id=(cleaned.get("entity_id") or "").strip())
        except MetadataUnusable as error:
            self.add_error("metadata", ValidationError(error.message, code=error.code))
        cleaned["xml"] = xml
        return cleaned


class NewProviderForm(MetadataForm):
    """A new provider: its school, and its slug, which becomes part of uids."""

    school = forms.ModelChoiceField(label=gettext_lazy("School"), queryset=School.objects.order_by("name"))
    slug = forms.CharField(
        label=gettext_lazy("Slug"),
        max_length=64,
        help_text=gettext_lazy(
            "The part of a uid before the first colon. It cannot be changed once somebody has signed on."
        ),
    )
    id_attribute = id_attribute_field()
    is_test_only = forms.BooleanField(
        label=gettext_lazy("Test only, for now"),
        required=False,
        initial=True,
        help_text=gettext_lazy("Sign-ons end on a page that shows what was asserted, until you switch this off."),
    )
    field_order = ["school", "slug", "metadata", "file", "entity_id", "id_attribute", "is_test_only"]

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"].strip()
        if not SLUG.fullmatch(slug):
            raise ValidationError(SLUG_HELP, code="slug")
        if IdentityProvider.objects.filter(slug=slug).exists():
            raise ValidationError(_("Another identity provider has this slug. Choose another one."), code="unique")
        return slug

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.found is not None:
            refuse_second_use(self, self.found, provider=None)
        return cleaned


class KnownProviderForm(MetadataForm):
    """New metadata of a known provider: a new key, or a new address."""

    keep_certificates = forms.BooleanField(
        label=gettext_lazy("Keep the present certificates, too"),
        required=False,
        initial=True,
        help_text=gettext_lazy("During a key rollover both keys count. Import once more without this when it is over."),
    )
    field_order = ["metadata", "file", "entity_id", "keep_certificates"]

    def __init__(self, *args: Any, provider: IdentityProvider, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.provider = provider
        if _present(provider) is None:
            del self.fields["keep_certificates"]
            self.fields["id_attribute"] = id_attribute_field()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.found is not None:
            refuse_second_use(self, self.found, provider=self.provider)
        return cleaned


def refuse_second_use(form: forms.Form, found: api.ProviderMetadata, *, provider: IdentityProvider | None) -> None:
    """Add an error if another provider has the entity ID.

    With one entity ID under two slugs, people could choose the prefix of their own uid.
    """
    others = SamlConfiguration.objects.filter(entity_id=found.entity_id)
    if provider is not None:
        others = others.exclude(identity_provider=provider)
    other = others.select_related("identity_provider").first()
    if other is not None:
        text = _("The identity provider {slug} has this entity ID already. Import the metadata there.")
        form.add_error("metadata", ValidationError(text.format(slug=other.identity_provider.slug), code="unique"))


def import_metadata(request: HttpRequest, *, model_admin: AnyModelAdmin, pk: int | None) -> HttpResponse:
    """Show a form for metadata, then the contents of the metadata, then save what was shown.

    `pk` is the provider to change, or None for a new one.
    """
    provider = get_object_or_404(IdentityProvider.objects.select_related("school", "saml"), pk=pk) if pk else None
    allowed = (
        model_admin.has_change_permission(request, provider) if provider else model_admin.has_add_permission(request)
    )
    if not allowed:
        raise PermissionDenied
    data, files = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    form: MetadataForm
    if provider is None:
        form = NewProviderForm(data, files, initial={"school": request.GET.get("school")})
    else:
        form = KnownProviderForm(data, files, provider=provider)
    shown = ""
    if request.method == "POST" and form.is_valid() and form.found is not None:
        shown = hashlib.sha256(form.cleaned_data["xml"] + form.found.entity_id.encode()).hexdigest()
        if request.POST.get("shown") == shown and "save" in request.POST:
            with transaction.atomic(using=api.get_database_alias()):
                return _save(request, model_admin=model_admin, form=form, found=form.found, provider=provider)
        form = _filled_again(form)
    title = _("Import metadata of %s") % provider if provider else _("Add an identity provider by its metadata")
    context = form_page_context(model_admin=model_admin, request=request, form=form) | {
        "title": title,
        "original": provider,
        "found": form.found,
        "shown": shown,
        "now": timezone.now(),
        "present": _present(provider),
    }
    return render(request, TEMPLATE, context)


def _filled_again(form: MetadataForm) -> MetadataForm:
    """Put the contents of an uploaded file into the text field, because browsers don't send a file twice."""
    text = form.cleaned_data["xml"].decode("utf-8", errors="replace")
    if form.cleaned_data.get("file") is not None and len(text) <= MAX_PASTED:
        data = cast(QueryDict, form.data).copy()
        data["metadata"] = text
        form.data = data
    return form


def _present(provider: IdentityProvider | None) -> SamlConfiguration | None:
    try:
        return provider.saml if provider is not None else None
    except ObjectDoesNotExist:
        return None


def _save(
    request: HttpRequest,
    *,
    model_admin: AnyModelAdmin,
    form: MetadataForm,
    found: api.ProviderMetadata,
    provider: IdentityProvider | None,
) -> HttpResponse:
    given = form.cleaned_data
    certificates = "\n".join(certificate.pem for certificate in found.certificates)
    if provider is None:
        provider = IdentityProvider.objects.create(school=given["school"], slug=given["slug"], name=found.name)
        SamlConfiguration.objects.create(
            identity_provider=provider,
            entity_id=found.entity_id,
            sso_url=found.sso_url,
            signing_certificates=certificates,
            id_attribute=given["id_attribute"],
            is_test_only=given["is_test_only"],
        )
        model_admin.log_addition(request, provider, [{"added": {}}])
    else:
        configuration = _present(provider) or SamlConfiguration(
            identity_provider=provider, is_test_only=True, id_attribute=given["id_attribute"]
        )
        if given.get("keep_certificates"):
            both = api.read_certificates(text=f"{configuration.signing_certificates}\n{certificates}")
            certificates = "\n".join(certificate.pem for certificate in both)
        configuration.entity_id, configuration.sso_url = found.entity_id, found.sso_url
        configuration.signing_certificates = certificates
        configuration.save()
        model_admin.log_change(request, provider, [{"changed": {"fields": ["metadata"]}}])
    messages.success(
        request, _("The metadata is saved and counts at once. Try the sign-on by the first address below.")
    )
    return redirect(
        reverse(f"admin:{model_admin.opts.app_label}_{model_admin.opts.model_name}_change", args=[provider.pk])
    )
