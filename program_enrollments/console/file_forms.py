"""File forms: choosing a file, and the filters of files and their lines."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from program_enrollments import api
from program_enrollments.conf import get_setting
from program_enrollments.console import file_words
from program_enrollments.console.forms import PlainForm, reason_field
from program_enrollments.console.wording import Text
from program_enrollments.data import JobKind, JobMode, JobState, ProgramStatus

ANY: list[tuple[str, Text]] = [("", gettext_lazy("any"))]
LEAVING = [(one.value, one.label) for one in (ProgramStatus.CANCELED, ProgramStatus.ENDED, ProgramStatus.SUSPENDED)]
API_WRITES = "api"


class MeaningForm(PlainForm):
    """What a file is about, and how it is meant: of one that is sent, and of those that a feed brings."""

    kind = forms.ChoiceField(
        label=gettext_lazy("What is the file about?"),
        choices=[*file_words.KINDS.items()],
        initial=JobKind.PROGRAM_ENROLLMENTS.value,
        widget=forms.RadioSelect,
    )
    mode = forms.ChoiceField(
        label=gettext_lazy("How is it meant?"),
        choices=[
            (JobMode.UPSERT.value, gettext_lazy("Add and update: learners who are not in the file stay as they are.")),
            (
                JobMode.SNAPSHOT.value,
                gettext_lazy("Snapshot: the file names everybody. Learners who are not in it leave."),
            ),
        ],
        initial=JobMode.UPSERT.value,
        widget=forms.RadioSelect,
    )
    leaving_status = forms.ChoiceField(
        label=gettext_lazy("Learners who leave become"),
        choices=LEAVING,
        required=False,
        help_text=gettext_lazy("For snapshots of the program only. Learners who leave a course become inactive there."),
    )
    cascade = forms.BooleanField(
        label=gettext_lazy("Leaving the program also ends their courses in it"), required=False, initial=True
    )

    def leaving_as(self) -> ProgramStatus:
        """Return what learners who leave become, of a valid form."""
        return ProgramStatus(self.cleaned_data["leaving_status"] or ProgramStatus.CANCELED)


class UploadForm(MeaningForm):
    """A file, what it is about, and how it is meant."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        allow_empty_file=True,
        help_text=gettext_lazy("CSV with the columns' names on line 1. In a spreadsheet: File, Save as, CSV UTF-8."),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,text/csv,text/tab-separated-values"}),
        error_messages={"required": gettext_lazy("Choose the file first.")},
    )

    def clean_file(self) -> Any:
        sent = self.cleaned_data["file"]
        limit = get_setting("MAX_FILE_BYTES")
        if sent.size > limit:
            text = _("The file is larger than %(limit)s. Send it in parts, or ask the platform's operators.")
            raise forms.ValidationError(text % {"limit": filesizeformat(limit)})
        return sent

    def options(self) -> api.UploadOptions:
        """Return what a valid form asks for, as a dry run: nothing is written before somebody has looked."""
        data = self.cleaned_data
        is_program = data["kind"] == JobKind.PROGRAM_ENROLLMENTS
        return api.UploadOptions(
            mode=JobMode(data["mode"]),
            dry_run=True,
            cascade=is_program and data["cascade"],
            leaving_status=self.leaving_as(),
        )


class HistoryForm(PlainForm):
    """The filters of a program's files and writes."""

    kind = forms.ChoiceField(
        label=gettext_lazy("What"),
        required=False,
        choices=[*ANY, *file_words.ALL_KINDS.items(), (API_WRITES, gettext_lazy("Writes through the API"))],
    )
    state = forms.ChoiceField(
        label=gettext_lazy("State"),
        required=False,
        choices=[*ANY, *((state.value, file_words.STATES[state.value]) for state in JobState)],
    )

    def filters(self) -> api.HistoryFilters:
        """Return the filters of a valid form."""
        return api.HistoryFilters(self.cleaned_data["kind"] or None, self.cleaned_data["state"] or None)


class RowFilterForm(PlainForm):
    """The filters of a file's lines."""

    word = forms.ChoiceField(label=gettext_lazy("What happens"), required=False)
    changed = forms.ChoiceField(
        label=gettext_lazy("Changed"),
        required=False,
        choices=[*ANY, ("true", gettext_lazy("yes")), ("false", gettext_lazy("no"))],
    )

    def __init__(self, *args: Any, words: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["word"].choices = [*ANY, *file_words.word_choices(words)]  # type: ignore[attr-defined]

    def filters(self) -> api.JobRowFilters:
        """Return the filters of a valid form."""
        changed = {"true": True, "false": False}.get(self.cleaned_data["changed"])
        return api.JobRowFilters(word=self.cleaned_data["word"] or None, changed=changed)


class DecisionForm(PlainForm):
    """Why a file is canceled or resumed."""

    reason = reason_field()


class ApprovalForm(DecisionForm):
    """Why a held file is approved, and which removals were looked at."""

    effects = forms.CharField(widget=forms.HiddenInput, max_length=64)
    removals = forms.ChoiceField(choices=[("true", ""), ("false", "")])
