"""Inputs: the files as they were sent, on the storage that the host names."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, BinaryIO, cast
from uuid import uuid4

from django.conf import settings
from django.core.files import File
from django.core.files.storage import FileSystemStorage, storages
from django.utils.translation import gettext_noop as _

from program_enrollments.conf import get_setting
from program_enrollments.exceptions import ProgramEnrollmentsError, StorageUnavailable
from program_enrollments.failures import describe_failure

logger = logging.getLogger(__name__)

FOLDER = "program_enrollments_files"
"""Where inputs are kept, below the folder that the process runs in, if no storage is named."""


def input_storage() -> Any:
    """Return the storage of inputs: the alias that `FILE_STORAGE` names, or a private folder."""
    alias = get_setting("FILE_STORAGE")
    if alias in settings.STORAGES:
        return storages[alias]
    return FileSystemStorage(
        location=Path.cwd() / FOLDER, base_url=None, file_permissions_mode=0o600, directory_permissions_mode=0o700
    )


def save_input(*, file: BinaryIO, school_id: int) -> str:
    """Store a file and return the name under which it is found again.

    Raises StorageUnavailable; nothing is left of the file then.
    """
    wanted = f"{school_id}/{uuid4().hex}.csv"
    storage = input_storage()
    file.seek(0)
    try:
        return cast("str", storage.save(wanted, File(file)))
    # Each storage has exceptions of its own, and all come to the same for whoever sent the file.
    except Exception as error:
        logger.error("A file could not be stored: %s.", describe_failure(error))
        delete_input(name=wanted)
        raise StorageUnavailable from error


def open_input(*, name: str) -> BinaryIO:
    """Open a stored file for reading. Raises StorageUnavailable, also for a file that is gone."""
    try:
        return cast("BinaryIO", input_storage().open(name, "rb"))
    # As above.
    except Exception as error:
        logger.error("A stored file could not be opened: %s.", describe_failure(error))
        raise StorageUnavailable(_("The storage for files does not work just now.")) from error


def raise_for_storage(error: BaseException) -> None:
    """Raise StorageUnavailable if reading a file failed for another reason than the file itself.

    Each storage has exceptions of its own. Whatever is wrong with a table is one of this app's.
    """
    if isinstance(error, Exception) and not isinstance(error, ProgramEnrollmentsError):
        logger.error("A stored file could not be read: %s.", describe_failure(error))
        raise StorageUnavailable(_("The storage for files does not work just now.")) from error


def delete_input(*, name: str) -> bool:
    """Delete a stored file, if it is there; return whether the storage did it."""
    try:
        input_storage().delete(name)
    except Exception as error:  # noqa: BLE001  (the next round of retention tries again)
        logger.error("A stored file could not be deleted: %s.", describe_failure(error))
        return False
    return True
