"""The pages of the documentation: one markup, lines that fit a screen, contents, and a place in the index."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.snippets import ROOT

DOCS = ROOT / "docs"
MAX_LINE = 120
PAGES = sorted([*DOCS.rglob("*.rst"), *ROOT.glob("*.rst")])
TOPICS = [page for page in PAGES if page.parent == DOCS]
INCLUDE = re.compile(r"^\.\. include:: (\S+)$", re.MULTILINE)
SECTION = re.compile(r"^\S.*\n-{3,}$", re.MULTILINE)
pytestmark = pytest.mark.once


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def is_record_of_csv(line: str) -> bool:
    """Whether a line shows a record of a file, which cannot be broken."""
    return line.startswith("    ") and line.count(",") > 5 and ", " not in line


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_line_is_longer_than_a_screen(page: Path) -> None:
    lines = enumerate(read(page).splitlines(), 1)
    assert [number for number, line in lines if len(line) > MAX_LINE and not is_record_of_csv(line)] == []


@pytest.mark.parametrize("page", [page for page in TOPICS if len(SECTION.findall(read(page))) > 2], ids=name)
def test_a_page_with_sections_begins_with_its_contents(page: Path) -> None:
    begin = SECTION.split(read(page))[0]
    assert ".. contents::" in begin or ".. toctree::" in read(page)


def test_there_is_one_markup() -> None:
    assert [name(page) for page in [*DOCS.rglob("*.md"), *ROOT.glob("*.md")]] == []


def test_every_page_is_in_the_index() -> None:
    entries = set(re.findall(r"^   ([\w/-]+)$", read(DOCS / "index.rst"), re.MULTILINE))
    assert entries == {page.stem for page in TOPICS} - {"index"} | {"decisions/index"}


def test_files_of_the_root_have_a_page() -> None:
    included = {Path(path).name for page in TOPICS for path in INCLUDE.findall(read(page))}
    assert included == {page.name for page in ROOT.glob("*.rst")} - {"README.rst"}
