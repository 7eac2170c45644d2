"""Metadata of identity providers: asked for by a link that works once, and compared before it counts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.core.mail import send_mail
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from program_enrollments import api
from program_enrollments.console.base import ConsolePage, SchoolPage
from program_enrollments.console.forms import PlainForm, refuse
from program_enrollments.data import Permission
from program_enrollments.exceptions import MetadataUnusable

MAX_METADATA = 200_000
TEMPLATES = "program_enrollments/console"


class RequestForm(PlainForm):
    """Who is asked for the metadata."""

    email = forms.EmailField(
        label=gettext_lazy("E-mail address of your identity provider's administrator"),
        max_length=255,
        help_text=gettext_lazy("They need no account here. The link works once, for three days."),
    )


class MetadataForm(PlainForm):
    """The metadata, as text."""

    metadata = forms.CharField(
        label=gettext_lazy("Metadata of your identity provider (XML)"),
        max_length=MAX_METADATA,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "false"}),
    )


def mail(template: str, *, subject: str, to: str, **context: Any) -> None:
    """Send a mail in plain text."""
    text = render_to_string(f"{TEMPLATES}/{template}.txt", context)
    send_mail(" ".join(subject.split()), text, settings.DEFAULT_FROM_EMAIL, [to])


class RequestMetadata(SchoolPage):
    """Asking for metadata by mail."""

    section = "sign-in"
    reads_with = Permission.MANAGE_SIGN_ON
    template_name = "program_enrollments/console/request_metadata.html"

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self.show({"form": RequestForm()})

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        form = RequestForm(request.POST)
        if not form.is_valid():
            return self.show({"form": form}, status=400)
        email = form.cleaned_data["email"]
        try:
            asked = api.request_metadata(access=self.access, school=self.school, email=email, now=timezone.now())
        except MetadataUnusable as error:
            refuse(form, error.message, field="email")
            return self.show({"form": form}, status=400)
        url = request.build_absolute_uri(reverse("console:metadata-link", args=[asked.token]))
        subject = _("Metadata of the identity provider of %(school)s") % {"school": self.school.name}
        mail("request_metadata", subject=subject, to=email, school=self.school, url=url, request=asked.request)
        text = _("%(email)s has been asked. You will get a mail when the metadata is here.") % {"email": email}
        return self.go(reverse("console:sign-in", args=[self.school.key]), message=text)


class MetadataLink(ConsolePage):
    """The page behind the link, on which metadata is pasted; it becomes a draft."""

    is_public = True
    template_name = "program_enrollments/console/metadata_link.html"

    def authorize(self) -> None:
        """Let everybody in who has the link; it opens nothing else."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        return self.answer(token, MetadataForm())

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        form = MetadataForm(request.POST)
        if not form.is_valid():
            return self.answer(token, form, status=400)
        try:
            sent = api.send_metadata(token=token, xml=form.cleaned_data["metadata"].encode(), now=timezone.now())
        except MetadataUnusable as error:
            refuse(form, error.message, field="metadata")
            return self.answer(token, form, status=400)
        self.frame.school = sent.school
        self.tell(sent)
        return self.show({"is_sent": True, "school": sent.school})

    def answer(self, token: str, form: MetadataForm, *, status: int = 200) -> HttpResponse:
        """Show the form."""
        asked = api.get_metadata_request(token=token, now=timezone.now())
        self.frame.school = asked.school
        return self.show({"form": form, "school": asked.school}, status=status)

    def tell(self, sent: Any) -> None:
        """Write to the person who asked, if they have an address."""
        user = get_user_model()._default_manager.filter(pk=sent.requested_by_id).first()
        address = getattr(user, user.get_email_field_name(), "") if user is not None else ""
        if address:
            url = self.request.build_absolute_uri(reverse("console:sign-in", args=[sent.school.key]))
            subject = _("The metadata of %(school)s is here") % {"school": sent.school.name}
            mail("metadata_sent", subject=subject, to=address, school=sent.school, url=url)


class MetadataDecision(SchoolPage):
    """Letting a draft count, or rejecting it, after it was compared."""

    section = "sign-in"
    reads_with = Permission.MANAGE_SIGN_ON

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self.go(reverse("console:sign-in", args=[self.school.key]))

    def post(self, request: HttpRequest, draft: int, **kwargs: Any) -> HttpResponse:
        back, now = reverse("console:sign-in", args=[self.school.key]), timezone.now()
        if "reject" in request.POST:
            api.reject_metadata_draft(access=self.access, school=self.school, request_id=draft, now=now)
            return self.go(back, message=_("The draft is rejected. Nothing has changed."))
        try:
            provider = api.activate_metadata(
                access=self.access,
                school=self.school,
                request_id=draft,
                slug=request.POST.get("slug", ""),
                id_attribute=request.POST.get("id_attribute", "")[:255],
                now=now,
            )
        except MetadataUnusable as error:
            return self.go(back, message=error.message, level=messages.ERROR)
        text = _("The metadata of “%(provider)s” counts now. Try the sign-on.") % {"provider": str(provider)}
        return self.go(back, message=text)
