"""Answers kept for repeated requests. To be seen, not read: an answer may name students."""

from __future__ import annotations

from django.contrib import admin

from program_enrollments.admin.large_tables import ViewOnlyAdmin
from program_enrollments.models import KeptAnswer


@admin.register(KeptAnswer)
class KeptAnswerAdmin(ViewOnlyAdmin):
    """Who sent which key when, and until when its answer is kept."""

    list_display = ["key", "user", "school", "status", "started_at", "expires_at"]
    list_prefetch_related = ("user", "school")
    fields = ["key", "user", "school", "status", "started_at", "expires_at", "fingerprint"]
