"""The adapter for Open edX over the stand-ins: each file of stories in a process of its own, in their project."""

from __future__ import annotations

import os

import pytest

from tests.host.openedx_project import PLATFORM, InstalledPlatform, install

OLD_PYTHON = "ignore:Python 3.11 support is deprecated:DeprecationWarning"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> InstalledPlatform:
    return install(tmp_path_factory.mktemp("openedx"))


@pytest.mark.parametrize(
    "stories", ["adapter_contract.py", "adapter_stories.py", "platform_stories.py", "import_stories.py"]
)
def test_all_hold_on_the_platform(platform: InstalledPlatform, monkeypatch: pytest.MonkeyPatch, stories: str) -> None:
    suffix = "_".join(filter(None, [os.environ.get("TEST_DB_SUFFIX", ""), "openedx"]))
    monkeypatch.setenv("TEST_DB_SUFFIX", suffix)

    options = ["-q", "--ds", "lms.envs.test", "--confcutdir", str(PLATFORM), "-W", OLD_PYTHON, "-o", "pythonpath="]
    ran = platform.run("-m", "pytest", *options, str(PLATFORM / stories), settings="test")

    assert ran.returncode == 0, ran.stdout + ran.stderr
