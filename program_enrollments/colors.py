"""Colors as `#rrggbb`, and the contrast between two of them as WCAG 2.2 defines it."""

from __future__ import annotations

import re

MIN_TEXT_CONTRAST = 4.5
"""WCAG 2.2, 1.4.3, level AA. On every color, white or black text has it."""

COLOR = re.compile(r"#[0-9a-fA-F]{6}")


def is_color(text: str) -> bool:
    """Return whether `text` is a color written `#rrggbb`."""
    return COLOR.fullmatch(text) is not None


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two colors `#rrggbb`, from 1 to 21."""
    darker, lighter = sorted((_luminance(first), _luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: str) -> float:
    channels = [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
