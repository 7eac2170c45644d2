"""Feeds, view only: schools and operators change them in the console."""

from __future__ import annotations

from django.contrib import admin

from program_enrollments.admin.large_tables import ViewOnlyAdmin
from program_enrollments.models import Feed, FeedFile, FeedHoliday, FeedLook


@admin.register(Feed)
class FeedAdmin(ViewOnlyAdmin):
    """Where a school's files come from, and what they mean."""

    list_display = ["__str__", "school", "program", "kind", "mode", "is_active", "received_at"]
    list_prefetch_related = ("school", "program")
    list_filter = ["is_active", "kind"]
    fields = [
        "school",
        "program",
        "kind",
        "mode",
        "leaving_status",
        "cascade",
        "folder",
        "pattern",
        "expected_days",
        "expected_at",
        "expected_since",
        "is_active",
        "received_at",
        "changed_at",
        "changed_by_id",
    ]


@admin.register(FeedLook)
class FeedLookAdmin(ViewOnlyAdmin):
    """Whether the folders of schools can be used, and since when not."""

    list_display = ["school", "looked_at", "failing_since", "problem"]
    list_prefetch_related = ("school",)
    fields = ["school", "looked_at", "failing_since", "problem"]


@admin.register(FeedFile)
class FeedFileAdmin(ViewOnlyAdmin):
    """The files of the last weeks."""

    list_display = ["path", "feed", "state", "job", "modified_at", "decided_at", "problem"]
    list_prefetch_related = ("feed", "job")
    fields = [
        "feed",
        "path",
        "size",
        "modified_at",
        "seen_at",
        "state",
        "job",
        "problem",
        "decided_at",
        "moved_at",
        "kept_path",
        "delete_at",
    ]


@admin.register(FeedHoliday)
class FeedHolidayAdmin(ViewOnlyAdmin):
    """Days on which no file of a school is expected."""

    list_display = ["school", "first_day", "last_day"]
    list_prefetch_related = ("school",)
    fields = ["school", "first_day", "last_day"]
