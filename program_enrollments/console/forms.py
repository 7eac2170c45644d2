"""Forms of the console: filters in the URL, and what changes something."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.formats import localize
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from program_enrollments.api import ChangeFilters
from program_enrollments.data import (
    ChangeKind,
    CourseStatus,
    LearnerFilters,
    LearnerState,
    ProgramStatus,
    Source,
    Verb,
)

MAX_REASON = 500
MAX_CHOSEN = 1_000
STATES = [(state.value, state.label) for state in (LearnerState.IN, LearnerState.WAITING, LearnerState.HELP)]
Choices = Sequence[tuple[str, str | Promise]]


def _with_any(choices: Choices) -> list[tuple[str, str | Promise]]:
    return [("", _("any")), *choices]


class PlainForm(forms.Form):
    """A form whose fields are shown one by one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})


def _date(label: str | Promise) -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, required=False, widget=widget)  # type: ignore[arg-type]


class SearchForm(PlainForm):
    """A form with a search box; `/` leads to it."""

    q = forms.CharField(
        label=_("Search"),
        required=False,
        max_length=255,
        widget=forms.TextInput(
            attrs={
                "type": "search",
                "data-search": "",
                "autocomplete": "off",
                "aria-keyshortcuts": "/",
                "placeholder": _("Student ID, e-mail or username"),
            }
        ),
    )


class CourseField(forms.ChoiceField):
    """A course run. Which ones there are is known only once the list is read."""

    def valid_value(self, value: object) -> bool:
        return True


