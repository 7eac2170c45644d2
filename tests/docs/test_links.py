"""Links from one page of the documentation to another lead somewhere, to a section that is there."""

from __future__ import annotations

import re

import pytest

from tests.docs.snippets import ROOT

PAGES = sorted(page.relative_to(ROOT).as_posix() for page in [*(ROOT / "docs").rglob("*.rst"), *ROOT.glob("*.rst")])
FILE = re.compile(r"`[^`<]+ <([^`>:]+)>`_")
SECTION = re.compile(r"`([^`<]+)`_(?!_)")
HEADING = re.compile(r"^(\S.*)\n[=~-]{3,}$", re.MULTILINE)
pytestmark = pytest.mark.once


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    missing = [target for target in FILE.findall(text) if not ((ROOT / page).parent / target).exists()]
    assert not missing
    headings = {heading.casefold() for heading in HEADING.findall(text)}
    assert not [name for name in SECTION.findall(text) if name.casefold() not in headings]
