"""Settings of the tests: the database of this run as the platform and Tutor configure it."""

import json
import os

from edx_django_utils.plugins import add_plugins

from test_settings import DATABASES as OF_THE_SUITE
from test_settings import PASSWORD_HASHERS

from .common import *  # noqa: F403

__all__ = ["PASSWORD_HASHERS"]

default = {**OF_THE_SUITE["default"], "ATOMIC_REQUESTS": True, "CONN_MAX_AGE": 0}
if default["ENGINE"].endswith("mysql"):
    default["OPTIONS"] = {**default["OPTIONS"], "sql_mode": "STRICT_TRANS_TABLES"}
    default["TEST"] = {**default["TEST"], "CHARSET": "utf8mb4", "COLLATION": "utf8mb4_unicode_ci"}
DATABASES = {"default": default}
# The stand-ins have no migrations, so Django makes their tables first, and those that they refer to must come along.
MIGRATION_MODULES = dict.fromkeys(["auth", "contenttypes", "sessions", "social_django", "waffle"])
vars().update(json.loads(os.environ.get("LMS_CFG", "{}")))

add_plugins(__name__, "lms.djangoapp", "test")
