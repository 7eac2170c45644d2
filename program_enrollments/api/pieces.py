"""Pieces: long sequences cut into what one transaction or one statement may hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from program_enrollments.conf import get_setting

T = TypeVar("T")


def cut(items: Sequence[T], *, size: int | None = None) -> Iterator[Sequence[T]]:
    """Yield `items` in pieces of at most `size`, by default the setting `CHUNK_SIZE`."""
    size = size or get_setting("CHUNK_SIZE")
    for start in range(0, len(items), size):
        yield items[start : start + size]
