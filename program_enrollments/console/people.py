"""People: access to a school, given and taken, invitations, and who looked at personal data."""

from __future__ import annotations

import logging
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.mail import send_mail
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from program_enrollments import api
from program_enrollments.console.base import ConsolePage, SchoolPage
from program_enrollments.console.forms import Choices, PlainForm, reason_field, refuse
from program_enrollments.data import BUNDLES, SCHOOL_PERMISSIONS, Bundle, Permission
from program_enrollments.exceptions import AccessRefused
from program_enrollments.failures import describe_failure
from program_enrollments.pages.access_mails import mail_acceptance, mail_access_change
from program_enrollments.pages.tables import Column, Table

logger = logging.getLogger(__name__)
MOST_PROGRAMS = 200
WHOLE_SCHOOL = ""


class AccessForm(PlainForm):
    """Who gets which permissions, and where."""

    person = forms.CharField(
        label=gettext_lazy("Username or e-mail address"),
        max_length=255,
        help_text=gettext_lazy("An address that no account has gets an invitation by e-mail."),
    )
    bundle = forms.ChoiceField(label=gettext_lazy("May act as"), choices=Bundle.choices)
    program = forms.ChoiceField(label=gettext_lazy("Where"), required=False)
    extra = forms.MultipleChoiceField(
        label=gettext_lazy("May also"),
        required=False,
        choices=[(word.value, word.label) for word in SCHOOL_PERMISSIONS],
        widget=forms.CheckboxSelectMultiple,
    )
    reason = reason_field(required=False)

    def __init__(self, *args: Any, programs: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        places = [(WHOLE_SCHOOL, _("the whole school")), *programs]
        self.fields["program"].choices = places  # type: ignore[attr-defined]

    def permissions(self) -> frozenset[str]:
        """Return the permissions of a valid form."""
        return BUNDLES[self.cleaned_data["bundle"]] | frozenset(self.cleaned_data["extra"])


class PeoplePage(SchoolPage):
    """Who has access to the school and its programs."""

    section = "people"
    reads_with = Permission.MANAGE_ACCESS
    template_name = "program_enrollments/console/people.html"

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self.answer(self.make_form())

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        form = self.make_form(request.POST)
        if not form.is_valid():
            return self.answer(form, status=400)
        person, place = form.cleaned_data["person"].strip(), form.cleaned_data["program"]
        program = next((one for one in self.programs() if str(one.uuid) == place), None)
        try:
            message = self.give(form, person=person, program=program)
        except AccessRefused as error:
            refuse(form, error.message, field="person")
            return self.answer(form, status=400)
        return self.go(request.path, message=message)

    def give(self, form: AccessForm, *, person: str, program: api.Program | None) -> str:
        """Give an account access, or invite an address that no account has; return what to say."""
        try:
            user_id = api.find_account(text=person)
        except AccessRefused:
            if "@" not in person:
                raise
            return self.invite(form, email=person, program=program)
        change = api.change_access(
            access=self.access,
            school=self.school,
            program=program,
            user_id=user_id,
            permissions=form.permissions(),
            reason=form.cleaned_data["reason"],
            now=timezone.now(),
        )
        if change is not None:
            notify(self.request, change)
        return _("%(person)s has access now.") % {"person": person}

    def invite(self, form: AccessForm, *, email: str, program: api.Program | None) -> str:
        """Invite somebody by e-mail; return what to say."""
        invited = api.invite(
            access=self.access,
            school=self.school,
            program=program,
            email=email,
            permissions=form.permissions(),
            now=timezone.now(),
        )
        url = self.request.build_absolute_uri(reverse("console:invitation", args=[invited.token]))
        text = render_to_string(
            "program_enrollments/console/invitation.txt",
            {"school": self.school, "program": program, "url": url, "invitation": invited.invitation},
        )
        subject = _("Administer programs of %(school)s") % {"school": self.school.name}
        send_mail(" ".join(subject.split()), text, settings.DEFAULT_FROM_EMAIL, [email])
        return _("%(email)s is invited. The link in the mail works for a week.") % {"email": email}

    def programs(self) -> list[api.Program]:
        """Return the programs of the school."""
        return list(self.school.programs.order_by("title", "pk")[:MOST_PROGRAMS])

    def make_form(self, data: Any = None) -> AccessForm:
        """Return the form for another person."""
        return AccessForm(data, programs=[(str(one.uuid), one.title) for one in self.programs()])

    def answer(self, form: AccessForm, *, status: int = 200) -> HttpResponse:
        """Show everybody, with the form as it is filled in."""
        people = api.fetch_people(school=self.school)
        context = {
            "form": form,
            "people": [_show_person(person) for person in people.people],
            "clients": people.clients,
            "records": [{**_words(record.given, record.taken), "record": record} for record in people.records],
            "invitations": api.fetch_open_invitations(school=self.school, now=timezone.now()),
        }
        return self.show(context, status=status)


def _show_person(person: api.Person) -> dict[str, Any]:
    bundle = str(Bundle(person.bundle).label) if person.bundle else ""
    return {
        "person": person,
        "bundle": bundle,
        "extra": [str(Permission(word).label) for word in person.extra],
        "place": person.program.title if person.program is not None else _("the whole school"),
    }


def _words(given: Any, taken: Any) -> dict[str, list[str]]:
    return {
        name: [str(Permission(word).label) for word in words if word in Permission.values]
        for name, words in (("given", given), ("taken", taken))
    }


class TakeAccess(SchoolPage):
    """Taking somebody's access to the school, or to one of its programs, away."""

    section = "people"
    reads_with = Permission.MANAGE_ACCESS

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self.go(reverse("console:people", args=[self.school.key]))

    def post(self, request: HttpRequest, user: int, **kwargs: Any) -> HttpResponse:
        place = request.POST.get("program", WHOLE_SCHOOL)
        program = next((one for one in self.school.programs.all() if str(one.uuid) == place), None)
        if place and program is None:
            raise Http404
        back = reverse("console:people", args=[self.school.key])
        try:
            change = api.change_access(
                access=self.access,
                school=self.school,
                program=program,
                user_id=user,
                permissions=(),
                reason=request.POST.get("reason", "")[:500],
                now=timezone.now(),
            )
        except AccessRefused as error:
            return self.go(back, message=error.message, level=messages.ERROR)
        if change is not None:
            notify(request, change)
        return self.go(back, message=_("The access is taken away.") if change else _("There was no access any more."))


class WithdrawInvitation(SchoolPage):
    """Withdrawing an invitation."""

    section = "people"
    reads_with = Permission.MANAGE_ACCESS

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self.go(reverse("console:people", args=[self.school.key]))

    def post(self, request: HttpRequest, invitation: int, **kwargs: Any) -> HttpResponse:
        withdrawn = api.withdraw_invitation(school=self.school, invitation_id=invitation, now=timezone.now())
        if withdrawn is None:
            raise Http404
        if withdrawn.expires_at > timezone.now():
            self.mail_withdrawal(withdrawn)
        return self.go(reverse("console:people", args=[self.school.key]), message=_("The invitation is withdrawn."))

    def mail_withdrawal(self, invitation: api.Invitation) -> None:
        """Tell who was invited; if that fails, the link does not work anyway."""
        text = render_to_string("program_enrollments/console/invitation_withdrawn.txt", {"school": self.school})
        subject = _("The invitation of %(school)s is withdrawn") % {"school": self.school.name}
        try:
            send_mail(" ".join(subject.split()), text, settings.DEFAULT_FROM_EMAIL, [invitation.email])
        except Exception as error:  # noqa: BLE001  (mail servers fail in many ways; the invitation is withdrawn already)
            logger.error("The withdrawal of an invitation could not be mailed: %s.", describe_failure(error))


def notify(request: HttpRequest, change: api.AccessChange) -> None:
    """Mail a change of access to whom it concerns."""
    mail_access_change(
        request,
        user_id=change.user_id,
        school=change.school,
        program=change.program,
        given=change.given,
        taken=change.taken,
    )


class AcceptInvitation(ConsolePage):
    """What somebody is invited to, and accepting it."""

    template_name = "program_enrollments/console/invitation.html"

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        return self.answer(token)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        try:
            accepted = api.accept_invitation(user=request.user, token=token, now=timezone.now())
        except AccessRefused as error:
            return self.answer(token, problem=error.message, status=403)
        mail_acceptance(request, invitation=accepted)
        return self.go(reverse("console:home"), message=_("Welcome. These are the programs you administer now."))

    def answer(self, token: str, *, problem: str = "", status: int = 200) -> HttpResponse:
        """Show the invitation."""
        invitation = api.get_invitation(token=token, now=timezone.now())
        self.frame.school = invitation.school
        words = [str(Permission(word).label) for word in invitation.permissions]
        return self.show({"invitation": invitation, "permissions_given": words, "problem": problem}, status=status)


class Disclosures(SchoolPage):
    """Who looked at or exported personal data of the school's learners."""

    section = "disclosures"
    reads_with = Permission.MANAGE_ACCESS
    template_name = "program_enrollments/console/disclosures.html"

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        page = api.fetch_disclosures(school=self.school, cursor=self.cursor, page_size=self.page_size)
        columns = [
            Column(name="at", label=_("When"), kind="time"),
            Column(name="actor", label=_("Who")),
            Column(name="page", label=_("What"), note=lambda row: row["program"]),
            Column(name="filters", label=_("Filters")),
            Column(name="rows", label=_("Rows"), kind="number"),
            Column(
                name="is_export",
                label=_("How"),
                show=lambda exported: _("downloaded") if exported else _("looked at"),
                tone=lambda row: "wait" if row["is_export"] else "quiet",
            ),
        ]
        return self.show({"table": Table(caption=_("Who looked"), columns=columns, page=page, query=request.GET)})
