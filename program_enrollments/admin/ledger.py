"""The ledger, view only: every change writes its own entries."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from program_enrollments import api
from program_enrollments.admin.filters import ProgramFilter, SchoolOfProgramFilter
from program_enrollments.admin.large_tables import AnyQuerySet, ViewOnlyAdmin
from program_enrollments.admin.pages import linked, viewable_page
from program_enrollments.admin.search import ENROLLMENT_HELP, search_enrollments
from program_enrollments.data import Source
from program_enrollments.models import Learner, LedgerEntry


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ViewOnlyAdmin):
    """Changes, with the user, the time and the reason. The rows that an entry names may be gone."""

    # Without the learner: it may be gone, and the entry has its key.
    list_prefetch_related = ("program", "course_run")
    list_display = ["at", "student_key", "what", "before_worded", "after_worded", "who", "reason"]
    list_filter = [SchoolOfProgramFilter, ProgramFilter]
    search_fields = ["student_key"]  # shows the box; what it does is in get_search_results
    search_help_text = ENROLLMENT_HELP
    fields = [
        "at",
        "learner_page",
        "what",
        "program",
        "course_run",
        "before_worded",
        "after_worded",
        "who",
        "reason",
        "request_id",
        "job_id",
        "position",
    ]
    readonly_fields = ["learner_page", "what", "before_worded", "after_worded", "who"]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        changelist.result_list = list(changelist.result_list)
        _put_into_words(changelist.result_list)
        return changelist

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        entry = super().get_object(request, object_id, from_field)
        if entry is not None:
            _put_into_words([entry])
            learner = Learner.objects.filter(pk=entry.learner_id).first()
            entry.learner_url = viewable_page(self.admin_site, request, learner) if learner is not None else ""
        return entry

    @admin.display(description=_("what"))
    def what(self, entry: Any) -> str:
        """The kind of change, and the program or course run concerned."""
        place = entry.course_run.course_id if entry.course_run else entry.program.title if entry.program else ""
        return format_html("{}<br>{}", entry.worded.what, place) if place else entry.worded.what

    @admin.display(description=_("before"))
    def before_worded(self, entry: Any) -> str:
        return str(entry.worded.before)

    @admin.display(description=_("after"))
    def after_worded(self, entry: Any) -> str:
        return str(entry.worded.after)

    @admin.display(description=_("who"))
    def who(self, entry: Any) -> str:
        """The username, or the user ID of an account that is gone, and the way that the change came."""
        source = str(Source(entry.source).label) if entry.source in Source.values else entry.source
        return format_html("{}<br>{}", entry.actor, source) if entry.actor else source

    @admin.display(description=_("learner"))
    def learner_page(self, entry: Any) -> str:
        """The student ID as recorded, with a link to the learner unless that record is gone."""
        return linked(entry.student_key, entry.learner_url)

    def get_search_results(
        self, request: HttpRequest, queryset: AnyQuerySet, search_term: str
    ) -> tuple[AnyQuerySet, bool]:
        return search_enrollments(queryset=queryset, text=search_term), False


def _put_into_words(entries: list[Any]) -> None:
    """Set `worded` and `actor` on each entry. One statement for all accounts that they name."""
    actors = {entry.actor_id for entry in entries if entry.actor_id is not None}
    named = api.find_named_accounts(value for entry in entries for value in (entry.before, entry.after))
    names = api.fetch_usernames(user_ids=actors | named)
    for entry in entries:
        entry.worded = api.word_change(kind=entry.kind, before=entry.before, after=entry.after, names=names)
        entry.actor = "" if entry.actor_id is None else names.get(entry.actor_id) or f"#{entry.actor_id}"
