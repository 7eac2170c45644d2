"""Settings of a host whose user model is its own."""

from __future__ import annotations

from test_settings import *  # noqa: F403
from test_settings import INSTALLED_APPS as APPS

INSTALLED_APPS = [*APPS, "tests.odd_host"]
AUTH_USER_MODEL = "odd_host.Account"
USE_THOUSAND_SEPARATOR = True
