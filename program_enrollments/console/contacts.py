"""Contacts: who is mailed at a school when something needs a person (docs/mails.rst)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from program_enrollments import api
from program_enrollments.console.base import SchoolPage
from program_enrollments.console.forms import PlainForm, refuse
from program_enrollments.data import Permission
from program_enrollments.exceptions import ContactRefused


class ContactForm(PlainForm):
    """A new contact: address, language, and how often."""

    email = forms.EmailField(label=gettext_lazy("E-mail address"), max_length=255)
    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        required=False,
        choices=lambda: [("", gettext_lazy("the platform's own")), *settings.LANGUAGES],
    )
    is_daily = forms.BooleanField(
        label=gettext_lazy("One mail a day, at seven in the morning, with everything"), required=False
    )


class Contacts(SchoolPage):
    """The contacts, and adding one."""

    section = "contacts"
    reads_with = Permission.MANAGE_SCHOOL
    template_name = "program_enrollments/console/contacts.html"

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self.answer(ContactForm())

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        form = ContactForm(request.POST)
        if not form.is_valid():
            return self.answer(form, status=400)
        try:
            api.add_contact(access=self.access, school=self.school, now=timezone.now(), **form.cleaned_data)
        except ContactRefused as error:
            refuse(form, error.detail, field="email")
            return self.answer(form, status=400)
        return self.go(self.page_url, message=_("The contact is added. Mails go there from now on."))

    def answer(self, form: ContactForm, *, status: int = 200) -> HttpResponse:
        """Show the page."""
        languages = dict(settings.LANGUAGES)
        contacts = [(one, languages.get(one.language, one.language)) for one in api.fetch_contacts(school=self.school)]
        return self.show({"contacts": contacts, "form": form}, status=status)

    @property
    def page_url(self) -> str:
        """The address of the list."""
        return reverse("console:contacts", args=[self.school.key])


class ContactRemoval(Contacts):
    """Removing a contact."""

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self.go(self.page_url)

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        is_meant = request.POST.get("action") == "remove"
        if not is_meant or not api.remove_contact(
            access=self.access, school=self.school, contact_id=kwargs["contact"], now=timezone.now()
        ):
            raise Http404
        return self.go(self.page_url, message=_("The contact is removed. It gets no more mails."))
