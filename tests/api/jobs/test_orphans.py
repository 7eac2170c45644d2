"""Stored files that no job names: the process died between storage and commit."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.cache import cache
from django.utils import timezone
from pytest_django.fixtures import Settings

from program_enrollments import api
from program_enrollments.api.jobs import upload
from tests.api.jobs.conftest import Office

TEXT = "student_key,status\nA-1,enrolled\n"


class Died(BaseException):
    """What a test sees in the place of a process that is gone."""


@pytest.fixture(autouse=True)
def _no_look_before() -> None:
    cache.clear()


@pytest.fixture
def orphan(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file whose process died: what cleans up behind an upload that fails never ran."""

    def die(*args: object, **kwargs: object) -> None:
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(upload, "in_transaction", die)
        patched.setattr(upload, "delete_input", lambda name: None)
        with pytest.raises(Died):
            office.send(TEXT)
    (path,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    return path


def age(path: Path, **how_old: int) -> None:
    then = (timezone.now() - timedelta(**how_old)).timestamp()
    os.utime(path, (then, then))


def test_it_goes_when_other_files_go(orphan: Path) -> None:
    age(orphan, days=29)
    assert api.forget_expired(now=timezone.now()).files == 0
    cache.clear()
    age(orphan, days=31)
    assert api.forget_expired(now=timezone.now()).files == 1
    assert not orphan.exists()


def test_the_storage_is_looked_through_once_a_day(orphan: Path) -> None:
    api.forget_expired(now=timezone.now())
    age(orphan, days=31)
    assert api.forget_expired(now=timezone.now()).files == 0


def test_files_of_jobs_and_of_others_stay(office: Office, orphan: Path, tmp_path: Path) -> None:
    office.send(TEXT)
    others = [tmp_path / "readme.txt", orphan.parent / "readme.csv", tmp_path / "media" / orphan.name]
    for path in others:
        path.parent.mkdir(exist_ok=True)
        path.write_text("ours")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    for path in files:
        age(path, days=400)
    assert api.forget_expired(now=timezone.now()).files == 1
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == set(files) - {orphan}


def test_files_that_are_not_to_be_kept_still_have_a_day(orphan: Path, settings: Settings) -> None:
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "KEEP_FILES_DAYS": 0}
    age(orphan, hours=23)
    assert api.forget_expired(now=timezone.now()).files == 0
    assert orphan.exists()


def test_a_storage_that_does_not_answer_stops_nothing(orphan: Path, settings: Settings) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "program_enrollments": {"BACKEND": "tests.api.jobs.storages.SilentStorage"},
    }
    assert api.forget_expired(now=timezone.now()).files == 0
    assert orphan.exists()
