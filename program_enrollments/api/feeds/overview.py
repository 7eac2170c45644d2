"""Overview: a school's feeds with their last file, the next expected one, and what is wrong."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, Max, OuterRef, Q

from program_enrollments.api.feeds.drops import has_feed_storage
from program_enrollments.api.feeds.folders import folder_of, root_of
from program_enrollments.api.feeds.schedule import FeedTimes, times_of
from program_enrollments.api.schools import zone_of
from program_enrollments.conf import get_setting
from program_enrollments.data import FeedFileState
from program_enrollments.models import Feed, FeedFile, FeedHoliday, FeedLook, School

SHOWN = 20
LATE_LOOK = timedelta(minutes=15)
"""Without a look at a school's folders for so long, nobody seems to collect files."""


@dataclass(frozen=True, slots=True)
class FeedState:
    """A feed, its folder on the storage, its last decided file, and its times."""

    feed: Feed
    folder: str
    last: FeedFile | None
    times: FeedTimes


@dataclass(frozen=True, slots=True)
class SchoolFeeds:
    """The feeds of a school, its last files, and its holidays that are not over.

    `root` is the school's folder. `look` is None until a feed was added.
    """

    root: str
    states: list[FeedState]
    files: list[FeedFile]
    holidays: list[FeedHoliday]
    look: FeedLook | None
    has_storage: bool


def fetch_feeds(*, school: School, now: datetime) -> SchoolFeeds:
    """Return a school's feeds with their state. Five statements."""
    feeds = list(Feed.objects.filter(school=school).select_related("program", "school").order_by("pk"))
    holidays = list(FeedHoliday.objects.filter(school=school))
    today = now.astimezone(zone_of(school)).date()
    decided = FeedFile.objects.filter(feed__school=school).exclude(state=FeedFileState.SEEN)
    last_ids = decided.order_by().values("feed").annotate(last=Max("pk")).values("last")
    by_feed = {one.feed_id: one for one in FeedFile.objects.filter(pk__in=last_ids)}
    states = [
        FeedState(feed, folder_of(feed), by_feed.get(feed.pk), times_of(feed, holidays=holidays, now=now))
        for feed in feeds
    ]
    return SchoolFeeds(
        root=root_of(school),
        states=states,
        files=list(decided.select_related("feed__program", "job").order_by("-decided_at", "-pk")[:SHOWN]),
        holidays=[one for one in holidays if one.last_day >= today],
        look=FeedLook.objects.filter(school=school).first(),
        has_storage=has_feed_storage(),
    )


def fetch_late_feeds(*, now: datetime, program_ids: Collection[int] | None = None) -> list[FeedState]:
    """Return the feeds that are late: those of some programs, or of all schools. Two statements."""
    feeds = Feed.objects.filter(is_active=True, expected_days__gt=0).select_related("program", "school").order_by("pk")
    if program_ids is not None:
        feeds = feeds.filter(program_id__in=program_ids)
    found = list(feeds)
    holidays: dict[int, list[FeedHoliday]] = {}
    for one in FeedHoliday.objects.filter(school_id__in={feed.school_id for feed in found}):
        holidays.setdefault(one.school_id, []).append(one)
    timed = ((feed, times_of(feed, holidays=holidays.get(feed.school_id, []), now=now)) for feed in found)
    return [FeedState(feed, folder_of(feed), None, times) for feed, times in timed if times.late_since is not None]


def count_unwatched_schools(*, now: datetime) -> int:
    """Return how many schools have feeds whose folders nobody has looked at for a quarter of an hour."""
    limit = now - max(LATE_LOOK, timedelta(seconds=3 * int(get_setting("FEED_SECONDS"))))
    active = Feed.objects.filter(is_active=True, school=OuterRef("school"))
    looks = FeedLook.objects.filter(Exists(active))
    never = Q(looked_at__isnull=True) & Exists(active.filter(expected_since__lte=limit))
    return looks.filter(Q(looked_at__lte=limit) | never).count()


def has_feed_table(connection: Any) -> bool:
    """Return whether the tables of feeds are there yet."""
    return Feed._meta.db_table in connection.introspection.table_names()


def has_active_feeds() -> bool:
    """Return whether any school has a feed that is on."""
    return Feed.objects.filter(is_active=True).exists()
