"""Checks of what carries jobs on: storage, engine, broker and periodic work."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004  (Django's name for it)
from django.core.files.storage import FileSystemStorage, storages
from django.db import connections
from django.utils import timezone

from program_enrollments import api
from program_enrollments.conf import SETTING, get_setting

ENGINES = ("commands", "celery")
PERIODIC_TASK = "program_enrollments.do_periodic_work"
LATE = timedelta(minutes=15)
ID = "university_enrollments"


@register()
def check_engine(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """E017: Celery is asked for, and not there."""
    if get_setting("JOB_ENGINE") != "celery" or find_spec("celery") is not None:
        return []
    hint = f'pip install "program_enrollments[celery]", or set {SETTING}["JOB_ENGINE"] to "commands".'
    return [Error("JOB_ENGINE is celery, and Celery is not installed.", hint=hint, id=f"{ID}.E017")]


@register(Tags.files)
def check_place_of_files(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """E018: files with student IDs lie where web servers serve uploads from."""
    alias = get_setting("FILE_STORAGE")
    if alias not in settings.STORAGES or not settings.MEDIA_ROOT:
        return []
    storage = storages[alias]
    media = Path(settings.MEDIA_ROOT).resolve()
    if not isinstance(storage, FileSystemStorage) or not Path(storage.location).resolve().is_relative_to(media):
        return []
    hint = f'Give STORAGES["{alias}"] a folder of its own that no web server serves.'
    return [Error("The files that schools send are kept below MEDIA_ROOT.", hint=hint, id=f"{ID}.E018")]


@register(Tags.files, deploy=True)
def check_storage(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """W008: files lie in the folder where a process happened to be started."""
    alias = get_setting("FILE_STORAGE")
    if alias in settings.STORAGES:
        return []
    hint = f'Add "{alias}" to STORAGES: a private place that web processes and workers all reach.'
    message = "Files that schools send are kept in the folder in which the process was started."
    return [Warning(message, hint=hint, id=f"{ID}.W008")]


@register(deploy=True)
def check_broker(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """W009 and W010: Celery that no worker hears, and periodic work that nobody does."""
    if get_setting("JOB_ENGINE") != "celery" or find_spec("celery") is None:
        return []
    from celery import current_app  # noqa: PLC0415  (an extra of the package)

    conf = current_app.conf
    broker = str(conf.broker_write_url or conf.broker_url or "")
    found: list[CheckMessage] = []
    if conf.task_always_eager or broker.startswith("memory"):
        hint = "Use Redis or RabbitMQ as the broker, and leave task_always_eager off."
        message = "Celery's broker is this process's memory, or tasks are done at once: no worker hears of jobs."
        found.append(Warning(message, hint=hint, id=f"{ID}.W009"))
    tasks = {entry.get("task") for entry in (conf.beat_schedule or {}).values()}
    if PERIODIC_TASK not in tasks:
        hint = f'Let beat send "{PERIODIC_TASK}" every minute, or run `manage.py run_jobs --once` from cron.'
        message = "Beat does no periodic work: a job whose message or worker was lost waits forever."
        found.append(Warning(message, hint=hint, id=f"{ID}.W010"))
    return found


@register(Tags.database)
def check_due_jobs(app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """W011: jobs are due, and nobody carries them on; asks the database."""
    if "default" not in (databases or ()) or not api.has_job_table(connections["default"]):
        return []
    if not api.count_overdue_jobs(now=timezone.now(), late=LATE):
        return []
    hint = "Run `manage.py run_jobs`, or Celery workers and beat (docs/operations.rst, Files as jobs)."
    return [Warning("Jobs have been due for a quarter of an hour.", hint=hint, id=f"{ID}.W011")]
