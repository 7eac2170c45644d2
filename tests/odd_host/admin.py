"""The pages of accounts, which other pages choose accounts on."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth import get_user_model


@admin.register(get_user_model())
class AccountAdmin(admin.ModelAdmin):
    search_fields = [get_user_model().USERNAME_FIELD]
