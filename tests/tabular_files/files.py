"""Files for the tests: bytes as streams, and how they are read."""

from __future__ import annotations

import io
from typing import Any

from program_enrollments.tabular_files import Record, Table, open_table

COLUMNS = ("student_key", "email", "status")
REQUIRED = ("status", ("student_key", "email"))


class Dripping(io.RawIOBase):
    """A stream that gives few bytes at a time, and cannot go back."""

    def __init__(self, content: bytes, *, size: int = 3) -> None:
        self.inner = io.BytesIO(content)
        self.size = size

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        return self.inner.read(self.size if size is None or size < 0 else min(size, self.size))


def read(content: bytes, **options: Any) -> Table:
    return open_table(file=io.BytesIO(content), **{"columns": COLUMNS, "required": REQUIRED, **options})


def records(content: bytes, **options: Any) -> list[Record]:
    return list(read(content, **options).records())


def cells(content: bytes, **options: Any) -> list[tuple[int, tuple[str, ...]]]:
    return [(record.line, record.cells) for record in records(content, **options)]
