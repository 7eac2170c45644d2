"""Settings of the processes that long tests start: on the test database, and quick to notice that a worker died."""

import os

from django.conf import global_settings

from test_settings import *  # noqa: F403

DATABASES["default"]["NAME"] = os.environ["LONG_DATABASE_NAME"]
STORAGES = {
    **global_settings.STORAGES,
    "program_enrollments": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": os.environ["LONG_STORAGE"]},
    },
}
PROGRAM_ENROLLMENTS = {
    **PROGRAM_ENROLLMENTS,
    "TAKEOVER_SECONDS": 1,
    "SLICE_SECONDS": 1,
    "CHUNK_SIZE": 200,
}
CELERY_BROKER_URL = os.environ.get("LONG_BROKER", "memory://")
CELERY_BEAT_SCHEDULE = {"look": {"task": "program_enrollments.do_periodic_work", "schedule": 1.0}}
PROGRAM_ENROLLMENTS["JOB_ENGINE"] = os.environ.get("LONG_ENGINE", "commands")
