"""Schools, with their e-mail domains, their identity providers and their grants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.core.validators import DomainNameValidator
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from program_enrollments import api
from program_enrollments.admin.catalog import is_used
from program_enrollments.admin.grants import giving_as, mail_grant, refuse_ungivable
from program_enrollments.admin.labels import LabeledInline
from program_enrollments.admin.large_tables import DeletedOneByOne
from program_enrollments.colors import MIN_TEXT_CONTRAST, contrast, is_color
from program_enrollments.exceptions import SandboxRefused
from program_enrollments.models import Grant, IdentityProvider, Learner, Program, School, SchoolEmailDomain
from program_enrollments.normalization import normalize_identity
from program_enrollments.time_zones import known_zones

if TYPE_CHECKING:
    SchoolModelForm = forms.ModelForm[School]
    DomainModelForm = forms.ModelForm[SchoolEmailDomain]
    ProviderModelForm = forms.ModelForm[IdentityProvider]
    GrantModelForm = forms.ModelForm[Grant]
    DomainFormSet = forms.BaseInlineFormSet[SchoolEmailDomain, School, Any]
else:
    SchoolModelForm = DomainModelForm = ProviderModelForm = GrantModelForm = forms.ModelForm
    DomainFormSet = forms.BaseInlineFormSet


class SchoolForm(SchoolModelForm):
    """A school. Its two colors have to be colors with enough contrast for text."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["time_zone"].required = False

    def clean_primary_color(self) -> str:
        return self._color("primary_color")

    def clean_text_color(self) -> str:
        return self._color("text_color")

    def _color(self, name: str) -> str:
        value: str = self.cleaned_data[name]
        if value and not is_color(value):
            raise ValidationError(_("Write a color as #rrggbb, such as #1a4b8c."), code="invalid")
        return value.lower()

    def clean_is_sandbox(self) -> bool:
        value: bool = self.cleaned_data["is_sandbox"]
        if not self.instance._state.adding and "is_sandbox" in self.changed_data:
            try:
                api.check_sandbox_change(school_id=self.instance.pk)
            except SandboxRefused as error:
                raise ValidationError(error.message, code=error.code) from error
        return value

    def clean_time_zone(self) -> str:
        value: str = self.cleaned_data["time_zone"] or "UTC"
        if value not in known_zones():
            raise ValidationError(_("Use the name of a time zone, such as Europe/Berlin."), code="invalid")
        return value

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        background, text = cleaned.get("primary_color"), cleaned.get("text_color")
        if background and text and contrast(background, text) < MIN_TEXT_CONTRAST:
            message = _("Text in this color is hard to read on the primary color. Choose a lighter or a darker one.")
            self.add_error("text_color", ValidationError(message, code="contrast"))
        return cleaned


class DomainForm(DomainModelForm):
    """An e-mail domain, stored normalized and without an @ before it."""

    class Meta:
        model = SchoolEmailDomain
        fields = ["domain"]

    def clean_domain(self) -> str:
        domain = normalize_identity(self.cleaned_data["domain"]).lstrip("@")
        DomainNameValidator()(domain)
        return domain


class DistinctDomains(DomainFormSet):
    """Refuses a domain that is listed twice, also in different spellings."""

    def clean(self) -> None:
        super().clean()
        seen: set[str] = set()
        for form in self.forms:
            domain = form.cleaned_data.get("domain") if hasattr(form, "cleaned_data") else None
            if not domain or form in self.deleted_forms:
                continue
            if domain in seen:
                form.add_error("domain", ValidationError(_("This domain is listed already."), code="duplicate"))
            seen.add(domain)


class EmailDomainInline(LabeledInline):
    """A school's e-mail domains.

    If it lists any, addresses in other domains are refused and are no evidence.
    """

    model = SchoolEmailDomain
    form = DomainForm
    formset = DistinctDomains
    fields = ["domain"]
    extra = 0


class ProviderForm(ProviderModelForm):
    """A provider. Its slug has to fit before the first colon of a uid."""

    class Meta:
        model = IdentityProvider
        fields = ["slug", "name", "is_enabled"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The uid of everybody who signed on through the provider has the slug.
        self.fields["slug"].disabled = self.instance.pk is not None

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        if ":" in slug:
            raise ValidationError(_("A slug cannot have a colon: the first colon of a uid ends it."), code="colon")
        return slug


class IdentityProviderInline(LabeledInline):
    """A school's identity providers. Used ones are switched off rather than deleted."""

    model = IdentityProvider
    form = ProviderForm
    fields = ["slug", "name", "is_enabled"]
    extra = 0
    can_delete = False


class SchoolGrantForm(GrantModelForm):
    """A grant on the school whose page it is on."""

    giver: Any = None

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            refuse_ungivable(giver=self.giver, permission=cleaned["permission"], school_id=self.instance.school_id)
        return cleaned


class GrantInline(LabeledInline):
    """Grants on all programs of the school. Shown to users who manage access there."""

    model = Grant
    form = SchoolGrantForm
    fields = ["user", "permission"]
    raw_id_fields = ["user"]
    extra = 0

    def get_formset(self, request: HttpRequest, obj: School | None = None, **kwargs: Any) -> Any:
        return super().get_formset(request, obj, form=giving_as(self.form, giver=request.user), **kwargs)


@admin.register(School)
class SchoolAdmin(DeletedOneByOne):
    """Universities, as tenants."""

    form = SchoolForm
    fields = [
        "key",
        "name",
        "logo_url",
        "primary_color",
        "text_color",
        "documents",
        "time_zone",
        "guard_minimum",
        "guard_percent",
        "is_sandbox",
    ]
    list_display = ["name", "key", "is_sandbox"]
    list_filter = ["is_sandbox"]
    search_fields = ["name", "key"]
    search_help_text = _("Part of the name or key.")
    ordering = ["name", "pk"]
    inlines = [EmailDomainInline, IdentityProviderInline, GrantInline]

    def get_inlines(self, request: HttpRequest, obj: School | None) -> list[Any]:
        managed = api.fetch_manageable_schools(user=request.user)
        hidden = obj is not None and not managed.filter(pk=obj.pk).exists()
        return [inline for inline in super().get_inlines(request, obj) if not (hidden and inline is GrantInline)]

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        before = {grant.pk: grant for grant in formset.get_queryset()} if formset.model is Grant else {}
        super().save_formset(request, form, formset, change)
        if formset.model is Grant:
            for grant in [*(before[grant.pk] for grant, _fields in formset.changed_objects), *formset.deleted_objects]:
                mail_grant(request, grant, is_taken=True)
            for grant in [*formset.new_objects, *(grant for grant, _fields in formset.changed_objects)]:
                mail_grant(request, grant)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        # A school is deleted only if nothing refers to it.
        is_empty = obj is None or not is_used(Program, Learner, IdentityProvider, school=obj)
        return super().has_delete_permission(request, obj) and is_empty
