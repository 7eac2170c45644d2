"""What jobs need: storage, engine, broker, periodic work (docs/operations.rst, Files as jobs)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, register
from django.core.files.storage import FileSystemStorage, storages
from django.db import connections
from django.utils import timezone

from program_enrollments import api
from program_enrollments.checks.messages import error, warning
from program_enrollments.conf import SETTING, get_setting

ENGINES = ("commands", "celery")
PERIODIC_TASK = "program_enrollments.do_periodic_work"
LATE = timedelta(minutes=15)


@register()
def check_engine(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return E017 if the engine is Celery, and Celery is not installed."""
    if get_setting("JOB_ENGINE") != "celery" or find_spec("celery") is not None:
        return []
    hint = f'pip install "program_enrollments[celery]", or set {SETTING}["JOB_ENGINE"] to "commands".'
    return [error(17, "JOB_ENGINE is celery, and Celery is not installed.", hint)]


@register(Tags.files)
def check_place_of_files(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return E018 if files with student IDs are in a folder that web servers serve."""
    aliases = [get_setting(name) for name in ("FILE_STORAGE", "FEED_STORAGE")]
    return [
        error(
            18,
            f'The files of schools on the storage "{alias}" are kept below MEDIA_ROOT.',
            f'Give STORAGES["{alias}"] a folder of its own that no web server serves.',
        )
        for alias in dict.fromkeys(aliases)
        if _is_served(alias)
    ]


def _is_served(alias: str) -> bool:
    if alias not in settings.STORAGES or not settings.MEDIA_ROOT:
        return False
    storage = storages[alias]
    media = Path(settings.MEDIA_ROOT).resolve()
    return isinstance(storage, FileSystemStorage) and Path(storage.location).resolve().is_relative_to(media)


@register(Tags.files, deploy=True)
def check_storage(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return W008 if files are kept in the folder in which each process was started."""
    alias = get_setting("FILE_STORAGE")
    if alias in settings.STORAGES:
        return []
    hint = f'Add "{alias}" to STORAGES: a private storage that all web processes and workers reach.'
    message = "Files that schools send are kept in the folder in which the process was started."
    return [warning(8, message, hint)]


@register(deploy=True)
def check_broker(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return W009 if no worker can receive Celery's messages, and W010 if beat sends no periodic work."""
    if get_setting("JOB_ENGINE") != "celery" or find_spec("celery") is None:
        return []
    from celery import current_app  # noqa: PLC0415  (an extra of the package)

    conf = current_app.conf
    broker = str(conf.broker_write_url or conf.broker_url or "")
    found: list[CheckMessage] = []
    if conf.task_always_eager or broker.startswith("memory"):
        hint = "Use Redis or RabbitMQ as the broker, and leave task_always_eager off."
        message = "Celery's broker is this process's memory, or tasks are done at once: no worker receives jobs."
        found.append(warning(9, message, hint))
    tasks = {entry.get("task") for entry in (conf.beat_schedule or {}).values()}
    if PERIODIC_TASK not in tasks:
        hint = f'Let beat send "{PERIODIC_TASK}" every minute, or run `manage.py run_jobs --once` from cron.'
        message = "Beat sends no periodic work: a job whose message or worker was lost waits forever."
        found.append(warning(10, message, hint))
    return found


@register(Tags.database)
def check_due_jobs(app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Return W011 if jobs in the database have been due for long."""
    alias = api.get_database_alias()
    if alias not in (databases or ()) or not api.has_job_table(connections[alias]):
        return []
    if not api.count_overdue_jobs(now=timezone.now(), late=LATE):
        return []
    hint = "Run `manage.py run_jobs`, or Celery workers and beat (docs/operations.rst, Files as jobs)."
    return [warning(11, "Jobs have been due for a quarter of an hour.", hint)]
