from __future__ import annotations

import pytest
from django.utils import timezone

from demo_lms.seeding import seed


@pytest.fixture
def seeded(db: None) -> None:
    """The demo's data, as `manage.py demo` makes it."""
    seed(base_url="http://testserver", now=timezone.now())
