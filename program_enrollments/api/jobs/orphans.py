"""Orphans: stored files without a job, as a crash between storage and commit leaves them behind."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.core.cache import cache

from program_enrollments.api.jobs.inputs import delete_input, input_storage
from program_enrollments.conf import get_setting
from program_enrollments.failures import describe_failure
from program_enrollments.models import Job

logger = logging.getLogger(__name__)

FOLDER = re.compile(r"[0-9]+")
NAME = re.compile(r"[0-9a-f]{32}(_[0-9A-Za-z]+)?\.csv")
"""Names that `save_input` gives. Nothing else on the storage is touched."""

PAUSE = timedelta(hours=20)
"""Between two looks at the storage, whose list may be long."""

LEAST = timedelta(days=1)
"""Age of the youngest file that is taken for an orphan: no upload takes that long."""

LOOKED_AT_ONCE = 500
LOOK = "university_enrollments.orphans"


def forget_orphaned_files_daily(*, now: datetime) -> int:
    """Do as `forget_orphaned_files` once a day, and return how many files were deleted.

    The cache knows when the last look was; one that is lost costs another look.
    """
    try:
        is_due = cache.add(LOOK, now.isoformat(), PAUSE.total_seconds())
    # Caches have exceptions of their own, and none may stop the rest of the periodic work.
    except Exception as error:  # noqa: BLE001
        logger.warning("The cache does not answer: %s.", describe_failure(error))
        return 0
    return forget_orphaned_files(now=now) if is_due else 0


def forget_orphaned_files(*, now: datetime) -> int:
    """Delete stored files that no job names and that are as old as files may get; return how many.

    `KEEP_FILES_DAYS` holds for them as for all files. A younger one may belong to an upload under way, or to a job that
    comes back with a backup.
    """
    limit = now - max(timedelta(days=get_setting("KEEP_FILES_DAYS")), LEAST)
    gone = 0
    try:
        storage = input_storage()
        for names in _batches(_stored_names(storage)):
            known = set(Job.objects.filter(input_name__in=names).values_list("input_name", flat=True))
            for name in names:
                if name not in known and storage.get_modified_time(name) <= limit:
                    gone += delete_input(name=name)
    except FileNotFoundError:
        # Nothing was ever stored, or somebody else has just deleted it.
        pass
    # Storages have exceptions of their own; some cannot list what they hold.
    except Exception as error:  # noqa: BLE001
        logger.error("Stored files could not be looked through: %s.", describe_failure(error))
    return gone


def _stored_names(storage: Any) -> Iterator[str]:
    folders, _files = storage.listdir("")
    for folder in folders:
        if FOLDER.fullmatch(folder):
            _folders, files = storage.listdir(folder)
            yield from (f"{folder}/{file}" for file in files if NAME.fullmatch(file))


def _batches(names: Iterator[str]) -> Iterator[list[str]]:
    while batch := list(islice(names, LOOKED_AT_ONCE)):
        yield batch
