"""Checks of what carries jobs on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from celery.app import default_app
from django.core.checks import run_checks
from django.utils import timezone
from pytest_django.fixtures import Settings

from program_enrollments import api
from program_enrollments.data import JobKind
from program_enrollments.models import Job
from tests.factories.enrollment import ProgramFactory

PERIODIC = {"look": {"task": "program_enrollments.do_periodic_work", "schedule": 60}}


def found(**options: Any) -> set[str]:
    ids = {str(message.id).removeprefix("university_enrollments.") for message in run_checks(**options)}
    return ids & {"E017", "E018", "W008", "W009", "W010", "W011", "E050", "E051", "W050", "W051"}


def configure(settings: Settings, **changes: Any) -> None:
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, **changes}


def store(settings: Settings, folder: Path) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "program_enrollments": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(folder)},
        },
    }


@pytest.fixture
def celery_app() -> Iterator[Celery]:
    app = Celery("host", broker="redis://127.0.0.1:6379/9", set_as_current=False)
    app.conf.beat_schedule = PERIODIC
    app.set_current()
    yield app
    default_app.set_current()


def test_files_below_the_folder_of_uploads_are_an_error(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    store(settings, tmp_path / "media" / "files")
    assert found() == {"E018"}
    store(settings, tmp_path / "private")
    assert found() == set()


def test_a_storage_that_nobody_named(settings: Settings, tmp_path: Path) -> None:
    settings.STORAGES = {name: value for name, value in settings.STORAGES.items() if name != "program_enrollments"}
    assert "W008" in found(include_deployment_checks=True)
    store(settings, tmp_path)
    assert "W008" not in found(include_deployment_checks=True)


@pytest.mark.parametrize(
    ("changes", "ids"),
    [
        ({}, set()),
        ({"task_always_eager": True}, {"W009"}),
        ({"broker_url": "memory://"}, {"W009"}),
        ({"beat_schedule": {}}, {"W010"}),
    ],
)
def test_celery_that_does_not_carry_jobs_on(
    settings: Settings, tmp_path: Path, celery_app: Celery, changes: dict[str, Any], ids: set[str]
) -> None:
    store(settings, tmp_path)
    configure(settings, JOB_ENGINE="celery")
    celery_app.conf.update(changes)
    assert found(include_deployment_checks=True) == ids


def test_celery_that_is_not_installed(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store(settings, tmp_path)
    configure(settings, JOB_ENGINE="celery")
    monkeypatch.setattr("program_enrollments.checks.jobs.find_spec", lambda name: None)
    assert found(include_deployment_checks=True) == {"E017"}


@pytest.mark.django_db
def test_jobs_that_nobody_carries_on() -> None:
    program = ProgramFactory()
    job = Job.objects.create(program=program, school=program.school, kind="program_enrollments", mode="upsert")
    assert found(databases=["default"]) == set()
    Job.objects.filter(pk=job.pk).update(queued_at=timezone.now() - timedelta(minutes=16))
    assert found(databases=["default"]) == {"W011"}


def test_feeds_have_a_storage_of_their_own(settings: Settings, tmp_path: Path) -> None:
    store(settings, tmp_path)
    configure(settings, FEED_STORAGE="program_enrollments")
    assert found() == {"E051"}
    configure(settings, FEED_STORAGE="elsewhere")
    assert found() == {"E050"}
    settings.STORAGES = {**settings.STORAGES, "elsewhere": settings.STORAGES["program_enrollments"]}
    assert found() == set()
    settings.MEDIA_ROOT = str(tmp_path)
    assert found() == {"E018"}


def test_feeds_without_a_storage_or_a_collector(settings: Settings, tmp_path: Path, db: None) -> None:
    store(settings, tmp_path)
    program, now = ProgramFactory(), timezone.now()
    plan = api.FeedPlan(program_uuid=program.uuid, kind=JobKind.PROGRAM_ENROLLMENTS)
    nobody = api.access_of(user=None)
    long_ago = now - timedelta(hours=1)
    feed = api.add_feed(access=nobody, school=program.school, plan=plan, now=long_ago)
    assert found(databases=["default"]) == {"W051"}
    (tmp_path / "x").mkdir()
    api.collect_feeds(now=now)
    assert found(databases=["default"]) == set()
    settings.STORAGES = {name: one for name, one in settings.STORAGES.items() if "feeds" not in name}
    assert found(databases=["default"]) == {"W050"}
    api.switch_feed(access=nobody, school=program.school, feed_id=feed.pk, is_active=False, now=now)
    assert found(databases=["default"]) == set()
