"""Schedule: when a feed's files are expected, and whether one is late.

Pure functions of columns and the time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice

from program_enrollments.api.schools import zone_of
from program_enrollments.models import Feed, FeedHoliday

GRACE = timedelta(minutes=15)
"""After the hour at which a file is expected: it may lie there already, and wait for a second look."""

FURTHEST = 400
"""Days that are looked through for the next or the last expected one."""

DAYS = range(1, 8)
"""Monday is 1."""


@dataclass(frozen=True, slots=True)
class FeedTimes:
    """When a file is expected next, and, if the feed is late, since when."""

    next_at: datetime | None = None
    late_since: datetime | None = None


def days_of(mask: int) -> list[int]:
    """Return the weekdays of a mask, Monday as 1."""
    return [day for day in DAYS if mask & (1 << (day - 1))]


def mask_of(days: Collection[int]) -> int:
    """Return the mask of weekdays, Monday as 1."""
    return sum(1 << (day - 1) for day in DAYS if day in days)


def times_of(feed: Feed, *, holidays: Collection[FeedHoliday], now: datetime) -> FeedTimes:
    """Return when a feed's file is expected next, and since when one is late.

    A file counts for the expected time that is nearest to it: one that comes on Monday at nine counts for Monday at
    four, and not for Tuesday.
    """
    days = set(days_of(feed.expected_days))
    if not feed.is_active or not days:
        return FeedTimes()
    zone = zone_of(feed.school)

    def is_expected(day: date) -> bool:
        return day.isoweekday() in days and not any(one.first_day <= day <= one.last_day for one in holidays)

    def moments(step: int) -> Iterator[datetime]:
        today = now.astimezone(zone).date()
        for count in range(FURTHEST):
            day = today + timedelta(days=step * count)
            if is_expected(day):
                yield datetime.combine(day, feed.expected_at, tzinfo=zone).astimezone(UTC)

    next_at = _first(moments(1), lambda moment: moment > now)
    due = list(islice((moment for moment in moments(-1) if moment <= now), 2))
    if not due or due[0] + GRACE > now or due[0] <= feed.expected_since:
        return FeedTimes(next_at)
    before = due[1] if len(due) > 1 else due[0] - timedelta(days=7)
    counts_from = due[0] - (due[0] - before) / 2
    is_late = feed.received_at is None or feed.received_at < counts_from
    return FeedTimes(next_at, due[0] if is_late else None)


def _first(moments: Iterator[datetime], fits: Callable[[datetime], bool]) -> datetime | None:
    return next(filter(fits, moments), None)
