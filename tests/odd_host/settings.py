"""Settings of a host with everything at once that is not as Django's defaults: its accounts, its numbers, a replica."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from test_settings import *  # noqa: F403
from test_settings import DATABASES as DATABASES_OF_ONE
from test_settings import INSTALLED_APPS as APPS
from test_settings import PROGRAM_ENROLLMENTS as OF_THE_DEMO

INSTALLED_APPS = [*APPS, "tests.odd_host"]
AUTH_USER_MODEL = "odd_host.Account"
PROGRAM_ENROLLMENTS = {**OF_THE_DEMO, "HOST": "tests.odd_host.host.OddHost"}

# 1.502 and 0,5 instead of 1502 and 0.5. In a language that the app has no catalog of, so that the stories read English.
LANGUAGE_CODE, LANGUAGES = "nl", [("nl", "Nederlands")]
USE_THOUSAND_SEPARATOR = True

# A replica that has been behind since the tables were made. SQLite will do for it, whatever the primary is.
DATABASES = {
    **DATABASES_OF_ONE,
    "replica": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": ":memory:",
        "OPTIONS": {"timeout": 120},
        "TEST": {
            "NAME": str(Path(tempfile.gettempdir()) / f"test_program_enrollments_replica_{os.getpid()}.sqlite3"),
            "MIGRATE": False,
        },
    },
}
DATABASE_ROUTERS = ["tests.odd_host.routers.HostReadsFromReplica"]
