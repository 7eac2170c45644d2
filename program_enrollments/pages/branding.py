"""Branding: a school's colors and logo, as far as they leave its pages readable."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from program_enrollments import api
from program_enrollments.colors import MIN_TEXT_CONTRAST, contrast, is_color, readable_on, text_on
from program_enrollments.pages.headers import image_origins

DEFAULT_COLOR = "#1a4f8b"
SANDBOX_COLOR = "#a4510f"
"""The color of schools for practice, whatever their brand is, so that nobody takes one for the real school."""
LIGHT, DARK = "#ffffff", "#000000"

LIGHT_PAGES = ("#ffffff", "#f5f6f8", "#eceff3")
DARK_PAGES = ("#1a1e25", "#12151a", "#262b34")
"""The backgrounds of the stylesheet (`--pe-paper`, `--pe-back`, `--pe-sunk`), which the brand is read on."""


@dataclass(frozen=True, slots=True)
class Branding:
    """What a school's page is dressed in: colors as #rrggbb, a logo's address or nothing."""

    color: str
    text_color: str
    logo_url: str


def branding_of(school: api.School) -> Branding:
    """Return the school's branding.

    A color that isn't one, or a text nobody could read on it, is replaced.
    """
    color = school.primary_color if is_color(school.primary_color) else DEFAULT_COLOR
    text = school.text_color if is_color(school.text_color) else LIGHT
    if contrast(color, text) < MIN_TEXT_CONTRAST:
        text = max((LIGHT, DARK), key=lambda candidate: contrast(color, candidate))
    return Branding(color, text, school.logo_url if image_origins(school.logo_url) else "")


@dataclass(frozen=True, slots=True)
class Theme:
    """The two brand colors of a page, on light and on dark backgrounds, and the logo's address or nothing.

    The first of each pair can be read as text on every background of the stylesheet; the second can be read on the
    first.
    """

    light: tuple[str, str]
    dark: tuple[str, str]
    logo_url: str = ""


@lru_cache(maxsize=1024)
def theme_of(*, color: str = "", logo_url: str = "") -> Theme:
    """Return the theme that a school's color gives; what isn't a color, or couldn't be read, is replaced."""
    brand = color if is_color(color) else DEFAULT_COLOR
    light, dark = readable_on(brand, backgrounds=LIGHT_PAGES), readable_on(brand, backgrounds=DARK_PAGES)
    return Theme((light, text_on(light)), (dark, text_on(dark)), logo_url if image_origins(logo_url) else "")
