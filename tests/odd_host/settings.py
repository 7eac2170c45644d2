"""Settings of a host whose user model is its own."""

from __future__ import annotations

from test_settings import *  # noqa: F403
from test_settings import INSTALLED_APPS as APPS
from test_settings import PROGRAM_ENROLLMENTS as OF_THE_DEMO

INSTALLED_APPS = [*APPS, "tests.odd_host"]
AUTH_USER_MODEL = "odd_host.Account"
USE_THOUSAND_SEPARATOR = True
PROGRAM_ENROLLMENTS = {**OF_THE_DEMO, "HOST": "tests.odd_host.host.OddHost"}
