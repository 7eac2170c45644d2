"""Deliveries: one file becomes a job or is rejected, then it is put away."""

from __future__ import annotations

import hashlib
import logging
import re
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import PurePosixPath
from tempfile import TemporaryFile
from typing import Any, BinaryIO

from django.conf import settings
from django.utils.translation import gettext_noop as _

from program_enrollments.api.feeds.drops import Drop, LeadsOut, Look
from program_enrollments.api.feeds.folders import NOTE, PROCESSED, REJECTED, kept_path_of
from program_enrollments.api.jobs.upload import SentFile, UploadOptions, upload_file
from program_enrollments.conf import get_setting
from program_enrollments.data import FeedFileState, JobKind, JobMode, Origin, ProgramStatus, Source
from program_enrollments.exceptions import FileIncomplete, InvalidFile, StorageUnavailable
from program_enrollments.failures import describe_failure
from program_enrollments.models import Feed, FeedFile, Job
from program_enrollments.sentences import known

logger = logging.getLogger(__name__)

BLOCK = 256 * 1024
MARKER_BYTES = 1_000
ROWS = re.compile(r"^\s*rows\s*[=:]\s*([0-9]{1,9})\s*$", re.MULTILINE | re.IGNORECASE)
DIGEST = re.compile(r"^\s*sha256\s*[=:]\s*([0-9a-fA-F]{64})\s*$", re.MULTILINE | re.IGNORECASE)

TOO_LARGE = known(
    _("The file has more than %(limit)d bytes. Split it into smaller files, or ask the platform's operators.")
)
OWN_STORAGE = known(_("The platform's own storage for files does not work just now."))
NO_ROOM = known(_("This machine has no room for the file."))
NOT_MOVED = known(_("%(path)s could not be moved to %(folder)s. Give the platform write permission in the folder."))


class TakenAlready(Exception):
    """Another collector has decided about this file."""


def take(drop: Drop, feed: Feed, row: FeedFile, *, marker: str, now: datetime) -> None:
    """Make a job of a complete file, or reject it; `row` shows which.

    A file that changes meanwhile stays as it is. Raises TakenAlready, FileNotFoundError, LeadsOut, StorageUnavailable.
    """
    limit = get_setting("MAX_FILE_BYTES")
    if row.size > limit:
        reject(row, TOO_LARGE % {"limit": limit}, now=now)
        return
    with _temporary_file() as file:
        size, digest = _copy(drop, row.path, file, limit=limit)
        if Look(size, row.modified_at) != drop.look(row.path):
            # It grew while it was read. The next look knows it by its new size.
            return
        said = _read_marker(drop, marker)
        try:
            upload_file(
                program=_program_of(feed),
                kind=JobKind(feed.kind),
                sent=SentFile(file, PurePosixPath(row.path).name, size, digest),
                options=UploadOptions(
                    mode=JobMode(feed.mode),
                    cascade=feed.cascade,
                    leaving_status=_leaving_status(feed),
                    rows=int(found[1]) if (found := ROWS.search(said)) else None,
                    sha256=found[1] if (found := DIGEST.search(said)) else None,
                ),
                origin=Origin(source=Source.UPLOAD.value, request_id=f"feed-{feed.pk}"),
                now=now,
                when_accepted=partial(_note_job, row, feed, now),
            )
        except (InvalidFile, FileIncomplete) as error:
            reject(row, error.detail, now=now)
            return
        except StorageUnavailable as error:
            raise StorageUnavailable(OWN_STORAGE) from error
    row.state, row.decided_at = FeedFileState.TAKEN, now


def reject(row: FeedFile, problem: str, *, now: datetime) -> None:
    """Decide that no job is made of a file. Raises TakenAlready."""
    values = {"state": FeedFileState.REJECTED, "decided_at": now, "problem": problem[:1000]}
    if not FeedFile.objects.filter(pk=row.pk, state=FeedFileState.SEEN).update(**values):
        raise TakenAlready
    for name, value in values.items():
        setattr(row, name, value)


def put_away(drop: Drop, row: FeedFile, *, marker: str, now: datetime) -> None:
    """Move a decided file to `processed` or `rejected`, a rejected one with a note; delete its marker.

    May be done again after a crash. Raises StorageUnavailable, LeadsOut.
    """
    assert row.decided_at is not None  # noqa: S101  (a constraint of the table)
    folder = REJECTED if row.state == FeedFileState.REJECTED else PROCESSED
    # After a repetition of a file that was put away before, another name.
    at = now if row.moved_at is not None else row.decided_at
    kept = kept_path_of(row.path, folder=folder, at=at)
    try:
        # What a sender has put into its place since is another file.
        if drop.look(row.path) == Look(row.size, row.modified_at):
            drop.move(row.path, to=kept)
            if row.state == FeedFileState.REJECTED:
                drop.write(f"{kept}{NOTE}", _write_note(row))
            if marker:
                drop.delete(marker)
    except FileNotFoundError:
        kept = ""
    except StorageUnavailable as error:
        raise StorageUnavailable(NOT_MOVED % {"path": row.path, "folder": folder}) from error
    delete_at = now + timedelta(days=get_setting("KEEP_FILES_DAYS"))
    FeedFile.objects.filter(pk=row.pk).update(kept_path=kept, moved_at=now, delete_at=delete_at)


def _note_job(row: FeedFile, feed: Feed, now: datetime, job: Job) -> None:
    """Mark a file as taken, in the transaction that makes its job."""
    taken = FeedFile.objects.filter(pk=row.pk, state=FeedFileState.SEEN)
    if not taken.update(state=FeedFileState.TAKEN, decided_at=now, feed=feed, job=job):
        raise TakenAlready
    Feed.objects.filter(pk=feed.pk).update(received_at=now)


def _program_of(feed: Feed) -> Any:
    assert feed.program is not None  # noqa: S101  (a constraint of the table: all kinds there are belong to one)
    return feed.program


def _leaving_status(feed: Feed) -> ProgramStatus:
    is_own = feed.mode == JobMode.SNAPSHOT and feed.kind == JobKind.PROGRAM_ENROLLMENTS
    return ProgramStatus(feed.leaving_status) if is_own else ProgramStatus.CANCELED


def _copy(drop: Drop, path: str, file: BinaryIO, *, limit: int) -> tuple[int, str]:
    """Copy a file to this machine, and return its size and digest. Stops behind the limit."""
    digest, size = hashlib.sha256(), 0
    with drop.opened(path) as source:
        while size <= limit and (piece := source.read(BLOCK)):
            try:
                file.write(piece)
            except OSError as error:
                logger.error("A file of a feed could not be copied: %s.", describe_failure(error))
                raise StorageUnavailable(NO_ROOM) from error
            digest.update(piece)
            size += len(piece)
    return size, digest.hexdigest()


def _read_marker(drop: Drop, marker: str) -> str:
    """Return what a marker says, "" without one."""
    if not marker:
        return ""
    with suppress(FileNotFoundError, LeadsOut), drop.opened(marker) as file:
        return file.read(MARKER_BYTES).decode("utf-8", "replace")
    return ""


def _write_note(row: FeedFile) -> str:
    return (
        f"{PurePosixPath(row.path).name} was not taken, and nothing was changed.\n\n{row.problem}\n\n"
        "Correct the file and drop it again. docs/files.rst has what a file looks like.\n"
    )


def _temporary_file() -> Any:
    return TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR)
