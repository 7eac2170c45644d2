"""Folders: where a school's files lie on the storage, and which names count as files."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from django.utils.translation import gettext as _

from program_enrollments.exceptions import FeedRefused
from program_enrollments.models import Feed, School

PROCESSED, REJECTED = "processed", "rejected"
MARKER = ".done"
NOTE = ".txt"

PLAIN_KEY = re.compile(r"[a-z0-9][a-z0-9._-]*")
PLAIN_FOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")
UNFINISHED = (MARKER, ".part", ".filepart", ".tmp", ".swp", "~")
"""Ends of names that are no files to be taken: markers, and uploads that programs have under way."""

MAX_NAME = 250


def root_of(school: School) -> str:
    """Return the school's own folder on the storage.

    It is the school's key, or its number if the key is no name of a folder. No two schools share one, also where the
    storage ignores case: only small letters stand for themselves.
    """
    key = str(school.key)
    return key if PLAIN_KEY.fullmatch(key) and len(key) <= MAX_NAME else f"_{school.pk}"


def folder_of(feed: Feed) -> str:
    """Return a feed's folder on the storage."""
    root = root_of(feed.school)
    return f"{root}/{feed.folder}" if feed.folder else root


def check_folder(text: str) -> str:
    """Return a folder below the school's own, without slashes at its ends. Raises FeedRefused."""
    folder = text.strip().strip("/")
    if folder and (not PLAIN_FOLDER.fullmatch(folder) or ".." in folder):
        raise FeedRefused(
            _("Use letters, digits, “.”, “_” and “-”, and “/” between folders. It cannot lead out of your own folder."),
            field="folder",
        )
    if {PROCESSED, REJECTED} & set(folder.lower().split("/")):
        raise FeedRefused(
            _("“processed” and “rejected” are where files are put afterwards. Use another name."), field="folder"
        )
    return folder


def check_pattern(text: str) -> str:
    """Return a pattern of names, such as `mds-*.csv`. Raises FeedRefused."""
    pattern = text.strip()
    if not pattern or "/" in pattern or "\\" in pattern or not pattern.isprintable():
        raise FeedRefused(
            _("Write a name in which * stands for any text, such as mds-*.csv, without slashes."), field="pattern"
        )
    return pattern


def fits(name: str, pattern: str) -> bool:
    """Return whether a name in a folder is that of a file for this pattern."""
    return is_file_name(name) and fnmatchcase(name, pattern)


def is_file_name(name: str) -> bool:
    """Return whether a name can be that of a finished file.

    Hidden ones, markers and partial uploads are not.
    """
    return not name.startswith(".") and not name.lower().endswith(UNFINISHED)


def is_storable(name: str) -> bool:
    """Return whether every database can store a name, and every folder a longer one beside it."""
    return len(name) <= MAX_NAME and name.isprintable() and not set(name) & {"/", "\\"}


def kept_path_of(path: str, *, folder: str, at: datetime) -> str:
    """Return where a file goes once it is decided: into `folder` beside it, with the time in its name."""
    whole = PurePosixPath(path)
    stamp = at.astimezone(UTC).strftime("%Y%m%dT%H%M%S%f")[:-3]
    return str(whole.parent / folder / f"{whole.stem}.{stamp}{whole.suffix}")
