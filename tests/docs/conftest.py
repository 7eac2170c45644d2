"""Demos for the pages: one that all share, and one for those that want it for themselves."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.demos import DATABASE, running_demo


@pytest.fixture(scope="session")
def demo_url(first_demo: tuple[str, Path]) -> str:
    """Return the address of a demo that all pages share."""
    return first_demo[0]


@pytest.fixture(scope="module")
def own_demo_url(first_demo: tuple[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a demo that nobody else uses: for pages that show whole lists, or freeze."""
    folder = tmp_path_factory.mktemp("own_demo")
    shutil.copy(first_demo[1], folder / DATABASE)
    with running_demo(folder) as url:
        yield url
