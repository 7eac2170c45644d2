"""The Celery app of the long tests' workers and beat: `celery -A tests.long.celery_app worker`."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.long.settings")

app = Celery("long")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@app.on_after_finalize.connect
def double_messages(sender: Celery, **kwargs: object) -> None:
    """Send each message once more, if the test asks for that."""
    if os.environ.get("LONG_DOUBLED") != "1":
        return
    from program_enrollments import api, tasks  # noqa: PLC0415  (needs the app registry)

    api.job_due.connect(tasks.send_message, dispatch_uid="once more")
