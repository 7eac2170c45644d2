"""Storages that fail as real ones do: in the middle of a file, as a full disk or a connection that is lost."""

from __future__ import annotations

import errno
import io
from typing import Any, BinaryIO, cast

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage

READABLE = 20_000
"""Bytes of a file after which reading and writing fail."""


class _BreakingFile(io.FileIO):
    def read(self, size: int | None = -1) -> bytes:
        left = READABLE - self.tell()
        if left <= 0:
            raise OSError(errno.EIO, "The storage went away")
        wanted = left if size is None or size < 0 else min(size, left)
        return cast("bytes", super().read(wanted))


class BreakingStorage(FileSystemStorage):
    """Reads files up to a place, then no further."""

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        return File(cast("Any", _BreakingFile(self.path(name))))


class FullStorage(FileSystemStorage):
    """Has room for the beginning of a file, and leaves that behind when it fails."""

    def _save(self, name: str, content: Any) -> str:
        class Pieces(File):
            def chunks(self, chunk_size: int | None = None) -> Any:
                yield cast("BinaryIO", content).read(100)
                raise OSError(errno.ENOSPC, "No space left on device")

        return str(super()._save(name, Pieces(content)))  # type: ignore[misc]


class SilentStorage(FileSystemStorage):
    """Does not answer."""

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        raise TimeoutError("The storage does not answer")
