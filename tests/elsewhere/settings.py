"""Settings of that host. Django's `default` is no database there: whoever uses it gets ImproperlyConfigured."""

from __future__ import annotations

import os
from typing import Any

from demo_lms.settings import *  # noqa: F403

DATABASES = {
    "default": {},
    "ours": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["STORY_DATABASE"],
        "OPTIONS": {"transaction_mode": "IMMEDIATE"},
    },
}
DATABASE_ROUTERS = ["tests.elsewhere.settings.Ours"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


class Ours:
    """Sends everything to the one database there is."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "ours"

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return "ours"
