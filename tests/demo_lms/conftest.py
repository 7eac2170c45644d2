from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from demo_lms.demo_data import seed


@pytest.fixture(scope="class")
def seeded(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The demo's data, as `manage.py demo` makes it, committed.

    Once for a class, as it takes long. The class's tests use `db`: what they change themselves is undone after each.
    """
    with django_db_blocker.unblock():
        seed(base_url="http://testserver", now=timezone.now())
        yield
        call_command("flush", verbosity=0, interactive=False)
