"""Fixtures of the tests of the host: the api's world, and a host that answers oddly."""

import pytest
from pytest_django import Settings

from tests.api.conftest import world
from tests.host.odd_hosts import ODD_HOST, Change, OddHost, UseOddHost

__all__ = ["odd_host", "world"]


@pytest.fixture
def odd_host(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> UseOddHost:
    """Let the host's methods answer what the test makes of their answers."""

    def use(**changes: Change) -> None:
        monkeypatch.setattr(OddHost, "changes", changes)
        settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "HOST": ODD_HOST}

    return use
