"""The app's own bookkeeping, view only: kept answers, and each feed's last position."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from program_enrollments.admin.large_tables import PlumbingAdmin
from program_enrollments.models import KeptAnswer, LedgerPosition, Program


@admin.register(KeptAnswer)
class KeptAnswerAdmin(PlumbingAdmin):
    """The requests with an idempotency key: who sent the key, when, and when its answer expires.

    The answer is not shown, because it can name students.
    """

    list_display = ["key", "user", "school", "status", "started_at", "expires_at"]
    list_prefetch_related = ("user", "school")
    fields = ["key", "user", "school", "status", "started_at", "expires_at", "fingerprint"]


@admin.register(LedgerPosition)
class LedgerPositionAdmin(PlumbingAdmin):
    """The last position of each program's feed."""

    list_display = ["program", "last_position"]
    fields = ["program", "last_position"]
    readonly_fields = ["program"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[LedgerPosition]:
        title = Subquery(Program.objects.filter(pk=OuterRef("pk")).values("title")[:1])
        positions: QuerySet[LedgerPosition] = super().get_queryset(request).annotate(program_title=title)
        return positions

    @admin.display(description=_("program"))
    def program(self, position: Any) -> str:
        return position.program_title or f"#{position.pk}"