class LearnerFilterForm(SearchForm):
    """The filters of a program's learners."""

    statuses: Choices = ProgramStatus.choices

    status = forms.ChoiceField(label=_("Status"), required=False)
    state = forms.ChoiceField(label=_("Account"), required=False, choices=_with_any(STATES))
    course: forms.ChoiceField | None = CourseField(label=_("Active in the course"), required=False)
    since = _date(_("Changed since"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["status"].choices = _with_any(self.statuses)  # type: ignore[attr-defined]

    def offer(self, courses: Choices) -> None:
        """Let people choose among course runs. The form becomes invalid if it names another one."""
        field, wanted = self.fields.get("course"), self.cleaned_data.get("course")
        if not isinstance(field, forms.ChoiceField):
            return
        field.choices = _with_any(courses)
        if wanted and wanted not in dict(courses):
            message = field.error_messages["invalid_choice"]
            self.add_error("course", forms.ValidationError(message, code="invalid_choice", params={"value": wanted}))
        elif not courses:
            del self.fields["course"]

    def filters(self) -> LearnerFilters:
        """Return the filters of a valid form."""
        data = self.cleaned_data
        return LearnerFilters(
            words=data["q"],
            status=data["status"] or None,
            state=data["state"] or None,
            modified_since=start_of(data["since"]),
            course_id=data.get("course") or None,
        )

    def described(self) -> list[tuple[str | Promise, str]]:
        """Return which filters are set, as a page shows them: the label of each, and its value."""
        shown: list[tuple[str | Promise, str]] = []
        for name, field in self.fields.items():
            if value := self.cleaned_data.get(name):
                words = dict(getattr(field, "choices", ()))
                shown.append((field.label or "", str(words.get(value) or localize(value))))
        return shown

    def used(self) -> list[str]:
        """Return which filters are set, fit for a record: of a search, only that there is one."""
        data = self.cleaned_data
        named = [f"{name}={data[name]}" for name in ("status", "state", "course", "since") if data.get(name)]
        return [*(["search"] if data["q"] else []), *named]


class RosterFilterForm(LearnerFilterForm):
    """The filters of a course run's learners."""

    statuses = CourseStatus.choices
    course = None


class ChangeFilterForm(SearchForm):
    """The filters of a program's changes."""

    kind = forms.ChoiceField(label=_("What changed"), required=False, choices=_with_any(ChangeKind.choices))
    source = forms.ChoiceField(label=_("Came through"), required=False, choices=_with_any(Source.choices))
    since = _date(_("From"))
    until = _date(_("To"))

    def filters(self) -> ChangeFilters:
        """Return the filters of a valid form; days are those of the viewer's time zone."""
        data = self.cleaned_data
        until = data["until"]
        return ChangeFilters(
            words=data["q"],
            kind=data["kind"] or None,
            source=data["source"] or None,
            since=start_of(data["since"]),
            until=start_of(until + timedelta(days=1)) if until else None,
        )


class AwayForm(PlainForm):
    """Who has been away for how many days."""

    days = forms.IntegerField(label=_("Away for at least … days"), required=False, min_value=1, max_value=3650)


def start_of(day: Any) -> datetime | None:
    """Return when a day begins in the viewer's time zone; None for none."""
    return None if day is None else timezone.make_aware(datetime.combine(day, time.min))


def reason_field(*, required: bool = True) -> forms.CharField:
    """Return the field of a reason, which the ledger keeps."""
    return forms.CharField(
        label=_("Reason"),
        required=required,
        max_length=MAX_REASON,
        help_text=_("It is kept with the change. Don't name other people."),
    )


class ChosenForm(PlainForm):
    """Learners who were chosen, and the status that they are to get."""

    statuses: Choices = ProgramStatus.choices

    learner = forms.TypedMultipleChoiceField(coerce=int)
    status = forms.ChoiceField(label=_("New status"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["status"].choices = self.statuses  # type: ignore[attr-defined]
        sent: list[str] = self.data.getlist("learner")  # type: ignore[attr-defined]
        chosen = [one for one in sent if one.isascii() and one.isdecimal()][:MAX_CHOSEN]
        self.fields["learner"].choices = [(one, one) for one in chosen]  # type: ignore[attr-defined]
        self.fields["learner"].error_messages["required"] = _("Choose at least one learner.")


class EverybodyForm(PlainForm):
    """A status for all learners that a filter finds, and the digest of the learners in the preview."""

    statuses: Choices = ProgramStatus.choices

    status = forms.ChoiceField(label=_("New status"))
    cascade = forms.BooleanField(required=False)
    expected = forms.CharField(required=False, max_length=64)

    def __init__(self, *args: Any, statuses: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["status"].choices = statuses  # type: ignore[attr-defined]


class ProgramChosenForm(ChosenForm):
    """The same for a program."""

    cascade = forms.BooleanField(
        label=_("Leaving also ends their courses in this program"), required=False, initial=True
    )


class CourseChosenForm(ChosenForm):
    """The same for a course run."""

    statuses = CourseStatus.choices


class ReasonForm(PlainForm):
    """Why something is done."""

    reason = reason_field()


class PasteForm(PlainForm):
    """Learners to be added, one a line."""

    statuses: Choices = ProgramStatus.choices

    lines = forms.CharField(
        label=_("Learners, one per line"),
        max_length=1_000_000,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "autocomplete": "off"}),
        help_text=_(
            "A student ID, an e-mail address, or both, separated by a comma, semicolon or tab. Cells copied from a "
            "spreadsheet work. A status at the end of a line counts for that line."
        ),
    )
    status = forms.ChoiceField(label=_("Status"))
    verb = forms.ChoiceField(
        label=_("Learners who are there already"),
        choices=[(Verb.CREATE.value, _("leave as they are")), (Verb.UPSERT.value, _("get this status, too"))],
    )
    reason = reason_field(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["status"].choices = self.statuses  # type: ignore[attr-defined]


class ProgramPasteForm(PasteForm):
    """Learners to be added to a program, in one of its curricula."""

    curriculum = forms.ChoiceField(label=_("Curriculum"))

    def __init__(self, *args: Any, curricula: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["curriculum"].choices = curricula  # type: ignore[attr-defined]
        if len(curricula) < 2:
            self.fields["curriculum"].widget = forms.HiddenInput()
            self.fields["curriculum"].required = False

    def clean_curriculum(self) -> str:
        value: str = self.cleaned_data["curriculum"]
        return value or next((uuid for uuid, _label in self.fields["curriculum"].choices), "")  # type: ignore[attr-defined]


class CoursePasteForm(PasteForm):
    """Learners to be added to a course run."""

    statuses = CourseStatus.choices
    course_staff = forms.BooleanField(label=_("They teach: give them the course staff role"), required=False)


def refuse(form: forms.Form, message: str | Promise, *, field: str | None = None) -> None:
    """Let a form say why what it asked for was not done."""
    form.add_error(field, ValidationError(str(message)))
