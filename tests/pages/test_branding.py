"""Brand colors: whatever a school chooses, its pages can be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import program_enrollments
from program_enrollments.colors import contrast, is_color
from program_enrollments.pages.branding import DARK_PAGES, LIGHT_PAGES, theme_of

pytestmark = pytest.mark.once

STYLESHEET = Path(program_enrollments.__file__).parent / "static" / "program_enrollments" / "pages" / "pages.css"
COLOR = re.compile(r"--pe-([a-z-]+): (#[0-9a-f]{6}|#[0-9a-f]{3})(?![0-9a-f])")
colors = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@given(color=colors)
def test_every_color_can_be_read_on_every_background(color: str) -> None:
    theme = theme_of(color=color)
    for (brand, text), pages in ((theme.light, LIGHT_PAGES), (theme.dark, DARK_PAGES)):
        assert is_color(brand)
        assert contrast(brand, text) >= 4.5
        assert min(contrast(brand, page) for page in pages) >= 4.5


def test_a_color_that_can_be_read_stays_as_it_is() -> None:
    assert theme_of(color="#7a1f2b").light == ("#7a1f2b", "#ffffff")


def test_what_is_no_color_gets_the_apps_own() -> None:
    assert theme_of(color="red;}") == theme_of()


def read_colors() -> list[dict[str, str]]:
    """Return the stylesheet's colors by name: the light ones, then the dark ones."""
    light, dark, *_others = STYLESHEET.read_text(encoding="utf-8").split("@media (prefers-color-scheme: dark)")
    return [
        {name: color if len(color) == 7 else color + color[1:] for name, color in re.findall(COLOR, part)}
        for part in (light, dark)
    ]


def test_the_backgrounds_are_those_of_the_stylesheet() -> None:
    for found, pages in zip(read_colors(), (LIGHT_PAGES, DARK_PAGES), strict=True):
        assert (found["paper"], found["back"], found["sunk"]) == pages


def test_text_of_the_stylesheet_can_be_read() -> None:
    """4.5:1 for text on every background, and for the tones on their own; 3:1 for edges of fields."""
    for found in read_colors():
        for page in ("paper", "back", "sunk"):
            assert contrast(found["ink"], found[page]) >= 4.5
            assert contrast(found["soft"], found[page]) >= 4.5
            assert contrast(found["edge"], found[page]) >= 3
        for tone in ("good", "wait", "bad"):
            assert contrast(found[tone], found[f"{tone}-back"]) >= 4.5
