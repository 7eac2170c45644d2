"""Settings in production: the operator's YAML (JSON here) replaces whole values, then plug-ins have their turn."""

import json
import os

from edx_django_utils.plugins import add_plugins

from .common import *  # noqa: F403

vars().update(json.loads(os.environ["LMS_CFG"]))
MIDDLEWARE.extend(globals().get("EXTRA_MIDDLEWARE_CLASSES", []))  # noqa: F405
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": ":memory:",
        "OPTIONS": {"transaction_mode": "IMMEDIATE"},
        "ATOMIC_REQUESTS": True,
    }
}

add_plugins(__name__, "lms.djangoapp", "production")
