"""What long tests have in common: a storage that the processes they start share."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings


@pytest.fixture
def storage(settings: Settings, tmp_path: Path) -> Path:
    settings.STORAGES = {
        **settings.STORAGES,
        "program_enrollments": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path)},
        },
    }
    return tmp_path


@pytest.fixture
def dice() -> random.Random:
    """Chance that can be repeated: pytest prints the seed if the test fails, and LONG_SEED sets it."""
    seed = int(os.environ.get("LONG_SEED") or random.randrange(10**6))
    sys.stdout.write(f"LONG_SEED={seed}\n")
    return random.Random(seed)
