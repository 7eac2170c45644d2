"""Stylesheets: nothing in them is unused, reaches the host's pages, or has a side where languages differ."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import program_enrollments

pytestmark = pytest.mark.once

PACKAGE = Path(program_enrollments.__file__).parent
STATIC = PACKAGE / "static" / "program_enrollments"
PAGES, SIGN_ON = STATIC / "pages" / "pages.css", STATIC / "sign_on.css"
FROM_ELSEWHERE = {
    "success": "a level of Django's messages",
    "warning": "a level of Django's messages",
    "error": "a level of Django's messages",
    "htmx-request": "htmx marks what it is loading",
}
"""Classes that no file of ours writes, and who does."""
SIDED = re.compile(
    r"(?:margin|padding|border|scroll-margin|scroll-padding)-(?:left|right)\b"
    r"|border-(?:top|bottom)-(?:left|right)-radius"
    r"|(?<![-\w])(?:left|right)\s*:"
    r"|(?:text-align|float|clear|justify-self|justify-content|justify-items)\s*:\s*(?:left|right)\b"
)
"""Properties and values that name the left or the right."""
FOUR_SIDES = re.compile(r"(?<![-\w])(margin|padding|inset|border-width|border-radius)\s*:\s*([^;}]+)")


def rules(sheet: Path) -> Iterator[tuple[str, str]]:
    """Give selector and declarations of each rule, whatever it is nested in."""
    text = re.sub(r"/\*.*?\*/", "", sheet.read_text(encoding="utf-8"), flags=re.DOTALL)
    for selector, declarations in re.findall(r"([^{};]+)\{([^{}]*)\}", text):
        yield " ".join(selector.split()), declarations


def selectors_of(selector: str) -> list[str]:
    """Return the parts of a selector list; commas in parentheses separate nothing."""
    return [part.strip() for part in re.split(r",(?![^()]*\))", selector)]


def values_of(text: str) -> list[str]:
    """Return the values of a shorthand; blanks inside of functions separate nothing."""
    values, depth = [""], 0
    for sign in text.strip():
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if sign.isspace() and depth == 0:
            values.append("")
        else:
            values[-1] += sign
    return [value for value in values if value]


def sources() -> str:
    """Return everything that can write a class into a page."""
    files = [*PACKAGE.rglob("*.html"), *PACKAGE.rglob("*.py"), *STATIC.rglob("*.js")]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def test_every_class_is_one_that_pages_have() -> None:
    written = sources()
    words = set(re.findall(r"[\w-]+", written))
    words |= {f"pe-{kind}" for kind in re.findall(r'\bkind(?:=|: str = )"(\w+)"', written)}
    styled = {name for selector, _ in rules(PAGES) for name in re.findall(r"\.([a-z][\w-]*)", selector)}

    assert styled - words - set(FROM_ELSEWHERE) == set()
    assert set(FROM_ELSEWHERE) <= styled


def test_every_selector_stays_on_pages_of_this_app() -> None:
    strangers = [
        part for selector, _ in rules(PAGES) for part in selectors_of(selector) if not re.search(r"\.pe(?![\w])", part)
    ]

    assert strangers == []


def test_no_declaration_stands_twice_in_a_rule() -> None:
    twice = [
        (selector, name)
        for selector, declarations in rules(PAGES)
        for names in [re.findall(r"(?:^|;)\s*([\w-]+)\s*:", declarations)]
        for name in names
        if names.count(name) > 1
    ]

    assert twice == []


@pytest.mark.parametrize("sheet", [PAGES, SIGN_ON], ids=lambda sheet: sheet.name)
def test_nothing_has_a_left_or_a_right(sheet: Path) -> None:
    """What a language from right to left turns around has a start and an end."""
    found = [(selector, hit[0]) for selector, declarations in rules(sheet) for hit in SIDED.finditer(declarations)]
    uneven = [
        (selector, hit[0])
        for selector, declarations in rules(sheet)
        for hit in FOUR_SIDES.finditer(declarations)
        for values in [values_of(hit[2])]
        if len(values) == 4 and values[1] != values[3]
    ]

    assert found + uneven == []


def test_the_stylesheet_stays_small() -> None:
    assert PAGES.stat().st_size < 21_500
