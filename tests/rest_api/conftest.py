"""A school with a program and a course run, and a client of that school with a token."""

from __future__ import annotations

from collections.abc import Iterator
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
