"""The pages of accounts, which other pages choose accounts on; and those of another app, which calls them members."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth import get_user_model

from tests.odd_host.models import Member


@admin.register(get_user_model())
class AccountAdmin(admin.ModelAdmin):
    search_fields = [get_user_model().USERNAME_FIELD]


@admin.register(Member)
class MemberAdmin(admin.ModelAdmin):
    fields = ["contact_email"]
