"""Storages that fail as real ones do."""

from __future__ import annotations

import time
from typing import Any

from django.core.files.storage import FileSystemStorage


class AwayStorage(FileSystemStorage):
    """Does not answer for one school."""

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        if path.startswith("uni-a"):
            raise TimeoutError("The storage does not answer")
        return super().listdir(path)


class HangingStorage(FileSystemStorage):
    """Opens files of one school and never gives a byte."""

    def _open(self, name: str, mode: str = "rb") -> Any:
        if name.startswith("uni-a"):
            time.sleep(60)
        return super()._open(name, mode)  # type: ignore[misc]  # (the stubs leave it out)


class ReadOnlyStorage(FileSystemStorage):
    """Lets nobody write or delete."""

    def _save(self, name: str, content: Any) -> str:
        raise PermissionError("Read only")

    def delete(self, name: str) -> None:
        raise PermissionError("Read only")


class ElsewhereStorage(FileSystemStorage):
    """Is on another machine: it has no paths here."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._here = FileSystemStorage(**options)

    def path(self, name: str) -> str:
        raise NotImplementedError("This storage is elsewhere")

    def __getattribute__(self, name: str) -> Any:
        if name in {"listdir", "size", "get_modified_time", "open", "save", "delete", "exists"}:
            return getattr(super().__getattribute__("_here"), name)
        return super().__getattribute__(name)
