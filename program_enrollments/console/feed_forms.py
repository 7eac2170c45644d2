"""Feed forms: what a feed's files are and when they are expected, and days on which none is."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from program_enrollments import api
from program_enrollments.console.file_forms import MeaningForm
from program_enrollments.console.forms import PlainForm
from program_enrollments.console.wording import Text
from program_enrollments.data import JobKind, JobMode

WEEKDAYS: list[tuple[int, Text]] = [
    (1, gettext_lazy("Monday")),
    (2, gettext_lazy("Tuesday")),
    (3, gettext_lazy("Wednesday")),
    (4, gettext_lazy("Thursday")),
    (5, gettext_lazy("Friday")),
    (6, gettext_lazy("Saturday")),
    (7, gettext_lazy("Sunday")),
]
WORKING_DAYS = (1, 2, 3, 4, 5)


class FeedForm(MeaningForm):
    """A feed: program, kind, folder and pattern, mode, days and hour."""

    program = forms.ChoiceField(
        label=gettext_lazy("Program"),
        help_text=gettext_lazy("A file cannot say which program it is about, so each program has a feed of its own."),
    )
    folder = forms.CharField(
        label=gettext_lazy("Folder below your own"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    pattern = forms.CharField(
        label=gettext_lazy("Names of the files"),
        max_length=100,
        initial="*.csv",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy("* stands for any text: mds-program-*.csv takes mds-program-2026-11-28.csv."),
    )
    days = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Expected on"),
        required=False,
        coerce=int,
        choices=WEEKDAYS,
        initial=WORKING_DAYS,
        widget=forms.CheckboxSelectMultiple,
    )
    hour = forms.TimeField(
        label=gettext_lazy("Expected until"),
        initial="06:00",
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )

    def __init__(self, *args: Any, programs: Iterable[api.Program], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(str(one.uuid), one.title) for one in programs]
        self.fields["program"].choices = choices  # type: ignore[attr-defined]
        self.fields["kind"].label = _("What are the files about?")
        self.fields["mode"].label = _("How are they meant?")

    def plan(self) -> api.FeedPlan:
        """Return what a valid form asks for."""
        data = self.cleaned_data
        return api.FeedPlan(
            program_uuid=UUID(data["program"]),
            kind=JobKind(data["kind"]),
            mode=JobMode(data["mode"]),
            leaving_status=self.leaving_as(),
            cascade=data["cascade"],
            folder=data["folder"],
            pattern=data["pattern"],
            expected_days=frozenset(data["days"]),
            expected_at=data["hour"],
        )


def initial_of(feed: Any) -> dict[str, Any]:
    """Return what the form of a feed begins with."""
    return {
        "program": str(feed.program.uuid) if feed.program is not None else "",
        "kind": feed.kind,
        "folder": feed.folder,
        "pattern": feed.pattern,
        "mode": feed.mode,
        "leaving_status": feed.leaving_status,
        "cascade": feed.cascade,
        "days": api.days_of(feed.expected_days),
        "hour": feed.expected_at,
    }


def word_days(days: Collection[int]) -> str:
    """Return the names of weekdays as a list."""
    return ", ".join(str(name) for day, name in WEEKDAYS if day in days)


class HolidayForm(PlainForm):
    """Days on which no file is expected."""

    first_day = forms.DateField(
        label=gettext_lazy("First day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    last_day = forms.DateField(
        label=gettext_lazy("Last day"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=gettext_lazy("Empty for one day."),
    )
