"""The demo's published secret key is for development alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.once
ROOT = Path(__file__).parents[2]


def start(**environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name not in {"DEMO_DEBUG", "DEMO_SECRET_KEY"}}
    return subprocess.run(
        [sys.executable, "-m", "django", "check", "--settings", "demo_lms.settings", "--pythonpath", "."],
        cwd=ROOT,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("key", [None, "", "demo-lms-not-a-secret-because-it-holds-no-real-data"])
def test_without_debug_the_published_key_is_refused(key: str | None) -> None:
    started = start(DEMO_DEBUG="0", **({} if key is None else {"DEMO_SECRET_KEY": key}))
    assert started.returncode == 1
    assert "ImproperlyConfigured: Set DEMO_SECRET_KEY" in started.stderr


@pytest.mark.parametrize(
    "environment",
    [{"DEMO_DEBUG": "0", "DEMO_SECRET_KEY": "long-and-random-and-nowhere-published"}, {"DEMO_DEBUG": "1"}],
)
def test_otherwise_it_starts(environment: dict[str, str]) -> None:
    started = start(**environment)
    assert started.returncode == 0, started.stderr
