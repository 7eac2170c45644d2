"""Drops: a school's folder on the storage, and nothing outside of it.

Each storage has exceptions of its own; all become StorageUnavailable, except that something is not there.
"""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import storages
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from program_enrollments.conf import get_setting
from program_enrollments.exceptions import StorageUnavailable
from program_enrollments.failures import describe_failure
from program_enrollments.sentences import known

logger = logging.getLogger(__name__)

OUT_OF_REACH = known(_("A file or folder on the storage for feeds could not be reached."))


class LeadsOut(Exception):
    """A name in a school's folder is a link to somewhere else, or no file at all. It is not touched."""


@dataclass(frozen=True, slots=True)
class Look:
    """What is known of a file without reading it."""

    size: int
    modified_at: datetime


def has_feed_storage() -> bool:
    """Return whether the host names a storage for feeds."""
    return get_setting("FEED_STORAGE") in settings.STORAGES


class Drop:
    """What a collector may do in the folder `root`. Paths begin with it."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.storage: Any = storages[get_setting("FEED_STORAGE")]

    def names(self, folder: str) -> list[str]:
        """Return the names of a folder's files, sorted.

        Raises FileNotFoundError, LeadsOut, StorageUnavailable.
        """
        with _told("listed"):
            self._check(folder)
            _folders, files = self.storage.listdir(folder)
            return sorted(map(str, files))

    def look(self, path: str) -> Look:
        """Return size and modification time. Raises FileNotFoundError, LeadsOut, StorageUnavailable."""
        with _told("seen"):
            self._check(path, is_file=True)
            modified_at = self.storage.get_modified_time(path)
            if timezone.is_naive(modified_at):
                modified_at = timezone.make_aware(modified_at)
            return Look(int(self.storage.size(path)), modified_at)

    @contextmanager
    def opened(self, path: str) -> Iterator[BinaryIO]:
        """Open a file for reading.

        Raises FileNotFoundError, LeadsOut, StorageUnavailable, also while it is read.
        """
        with _told("read"):
            self._check(path, is_file=True)
            with self.storage.open(path, "rb") as file:
                self._check_opened(path, file)
                yield cast("BinaryIO", file)

    def move(self, path: str, *, to: str) -> None:
        """Move a file. If it was copied before and not deleted, only that is done."""
        with _told("moved"):
            self._check(to)
            looked = self.look(path)
            if not self.storage.exists(to) or self.storage.size(to) != looked.size:
                if self.storage.exists(to):
                    self.storage.delete(to)
                with self.opened(path) as file:
                    self.storage.save(to, File(file))
            self.storage.delete(path)

    def write(self, path: str, text: str) -> None:
        """Write a text, in the place of an earlier one."""
        with _told("written"):
            self._check(path)
            self.storage.delete(path)
            self.storage.save(path, ContentFile(text.encode()))

    def delete(self, path: str) -> None:
        """Delete a file, if it is there."""
        with _told("deleted"):
            self._check(path)
            self.storage.delete(path)

    def _check(self, path: str, *, is_file: bool = False) -> None:
        """Raise LeadsOut if a link on this machine leads out of the root, or if a file to be read is none.

        Who drops files by SFTP may make links as well, and those lead wherever the collector may read.
        """
        local = self._local(path)
        if local is None:
            return
        real, root = os.path.realpath(local), os.path.realpath(cast("Path", self._local(self.root)))
        if real != root and not Path(real).is_relative_to(root):
            raise LeadsOut
        if is_file and not stat.S_ISREG(os.lstat(real).st_mode):
            raise LeadsOut

    def _check_opened(self, path: str, file: Any) -> None:
        """Check once more what was opened: a link may have taken the file's place."""
        local = self._local(path)
        if local is None:
            return
        self._check(path, is_file=True)
        if not os.path.samestat(os.fstat(file.fileno()), os.lstat(os.path.realpath(local))):
            raise LeadsOut

    def _local(self, path: str) -> Path | None:
        """Return where a path is on this machine; None if the storage is elsewhere."""
        try:
            return Path(self.storage.path(path))
        except NotImplementedError:
            return None


@contextmanager
def _told(done: str) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, LeadsOut, StorageUnavailable):
        raise
    # Each storage has exceptions of its own.
    except Exception as error:
        logger.error("A file of a feed could not be %s: %s.", done, describe_failure(error))
        raise StorageUnavailable(OUT_OF_REACH) from error


def delete_kept(*, root: str, path: str) -> bool:
    """Delete a file that was put away, if it is there; return whether the storage did it."""
    if not has_feed_storage():
        return False
    try:
        with suppress(FileNotFoundError, LeadsOut):
            Drop(root).delete(path)
    except StorageUnavailable:
        return False
    return True
