"""Settings of a benchmarked process: those of the demo LMS as it would be served, on a database of the benchmark's own.

From the environment: ``BENCH_VENDOR`` (``sqlite``, ``postgresql`` or ``mariadb``) and ``BENCH_DATABASE`` (the
database's name, or the path of SQLite's file), both set by `benchmarks.stands`; where Celery's workers carry files on,
``BENCH_BROKER``, ``BENCH_QUEUE`` and ``BENCH_FILES``, a folder, too.
"""

from __future__ import annotations

import os

from benchmarks.databases import database_settings
from demo_lms.settings import *  # noqa: F403

DEBUG = False
DEMO_DEV_SIGN_IN = False
ALLOWED_HOSTS = ["127.0.0.1"]
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"

DATABASES = {
    "default": {
        **database_settings(vendor=os.environ["BENCH_VENDOR"], name=os.environ["BENCH_DATABASE"]),
        # As sites that are in a hurry are run: a connection lives longer than a request.
        "CONN_MAX_AGE": None,
    }
}

LOGGING = {"version": 1, "disable_existing_loggers": False}

# Only the server of `benchmarks.serving` is asked to count.
if os.environ.get("BENCH_COUNT_STATEMENTS") == "1":
    MIDDLEWARE = ["benchmarks.serving.count_statements", *MIDDLEWARE]  # noqa: F405

if "BENCH_BROKER" in os.environ:
    CELERY_BROKER_URL = os.environ["BENCH_BROKER"]
    CELERY_TASK_DEFAULT_QUEUE = os.environ["BENCH_QUEUE"]
    CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
    CELERY_WORKER_PREFETCH_MULTIPLIER = 1
    PROGRAM_ENROLLMENTS = {**PROGRAM_ENROLLMENTS, "JOB_ENGINE": "celery"}  # noqa: F405
    STORAGES = {
        **STORAGES,  # noqa: F405
        "program_enrollments": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": os.environ["BENCH_FILES"]},
        },
    }
