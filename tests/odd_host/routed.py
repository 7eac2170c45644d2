"""Settings of a host with a second database; the environment names the router."""

from __future__ import annotations

import os

from tests.odd_host.settings import *  # noqa: F403
from tests.odd_host.settings import DATABASES as DATABASES_OF_ONE

DATABASES = {**DATABASES_OF_ONE, "replica": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
DATABASE_ROUTERS = [f"tests.odd_host.routers.{os.environ['ROUTER']}"]
