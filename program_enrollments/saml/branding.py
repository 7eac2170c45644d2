"""Branding: a school's colors and logo, as far as they leave its page readable."""

from __future__ import annotations

import re
from dataclasses import dataclass

from program_enrollments.models import School
from program_enrollments.saml.headers import image_origins

COLOR = re.compile(r"#[0-9a-fA-F]{6}")
DEFAULT_COLOR = "#1a4f8b"
LIGHT, DARK = "#ffffff", "#000000"
MIN_CONTRAST = 4.5
"""WCAG 2.2, 1.4.3, level AA. Either white or black has it on every color."""


@dataclass(frozen=True, slots=True)
class Branding:
    """What a school's page is dressed in: colors as #rrggbb, a logo's address or nothing."""

    color: str
    text_color: str
    logo_url: str


def branding_of(school: School) -> Branding:
    """Return the school's branding; a color that isn't one, or a text nobody could read on it, is replaced."""
    color = school.primary_color if COLOR.fullmatch(school.primary_color) else DEFAULT_COLOR
    text = school.text_color if COLOR.fullmatch(school.text_color) else LIGHT
    if contrast(color, text) < MIN_CONTRAST:
        text = max((LIGHT, DARK), key=lambda candidate: contrast(color, candidate))
    return Branding(color, text, school.logo_url if image_origins(school.logo_url) else "")


def contrast(first: str, second: str) -> float:
    """Return the contrast of two colors given as #rrggbb: 1 to 21, as WCAG computes it."""
    darker, lighter = sorted((_luminance(first), _luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: str) -> float:
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
