"""Webhooks: the addresses of a school's own software that get messages (docs/webhooks.rst)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from program_enrollments import api
from program_enrollments.console.base import SchoolPage
from program_enrollments.console.forms import PlainForm, refuse
from program_enrollments.data import Page, Permission, WebhookEvent
from program_enrollments.exceptions import WebhookRefused
from program_enrollments.pages.tables import Column, Table


class EndpointForm(PlainForm):
    """The address of a new endpoint."""

    url = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=1_000,
        help_text=gettext_lazy("It must begin with https://, such as https://sis.example.edu/hooks."),
        widget=forms.TextInput(attrs={"type": "url", "autocomplete": "off", "spellcheck": "false"}),
    )


class Webhooks(SchoolPage):
    """The endpoints, the last messages, and adding an endpoint."""

    section = "webhooks"
    reads_with = Permission.MANAGE_SCHOOL
    template_name = "program_enrollments/console/webhooks.html"

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self.answer(EndpointForm())

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        form = EndpointForm(request.POST)
        if not form.is_valid():
            return self.answer(form, status=400)
        try:
            added = api.add_endpoint(
                access=self.access, school=self.school, url=form.cleaned_data["url"], now=timezone.now()
            )
        except WebhookRefused as error:
            refuse(form, error.message, field="url")
            return self.answer(form, status=400)
        return self.answer(EndpointForm(), added=added)

    def answer(self, form: EndpointForm, *, added: api.EndpointSecret | None = None, status: int = 200) -> HttpResponse:
        """Show the page, with a new secret if there is one: it is shown only now."""
        webhooks = api.fetch_webhooks(school=self.school)
        rows = [_describe(message) for message in webhooks.messages]
        columns = [
            Column(name="event", label=_("Message"), note=lambda row: row["program"]),
            Column(name="url", label=_("Address"), kind="code"),
            Column(name="created_at", label=_("Written"), kind="time"),
            Column(
                name="state",
                label=_("State"),
                tone=lambda row: "good" if row["is_delivered"] else "bad" if row["problem"] else "wait",
                note=lambda row: row["problem"],
            ),
            Column(name="tries", label=_("Tries"), kind="number"),
        ]
        table = Table(caption=_("Last messages"), columns=columns, page=Page(rows), query=self.request.GET)
        context = {"endpoints": webhooks.endpoints, "table": table, "form": form, "added": added}
        return self.show(context, status=status)


class EndpointAction(Webhooks):
    """What can be done with one endpoint: a test, a new secret, switching it on or off, removing it."""

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self.go(self.page_url)

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        endpoint = int(kwargs["endpoint"])
        action, now = request.POST.get("action"), timezone.now()
        if action == "rotate":
            return self.answer(
                EndpointForm(),
                added=api.rotate_secret(access=self.access, school=self.school, endpoint_id=endpoint, now=now),
            )
        if action == "test":
            try:
                api.send_test(school=self.school, endpoint_id=endpoint, now=now)
            except WebhookRefused as error:
                return self.go(self.page_url, message=error.message, level=messages.ERROR)
            return self.go(
                self.page_url, message=_("A test message is on its way. Reload in a moment to see its state.")
            )
        if action in {"on", "off"}:
            api.switch_endpoint(
                access=self.access, school=self.school, endpoint_id=endpoint, is_active=action == "on", now=now
            )
            text = (
                _("The endpoint gets messages again.") if action == "on" else _("The endpoint gets no more messages.")
            )
            return self.go(self.page_url, message=text)
        if action == "remove":
            api.remove_endpoint(access=self.access, school=self.school, endpoint_id=endpoint, now=now)
            return self.go(self.page_url, message=_("The endpoint is removed."))
        raise Http404

    @property
    def page_url(self) -> str:
        """The address of the list."""
        return reverse("console:webhooks", args=[self.school.key])


def _describe(message: Any) -> dict[str, Any]:
    is_delivered = message.delivered_at is not None
    return {
        "event": WebhookEvent(message.event).label,
        "program": message.program.title if message.program is not None else "",
        "url": message.endpoint.url,
        "created_at": message.created_at,
        "is_delivered": is_delivered,
        "problem": "" if is_delivered else message.problem,
        "state": _("delivered") if is_delivered else _("not delivered yet") if message.problem else _("waits"),
        "tries": message.tries,
    }
