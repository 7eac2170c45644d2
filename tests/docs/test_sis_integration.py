"""The guide for developers of a SIS does what it says, snippet by snippet, against a running demo."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.walking import walk

PAGE = "docs/sis-integration.rst"
pytestmark = pytest.mark.once


def test_every_snippet_does_what_the_guide_says(own_demo_url: str, tmp_path: Path) -> None:
    assert walk(PAGE, demo_url=own_demo_url, folder=tmp_path) > 10
