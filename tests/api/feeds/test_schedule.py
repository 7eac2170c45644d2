"""When files are expected and whether one is late: columns and the time, nothing else."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from program_enrollments.api.feeds.schedule import FeedTimes, days_of, mask_of, times_of
from program_enrollments.models import Feed, FeedHoliday, School

pytestmark = pytest.mark.once
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def at(day: int, hour: int, minute: int = 0, *, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def make(
    *,
    days: int = 31,
    received: datetime | None = None,
    zone: str = "UTC",
    since: datetime = LONG_AGO,
    hour: time = time(4),
    is_active: bool = True,
) -> Feed:
    return Feed(
        school=School(time_zone=zone),
        expected_days=days,
        expected_at=hour,
        expected_since=since,
        received_at=received,
        is_active=is_active,
    )


# 2 November 2026 is a Monday.
@pytest.mark.parametrize(
    ("now", "received", "late_since"),
    [
        (at(3, 3, 59), at(2, 3), None),
        (at(3, 4, 14), at(2, 3), None),
        (at(3, 4, 15), at(2, 3), at(3, 4)),
        (at(3, 9), at(3, 2), None),
        # Late on Monday is not early for Tuesday.
        (at(3, 5), at(2, 9), at(3, 4)),
        # The evening before is.
        (at(3, 5), at(2, 20), None),
        (at(3, 5), None, at(3, 4)),
        # What comes late ends it.
        (at(3, 12), at(3, 11), None),
        # From Friday to Monday.
        (at(9, 3), at(6, 3), None),
        (at(9, 5), at(6, 3), at(9, 4)),
        (at(8, 12), at(6, 3), None),
    ],
)
def test_late(now: datetime, received: datetime | None, late_since: datetime | None) -> None:
    assert times_of(make(received=received), holidays=[], now=now).late_since == late_since


def test_the_next_one() -> None:
    assert times_of(make(), holidays=[], now=at(6, 3)).next_at == at(6, 4)
    assert times_of(make(), holidays=[], now=at(6, 4)).next_at == at(9, 4)


def test_holidays_are_skipped() -> None:
    holidays = [FeedHoliday(first_day=date(2026, 11, 9), last_day=date(2026, 11, 10))]
    feed = make(received=at(6, 3))

    assert times_of(feed, holidays=holidays, now=at(6, 12)) == FeedTimes(at(11, 4))
    assert times_of(feed, holidays=holidays, now=at(10, 12)) == FeedTimes(at(11, 4))
    assert times_of(feed, holidays=holidays, now=at(11, 5)).late_since == at(11, 4)


def test_nothing_is_missed_from_before_the_feed_was_there() -> None:
    assert times_of(make(since=at(3, 8)), holidays=[], now=at(3, 9)).late_since is None
    assert times_of(make(since=at(3, 8)), holidays=[], now=at(4, 9)).late_since == at(4, 4)


def test_a_feed_that_is_off_or_without_days_is_never_late() -> None:
    assert times_of(make(is_active=False), holidays=[], now=at(3, 9)) == FeedTimes()
    assert times_of(make(days=0), holidays=[], now=at(3, 9)) == FeedTimes()


def test_once_a_week_a_day_early_counts() -> None:
    feed = make(days=1, received=at(8, 10))
    assert times_of(feed, holidays=[], now=at(9, 5)) == FeedTimes(at(16, 4))


def test_the_hour_is_the_schools() -> None:
    # Berlin is one hour ahead in winter, two in summer.
    assert times_of(make(zone="Europe/Berlin"), holidays=[], now=at(3, 2)).next_at == at(3, 3)
    assert times_of(make(zone="Europe/Berlin"), holidays=[], now=at(3, 2, month=8)).next_at == at(4, 2, month=8)


def test_the_day_is_the_schools() -> None:
    # Sunday evening in New York is Monday in UTC.
    feed = make(zone="America/New_York", hour=time(23))
    assert times_of(feed, holidays=[], now=at(2, 3, 50)).next_at == at(3, 4)


def test_the_hour_that_summer_time_leaves_out() -> None:
    feed = make(days=127, zone="Europe/Berlin", hour=time(2, 30), received=at(28, 1, month=3))
    assert times_of(feed, holidays=[], now=at(28, 20, month=3)).next_at == at(29, 1, 30, month=3)


def test_a_zone_that_this_machine_does_not_know_is_utc() -> None:
    assert times_of(make(zone="Mars/Base"), holidays=[], now=at(3, 2)).next_at == at(3, 4)


def test_masks() -> None:
    assert mask_of([1, 7]) == 65
    assert days_of(65) == [1, 7]
    assert days_of(mask_of(range(1, 8))) == list(range(1, 8))
