"""A school with a program and a course run, and a client of that school with a token."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from pytest_django.fixtures import Settings

from program_enrollments.data import Permission
from tests.rest_api.callers import AppSettings, Caller, Campus, caller_granted, make_campus


@pytest.fixture
def campus(db: None) -> Campus:
    return make_campus("uni-a")


@pytest.fixture
def sis(campus: Campus) -> Caller:
    """The student information system of the campus: it has every permission on its school."""
    return caller_granted(*Permission, school=campus.school)


@pytest.fixture
def app_settings(settings: Settings) -> AppSettings:
    """Changes settings of the app, those given and no others, for one test."""

    def change(**changes: Any) -> None:
        settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, **changes}

    return change


@pytest.fixture
def empty_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def file_storage(settings: Settings, tmp_path: Path) -> Path:
    """A folder of its own for the files that schools send."""
    settings.STORAGES = {
        **settings.STORAGES,
        "program_enrollments": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path)},
        },
    }
    return tmp_path
