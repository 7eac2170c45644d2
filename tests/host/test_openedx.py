"""The adapter for Open edX over the stand-ins: all stories in one process of its own, in their project."""

from __future__ import annotations

import os

import pytest

from tests.host.openedx_project import PLATFORM, InstalledPlatform, install

OLD_PYTHON = "ignore:Python 3.11 support is deprecated:DeprecationWarning"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> InstalledPlatform:
    return install(tmp_path_factory.mktemp("openedx"))


STORIES = (
    "adapter_contract.py",
    "adapter_stories.py",
    "platform_stories.py",
    "import_stories.py",
    "dashboard_stories.py",
    "event_stories.py",
    "adoption_stories.py",
    "crossing_stories.py",
)


def test_all_stories_hold_on_the_platform(platform: InstalledPlatform, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one process: to start one and to make its database takes longer than the stories."""
    suffix = "_".join(filter(None, [os.environ.get("TEST_DB_SUFFIX", ""), "openedx"]))
    monkeypatch.setenv("TEST_DB_SUFFIX", suffix)

    options = ["-q", "--ds", "lms.envs.test", "--confcutdir", str(PLATFORM), "-W", OLD_PYTHON, "-o", "pythonpath="]
    ran = platform.run("-m", "pytest", *options, *(str(PLATFORM / name) for name in STORIES), settings="test")

    assert ran.returncode == 0, ran.stdout + ran.stderr
