from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import override_settings
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from demo_lms.demo_data import seed


@pytest.fixture(scope="class")
def own_storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A folder for the files that the demo's universities send, away from the demo's own."""
    own = {
        alias: {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path_factory.mktemp("files"))},
        }
        for alias in ("program_enrollments", "program_enrollments_feeds")
    }
    with override_settings(STORAGES={**settings.STORAGES, **own}):
        yield


@pytest.fixture(scope="class")
def seeded(own_storage: None, django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The demo's data, as `manage.py demo` makes it, committed.

    Once for a class, as it takes long. The class's tests use `db`: what they change themselves is undone after each.
    """
    with django_db_blocker.unblock():
        seed(base_url="http://testserver", now=timezone.now())
        yield
        call_command("flush", verbosity=0, interactive=False)
