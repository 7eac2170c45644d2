"""Feeds in the console: adding, changing and switching one, what came, what is late, and holidays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from program_enrollments import api
from program_enrollments.data import Permission
from program_enrollments.models import Feed, FeedHoliday
from tests.api.feeds.conftest import Folder, feed_storage
from tests.console.conftest import Desk, administrator
from tests.rest_api.callers import Campus, make_campus

__all__ = ["feed_storage"]


@pytest.fixture
def manager(campus: Campus) -> Desk:
    return administrator(Permission.MANAGE_SCHOOL, campus=campus)


@pytest.fixture
def folder(campus: Campus, feed_storage: Callable[..., Path]) -> Folder:
    folder = Folder(feed_storage(), campus.school, campus.program)
    folder.path.mkdir(parents=True)
    return folder


def form(campus: Campus, **changes: object) -> dict[str, object]:
    return {
        "program": str(campus.program.uuid),
        "kind": "program_enrollments",
        "pattern": "mds-*.csv",
        "mode": "snapshot",
        "leaving_status": "ended",
        "cascade": "on",
        "days": ["1", "3"],
        "hour": "04:30",
        **changes,
    }


def test_a_manager_adds_a_feed(manager: Desk, campus: Campus, folder: Folder) -> None:
    assert "No feed yet" in manager.open("feeds", campus.school.key).text
    assert "Your own folder is uni-a." in manager.open("feed-add", campus.school.key).text

    page = manager.send("feed-add", campus.school.key, **form(campus, folder="sis"))

    assert "Saved." in page.messages()[0]
    feed = Feed.objects.get()
    assert (feed.program, feed.folder, feed.pattern, feed.mode) == (campus.program, "sis", "mds-*.csv", "snapshot")
    assert (feed.leaving_status, feed.cascade, api.days_of(feed.expected_days)) == ("ended", True, [1, 3])
    assert (str(feed.expected_at), feed.changed_by_id) == ("04:30:00", manager.user.pk)
    (row,) = page.rows()
    assert row.startswith(
        f"uni-a/sis/mds-*.csv Who is in the program, snapshot of everybody who is present {campus.program.title} on"
    )
    assert row.endswith("Monday, Wednesday")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"folder": "../uni-b"}, "It cannot lead out of your own folder."),
        ({"folder": "sis/processed"}, "“processed” and “rejected” are where files are put afterwards."),
        ({"pattern": "a/b"}, "without slashes"),
        ({"hour": "25:00"}, "Enter a valid time."),
        ({"days": ["8"]}, "8 is not one of the available choices."),
        ({"program": "00000000-0000-4000-8000-000000000000"}, "is not one of the available choices."),
    ],
)
def test_what_cannot_be_says_why(
    changes: dict[str, object], message: str, manager: Desk, campus: Campus, folder: Folder
) -> None:
    page = manager.send("feed-add", campus.school.key, **form(campus, **changes))

    assert page.status == 400
    assert message in " ".join(page.errors())
    assert not Feed.objects.exists()


def test_a_feed_is_changed_and_switched(manager: Desk, campus: Campus, folder: Folder) -> None:
    manager.send("feed-add", campus.school.key, **form(campus))
    feed = Feed.objects.get()
    page = manager.open("feed", campus.school.key, feed.pk)
    assert page.heading == "mds-*.csv"
    assert page.tree.xpath('//input[@name="days"][@checked]/@value') == ["1", "3"]
    assert page.tree.xpath('//input[@name="hour"]/@value') == ["04:30"]

    manager.send("feed", campus.school.key, feed.pk, **form(campus, pattern="*.csv"))
    feed.refresh_from_db()
    assert feed.pattern == "*.csv"
    second = manager.send("feed-add", campus.school.key, **form(campus))
    assert "There is a feed of snapshots for this already." in second.errors()[0]

    off = manager.send("feed-switch", campus.school.key, feed.pk, action="off")
    assert off.messages() == ["The feed is off. Files stay where they are."]
    assert " off " in off.rows()[0]
    manager.send("feed-add", campus.school.key, **form(campus))
    on = manager.send("feed-switch", campus.school.key, feed.pk, action="on")
    assert "There is a feed of snapshots for this already." in on.messages()[0]
    assert manager.send("feed-switch", campus.school.key, feed.pk, action="x").status == 404


def test_what_came_and_what_is_late(manager: Desk, campus: Campus, folder: Folder) -> None:
    folder.add_feed(pattern="*.csv", expected_days=frozenset(range(1, 8)))
    Feed.objects.update(expected_since=folder.now)
    folder.drop("good.csv")
    folder.drop("bad.csv", "name\nKim\n")
    folder.collect()

    page = manager.open("feeds", campus.school.key)

    # The clock of the folder stands in the past.
    feed, *files = page.rows()
    assert " late since " in feed
    bad, good = sorted(files)
    assert good.startswith("uni-a/good.csv waits for its turn")
    assert bad.startswith("uni-a/bad.csv rejected The file lacks the columns")


def test_a_folder_that_cannot_be_used_is_said(manager: Desk, campus: Campus, folder: Folder) -> None:
    folder.add_feed(folder="sis")
    (folder.path / "sis").rmdir()
    folder.collect()

    assert "There is no folder uni-a/sis." in manager.open("feeds", campus.school.key).text


def test_a_platform_without_a_storage_says_so(manager: Desk, campus: Campus, settings: Settings) -> None:
    settings.STORAGES = {name: one for name, one in settings.STORAGES.items() if "feeds" not in name}
    assert "has no storage on which files could be dropped" in manager.open("feeds", campus.school.key).text


def test_holidays_are_skipped_by_hand(manager: Desk, campus: Campus, folder: Folder) -> None:
    key = campus.school.key
    page = manager.send("feed-holidays", key, first_day="2099-12-24", last_day="2100-01-06")
    assert "24 Dec 2099 – 6 Jan 2100" in page.text
    manager.send("feed-holidays", key, first_day="2099-05-01")
    assert manager.send("feed-holidays", key, first_day="2099-05-01", last_day="2099-04-01").errors() == [
        "The last day is before the first one."
    ]
    assert manager.send("feed-holidays", key, first_day="x").status == 400

    first = FeedHoliday.objects.get(first_day="2099-12-24")
    assert "24 Dec" not in manager.send("feed-holidays", key, remove=str(first.pk)).text
    for other in (str(first.pk), "x", "9" * 30):
        assert manager.send("feed-holidays", key, remove=other).status == 404


def test_another_schools_feed_and_holiday_do_not_exist(manager: Desk, campus: Campus, folder: Folder) -> None:
    other = make_campus("uni-b")
    folder.add_feed()
    feed = Feed.objects.get()
    stranger = administrator(Permission.MANAGE_SCHOOL, campus=other)
    manager.send("feed-holidays", campus.school.key, first_day="2099-05-01")

    assert stranger.open("feed", other.school.key, feed.pk).status == 404
    assert stranger.send("feed", other.school.key, feed.pk, **form(other)).status == 404
    assert stranger.send("feed-switch", other.school.key, feed.pk, action="off").status == 404
    holiday = FeedHoliday.objects.get().pk
    assert stranger.send("feed-holidays", other.school.key, remove=str(holiday)).status == 404


def test_the_time_zone_is_in_the_settings(manager: Desk, campus: Campus) -> None:
    brand = {"name": "University A", "guard_minimum": "10", "guard_percent": "20", "time_zone": "Europe/Berlin"}
    manager.send("brand", campus.school.key, **brand)

    campus.school.refresh_from_db()
    assert campus.school.time_zone == "Europe/Berlin"
    assert "The hour is that of Europe/Berlin" in manager.open("feed-add", campus.school.key).text
