"""The ledger, view only: every change writes its own entries."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from program_enrollments.admin.filters import ProgramFilter, SchoolOfProgramFilter
from program_enrollments.admin.large_tables import AnyQuerySet, ViewOnlyAdmin
from program_enrollments.admin.pages import change_page
from program_enrollments.admin.search import ENROLLMENT_HELP, search_enrollments
from program_enrollments.models import Learner, LedgerEntry


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ViewOnlyAdmin):
    """Changes, with the user, the time and the reason. The rows that an entry names may be gone."""

    # Without the learner: it may be gone, and the entry has its key.
    list_prefetch_related = ("program", "course_run")
    list_display = [
        "at",
        "student_key",
        "kind",
        "program",
        "course_run",
        "before",
        "after",
        "source",
        "actor",
        "reason",
    ]
    list_filter = [SchoolOfProgramFilter, ProgramFilter]
    search_fields = ["student_key"]  # shows the box; what it does is in get_search_results
    search_help_text = ENROLLMENT_HELP
    fields = [
        "at",
        "learner_page",
        "kind",
        "program",
        "course_run",
        "before",
        "after",
        "source",
        "actor",
        "reason",
        "request_id",
        "job_id",
        "position",
    ]
    readonly_fields = ["learner_page", "actor"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[LedgerEntry]:
        users = get_user_model()._default_manager.filter(pk=OuterRef("actor_id"))
        username = Subquery(users.values(get_user_model().USERNAME_FIELD)[:1])
        entries: QuerySet[LedgerEntry] = super().get_queryset(request).annotate(actor_username=username)
        return entries

    @admin.display(description=_("actor"))
    def actor(self, entry: Any) -> str:
        """The username, or the user ID of an account that is gone."""
        if entry.actor_id is None:
            return ""
        return entry.actor_username or f"#{entry.actor_id}"

    @admin.display(description=_("learner"))
    def learner_page(self, entry: LedgerEntry) -> str:
        """The student ID as recorded, with a link to the learner unless that record is gone."""
        if not Learner.objects.filter(pk=entry.learner_id).exists():
            return entry.student_key
        url = change_page(self.admin_site, Learner(pk=entry.learner_id))
        return format_html('<a href="{}">{}</a>', url, entry.student_key)

    def get_search_results(
        self, request: HttpRequest, queryset: AnyQuerySet, search_term: str
    ) -> tuple[AnyQuerySet, bool]:
        return search_enrollments(queryset=queryset, text=search_term), False
