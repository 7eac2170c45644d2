"""Charts: small pictures in SVG, each beside the numbers that it draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

WIDTH, HEIGHT = 120, 28


class Bar(NamedTuple):
    """A bar of a chart, in the units of its picture, and the number that it draws."""

    x: float
    y: float
    width: float
    height: float
    value: int


@dataclass(frozen=True, slots=True)
class Sparkline:
    """Numbers over time as bars, the latest one last; a zero is a thin line."""

    values: Sequence[int]

    @property
    def total(self) -> int:
        """The sum of the numbers."""
        return sum(self.values)

    def bars(self) -> list[Bar]:
        """Return the bars, the highest of them as high as the picture."""
        step, highest = WIDTH / max(len(self.values), 1), max([*self.values, 1])
        heights = [max(1.0, round(value / highest * HEIGHT, 1)) for value in self.values]
        return [
            Bar(round(number * step, 1), round(HEIGHT - height, 1), round(step * 0.7, 1), height, value)
            for number, (value, height) in enumerate(zip(self.values, heights, strict=True))
        ]
