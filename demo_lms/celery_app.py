"""The demo LMS's Celery app: `celery -A demo_lms.celery_app worker`. The demo itself needs none."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo_lms.settings")

app = Celery("demo_lms")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
