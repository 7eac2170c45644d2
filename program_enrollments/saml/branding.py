"""Branding: a school's colors and logo, as far as they leave its page readable."""

from __future__ import annotations

from dataclasses import dataclass

from program_enrollments import api
from program_enrollments.colors import MIN_TEXT_CONTRAST, contrast, is_color
from program_enrollments.saml.headers import image_origins

DEFAULT_COLOR = "#1a4f8b"
LIGHT, DARK = "#ffffff", "#000000"


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
