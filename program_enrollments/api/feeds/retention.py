"""Retention: files that were put away are deleted after their time, as files of jobs are."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from program_enrollments.api.feeds.drops import delete_kept
from program_enrollments.api.feeds.folders import NOTE, root_of
from program_enrollments.api.transactions import after_commit
from program_enrollments.data import FeedFileState
from program_enrollments.models import FeedFile

AT_ONCE = 100
STALE = timedelta(days=2)
"""A file that was seen and vanished before it was complete is forgotten after so long."""


def forget_feed_files(*, now: datetime) -> int:
    """Delete files that have been put away for `KEEP_FILES_DAYS`, with their rows; return how many.

    One that the storage does not delete is tried again the next time.
    """
    FeedFile.objects.filter(state=FeedFileState.SEEN, seen_at__lt=now - STALE).delete()
    expired = FeedFile.objects.filter(delete_at__lte=now).select_related("feed__school").order_by("pk")
    gone, behind = 0, 0
    while batch := list(expired.filter(pk__gt=behind)[:AT_ONCE]):
        deleted = [row.pk for row in batch if _delete(row)]
        gone += FeedFile.objects.filter(pk__in=deleted).delete()[0]
        behind = batch[-1].pk
    return gone


def forget_in_feeds(*, school_id: int, now: datetime) -> None:
    """Delete all files of a school that were put away: which of them name a person is not known.

    Part of retiring a person, in the caller's transaction; the storage follows the commit.
    """
    put_away = FeedFile.objects.filter(feed__school=school_id, moved_at__isnull=False)
    if put_away.update(delete_at=now):
        # What the storage does not delete now, it is asked to delete again by `forget_feed_files`.
        after_commit(partial(forget_feed_files, now=now))


def _delete(row: FeedFile) -> bool:
    if not row.kept_path:
        return True
    root = root_of(row.feed.school)
    return all(delete_kept(root=root, path=path) for path in (row.kept_path, f"{row.kept_path}{NOTE}"))
