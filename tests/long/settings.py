"""Settings of the processes that long tests start: on the test database, and quick to notice that a worker died."""

import json
import os
import time
from datetime import datetime, timedelta

from django.conf import global_settings
from django.utils import timezone

from test_settings import *  # noqa: F403

DATABASES["default"]["NAME"] = os.environ["LONG_DATABASE_NAME"]
STORAGES = {
    **global_settings.STORAGES,
    "program_enrollments": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": os.environ["LONG_STORAGE"]},
    },
}
if "LONG_FEEDS" in os.environ:
    STORAGES["program_enrollments_feeds"] = json.loads(os.environ["LONG_FEEDS"])
if "LONG_NOW" in os.environ:
    # A story moves the clock; here it ticks on from where the story is.
    _started, _moment = time.monotonic(), datetime.fromisoformat(os.environ["LONG_NOW"])
    timezone.now = lambda: _moment + timedelta(seconds=time.monotonic() - _started)
PROGRAM_ENROLLMENTS = {
    **PROGRAM_ENROLLMENTS,
    "TAKEOVER_SECONDS": 1,
    "SLICE_SECONDS": 1,
    "CHUNK_SIZE": 200,
}
CELERY_BROKER_URL = os.environ.get("LONG_BROKER", "memory://")
CELERY_TASK_DEFAULT_QUEUE = os.environ.get("LONG_QUEUE", "celery")
CELERY_BEAT_SCHEDULE = {"look": {"task": "program_enrollments.do_periodic_work", "schedule": 1.0}}
# Other workers may listen to the same broker.
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
PROGRAM_ENROLLMENTS["JOB_ENGINE"] = os.environ.get("LONG_ENGINE", "commands")
PROGRAM_ENROLLMENTS["HOST"] = "tests.long.platform.SwitchableHost"
