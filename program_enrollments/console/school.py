"""A school's own pages: brand and contact, and how its people sign in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from program_enrollments import api
from program_enrollments.colors import MIN_TEXT_CONTRAST, contrast, is_color, text_on
from program_enrollments.console.base import SchoolPage
from program_enrollments.console.forms import PlainForm
from program_enrollments.data import Permission
from program_enrollments.document_links import MAX_LENGTH, check_document_links
from program_enrollments.pages.branding import DEFAULT_COLOR, theme_of
from program_enrollments.pages.headers import image_origins
from program_enrollments.time_zones import known_zones


class BrandForm(PlainForm):
    """How a school is presented."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=255)
    logo_url = forms.URLField(
        label=gettext_lazy("Address of the logo"),
        required=False,
        max_length=500,
        assume_scheme="https",
        help_text=gettext_lazy("An image on a server of yours, such as https://uni.example/logo.svg."),
    )
    primary_color = forms.CharField(
        label=gettext_lazy("Color"),
        required=False,
        max_length=7,
        help_text=gettext_lazy("As #rrggbb. Where it could not be read, pages make it darker or lighter."),
    )
    text_color = forms.CharField(
        label=gettext_lazy("Text color on it"),
        required=False,
        max_length=7,
        help_text=gettext_lazy(
            "As #rrggbb, for the sign-in page. Leave it empty to have the better of white and black."
        ),
    )
    support_name = forms.CharField(label=gettext_lazy("Name of your support"), required=False, max_length=255)
    support_email = forms.EmailField(
        label=gettext_lazy("Address of your support"),
        required=False,
        max_length=255,
        help_text=gettext_lazy("Stands on every page, for learners and administrators."),
    )
    welcome_text = forms.CharField(
        label=gettext_lazy("Welcome text"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("On the first page of your administrators and learners."),
    )
    documents = forms.CharField(
        label=gettext_lazy("Documents for all learners"),
        required=False,
        max_length=MAX_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
        validators=[check_document_links],
        help_text=gettext_lazy("One per line, such as “Examination rules | https://uni.example/rules”."),
    )

    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        required=False,
        choices=lambda: [(name, name) for name in sorted(known_zones())],
        help_text=gettext_lazy("Of the hours at which your files are expected."),
    )
    guard_minimum = forms.IntegerField(
        label=gettext_lazy("Removals that a file may always make"),
        min_value=0,
        max_value=1_000_000,
        help_text=gettext_lazy("A file that removes more than this, and more than the share, waits for a person."),
    )
    guard_percent = forms.IntegerField(
        label=gettext_lazy("Share that a file may remove, in percent"), min_value=0, max_value=100
    )

    def clean_primary_color(self) -> str:
        return self._color("primary_color")

    def clean_text_color(self) -> str:
        return self._color("text_color")

    def _color(self, name: str) -> str:
        value: str = self.cleaned_data[name].strip().lower()
        if value and not is_color(value):
            raise ValidationError(_("Write a color as #rrggbb, such as #1a4b8c."), code="invalid")
        return value

    def clean_time_zone(self) -> str:
        value: str = self.cleaned_data["time_zone"]
        return value or "UTC"

    def clean_logo_url(self) -> str:
        value: str = self.cleaned_data["logo_url"]
        if value and not image_origins(value):
            raise ValidationError(_("Browsers could not load a logo from this address."), code="invalid")
        return value

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        color, text = cleaned.get("primary_color"), cleaned.get("text_color")
        if color and text and contrast(color, text) < MIN_TEXT_CONTRAST:
            message = _("Text in this color is hard to read on the color above. Try %(better)s, or leave it empty.")
            self.add_error("text_color", ValidationError(message % {"better": text_on(color)}, code="contrast"))
        return cleaned


SETTING_LABELS = {
    "program": gettext_lazy("Program"),
    "kind": gettext_lazy("Kind of file"),
    "mode": gettext_lazy("Mode"),
    "leaving_status": gettext_lazy("Who is missing becomes"),
    "cascade": gettext_lazy("Course enrollments as well"),
    "folder": gettext_lazy("Folder"),
    "pattern": gettext_lazy("Names of the files"),
    "expected_days": gettext_lazy("Expected on weekdays, Monday is 1"),
    "expected_at": gettext_lazy("Expected until"),
    "is_active": gettext_lazy("Switched on"),
}
"""What feeds' values are called in the record of changes; the school's own have the labels of the form."""


def setting_label(name: str) -> str:
    """Return what a recorded setting is called on pages."""
    field = BrandForm.base_fields.get(name)
    return str(SETTING_LABELS.get(name) or (field.label if field is not None and field.label else name))


class Brand(SchoolPage):
    """Name, logo, colors, contact and welcome text, and the guard of files; colors have a preview."""

    section = "brand"
    reads_with = Permission.MANAGE_SCHOOL
    template_name = "program_enrollments/console/brand.html"

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        initial = {name: getattr(self.school, name) for name in BrandForm.base_fields}
        return self.answer(BrandForm(initial=initial), color=self.school.primary_color)

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        form = BrandForm(request.POST)
        if not form.is_valid():
            return self.answer(form, color=request.POST.get("primary_color", ""), status=400)
        if "preview" in request.POST:
            return self.answer(form, color=form.cleaned_data["primary_color"])
        api.present_school(
            access=self.access,
            school=self.school,
            presentation=api.Presentation(**form.cleaned_data),
            now=timezone.now(),
        )
        return self.go(request.path, message=_("Saved. It is on every page of yours from now on."))

    def answer(self, form: BrandForm, *, color: str, status: int = 200) -> HttpResponse:
        """Show the form, and the color as pages would show it."""
        theme = theme_of(color=color.strip())
        shown = [
            (_("On light pages"), *theme.light, round(contrast(*theme.light), 1)),
            (_("On dark pages"), *theme.dark, round(contrast(*theme.dark), 1)),
        ]
        is_own = is_color(color.strip())
        context = {"form": form, "shown": shown, "is_own": is_own, "default": DEFAULT_COLOR, "theme": theme}
        context["changes"] = [
            {"change": one, "values": [(setting_label(value.name), value) for value in one.values]}
            for one in api.fetch_setting_changes(school=self.school)
        ]
        return self.show(context, status=status)


class SignIn(SchoolPage):
    """The school's identity providers, their state, and what the university's administrator needs."""

    section = "sign-in"
    reads_with = Permission.MANAGE_SIGN_ON
    template_name = "program_enrollments/console/sign_in.html"

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        states = api.fetch_provider_states(school=self.school, now=timezone.now())
        context = {
            "providers": [(state, self.address("sign_on:start", state.slug)) for state in states],
            "drafts": api.fetch_metadata_drafts(school=self.school),
            "page_url": self.address("sign_on:school", self.school.key),
            "metadata_url": self.address("sign_on:metadata"),
        }
        return self.show(context)

    def address(self, name: str, *args: str) -> str:
        """Return the address of a sign-on page, "" where the host doesn't serve them."""
        try:
            return self.request.build_absolute_uri(reverse(name, args=args))
        except NoReverseMatch:
            return ""
