"""Forms of corrections: always the reason, sometimes an account or a status."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from program_enrollments.data import CourseStatus, ProgramStatus

MAX_REASON_LENGTH = 500
MAX_ID = 2**63 - 1


class ReasonForm(forms.Form):
    """A reason. It is stored in the ledger, which outlives the records of the person."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=MAX_REASON_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60, "class": "vLargeTextField"}),
        help_text=_("Kept in the ledger for good, and seen by the school. Say what you checked; name no persons."),
    )


class OptionalReasonForm(ReasonForm):
    """A reason that can be left out, for corrections that do no harm."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = False


class AccountForm(ReasonForm):
    """An account of the host, and the reason why it is this learner's."""

    account = forms.CharField(
        label=_("Account"),
        max_length=255,
        help_text=_("The username, or the user ID with # before it, such as #42."),
        widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"}),
    )
    field_order = ["account", "reason"]

    def clean_account(self) -> int:
        """Return the ID of the user that the text names."""
        text: str = self.cleaned_data["account"]
        users = get_user_model()._default_manager
        number = text.removeprefix("#").strip()
        if text.startswith("#") and number.isdecimal() and int(number) <= MAX_ID:
            found = users.filter(pk=int(number))
        else:
            found = users.filter(**{get_user_model().USERNAME_FIELD: text})
        user = found.first()
        if user is None:
            raise ValidationError(
                _("There is no such account. Check the spelling; a user ID is written with # before it."),
                code="unknown",
            )
        return int(user.pk)


class ProgramStatusForm(ReasonForm):
    """A status for enrollments in programs."""

    status = forms.ChoiceField(label=_("Status"), choices=ProgramStatus.choices)
    cascade = forms.BooleanField(
        label=_("Also make their course enrollments in the program inactive"),
        required=False,
        help_text=_("Only with suspended, canceled or ended. Seats that this app gave are taken back."),
    )
    field_order = ["status", "cascade", "reason"]


class CourseStatusForm(ReasonForm):
    """A status for enrollments in course runs, and the course staff role."""

    STAFF = {"": None, "true": True, "false": False}

    status = forms.ChoiceField(label=_("Status"), choices=CourseStatus.choices)
    course_staff = forms.ChoiceField(
        label=_("Course staff role"),
        required=False,
        choices=[
            ("", _("Leave it as it is")),
            ("true", _("Grant it")),
            ("false", _("Take it back, if this app gave it")),
        ],
    )
    field_order = ["status", "course_staff", "reason"]

    def clean_course_staff(self) -> bool | None:
        """Return whether to give or to take back the role; None leaves it."""
        return self.STAFF[self.cleaned_data["course_staff"]]
