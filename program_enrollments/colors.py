"""Colors as `#rrggbb`, and the contrast between two of them as WCAG 2.2 defines it."""

from __future__ import annotations

import re
from collections.abc import Iterable

MIN_TEXT_CONTRAST = 4.5
"""The minimum of WCAG 2.2, 1.4.3, level AA. White or black text reaches it on every color."""

BLACK, WHITE = "#000000", "#ffffff"

STEPS = 50
"""Steps from a color to black or white."""

COLOR = re.compile(r"#[0-9a-fA-F]{6}")


def is_color(text: str) -> bool:
    """Return whether `text` is a color written `#rrggbb`."""
    return COLOR.fullmatch(text) is not None


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two colors `#rrggbb`, from 1 to 21."""
    darker, lighter = sorted((_luminance(first), _luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


def readable_on(color: str, *, backgrounds: Iterable[str], ratio: float = MIN_TEXT_CONTRAST) -> str:
    """Return `color`, made darker or lighter until it has the contrast `ratio` on each of `backgrounds`.

    The backgrounds are all light or all dark; the color is moved away from them, and no further than needed.
    """
    pages = list(backgrounds)
    goal = max((BLACK, WHITE), key=lambda extreme: min(contrast(extreme, page) for page in pages))
    for step in range(STEPS):
        candidate = mix(color, goal, share=step / STEPS)
        if all(contrast(candidate, page) >= ratio for page in pages):
            return candidate
    return goal


def text_on(color: str) -> str:
    """Return white or black, whichever can be read better on `color`: its contrast is 4.58 at least."""
    return max((WHITE, BLACK), key=lambda candidate: contrast(color, candidate))


def mix(color: str, other: str, *, share: float) -> str:
    """Return the color that is `share` of the way (0 to 1) from `color` to `other`."""
    pairs = zip(_channels(color), _channels(other), strict=True)
    return "#" + "".join(f"{round(one + (two - one) * share):02x}" for one, two in pairs)


def _channels(color: str) -> tuple[int, int, int]:
    red, green, blue = (int(color[start : start + 2], 16) for start in (1, 3, 5))
    return red, green, blue


def _luminance(color: str) -> float:
    channels = [channel / 255 for channel in _channels(color)]
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
