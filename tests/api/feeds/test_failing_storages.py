"""Storages that fail, hang or let nobody write: one school's does not harm another's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from tests.api.feeds.conftest import Folder
from tests.factories.enrollment import CurriculumFactory, SchoolFactory

STORAGES = "tests.api.feeds.storages"


def test_a_folder_that_is_not_there_is_said(folder: Folder) -> None:
    feed = folder.add_feed(folder="sis/exports")
    (folder.path / feed.folder).rmdir()

    collected = folder.collect()

    text = "There is no folder uni-a/sis/exports. Make it, or correct the feed."
    assert collected.problems == [f"uni-a: {text}"]
    assert (folder.look().problem, folder.look().failing_since) == (text, folder.now)
    since = folder.now
    folder.collect()
    assert folder.look().failing_since == since
    (folder.path / feed.folder).mkdir()
    folder.collect()
    assert (folder.look().problem, folder.look().failing_since) == ("", None)


def test_a_storage_that_fails_for_one_school_harms_no_other(
    folder: Folder, feed_storage: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    folder.add_feed()
    folder.drop("nightly.csv")
    school = SchoolFactory(key="uni-b")
    other = Folder(folder.root, school, CurriculumFactory(program__school=school).program)
    other.add_feed()
    other.drop("other.csv")
    feed_storage(f"{STORAGES}.AwayStorage")

    collected = folder.collect()

    assert folder.jobs() == ["other.csv"]
    assert collected.problems == [
        "uni-a: A file or folder on the storage for feeds could not be reached. It is tried again by itself."
    ]
    assert folder.look().claimed_until is None
    feed_storage()
    assert folder.collect().taken == 1


def test_a_storage_that_hangs_for_one_school_keeps_no_other_waiting(
    folder: Folder, feed_storage: Callable[..., Path], settings: Settings
) -> None:
    folder.add_feed()
    folder.drop("nightly.csv")
    folder.drop("second.csv")
    school = SchoolFactory(key="uni-b")
    other = Folder(folder.root, school, CurriculumFactory(program__school=school).program)
    other.add_feed()
    other.drop("other.csv")
    feed_storage(f"{STORAGES}.HangingStorage")
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "FEED_HANG_SECONDS": 1}

    collected = folder.collect()

    assert folder.jobs() == ["other.csv"]
    assert collected.problems == ["uni-a: The storage for feeds stopped answering. It is asked again in an hour."]
    feed_storage()
    assert folder.collect().taken == 0, "it rests"
    assert folder.collect(after=timedelta(hours=2)).taken == 2


def test_a_folder_in_which_nothing_can_be_moved_makes_one_job_and_says_so(
    folder: Folder, feed_storage: Callable[..., Path]
) -> None:
    folder.add_feed()
    folder.drop("one.csv")
    folder.drop("two.csv")
    feed_storage(f"{STORAGES}.ReadOnlyStorage")

    for _look in range(3):
        folder.collect()

    assert folder.jobs() == ["one.csv", "two.csv"]
    assert "Give the platform write permission" in folder.look().problem
    feed_storage()
    folder.collect()
    assert (folder.names(), len(folder.names("processed")), folder.jobs()) == ([], 2, ["one.csv", "two.csv"])


def test_the_platforms_own_storage_may_fail(folder: Folder, settings: Settings) -> None:
    folder.add_feed()
    folder.drop("nightly.csv")
    working = settings.STORAGES
    full = {**working["program_enrollments"], "BACKEND": "tests.api.jobs.storages.FullStorage"}
    settings.STORAGES = {**working, "program_enrollments": full}

    folder.collect()

    assert (folder.jobs(), folder.states(), folder.names()) == ([], ["seen"], ["nightly.csv", "nightly.csv.done"])
    assert "own storage" in folder.look().problem
    settings.STORAGES = working
    assert folder.collect().taken == 1


def test_a_storage_elsewhere_does_the_same(folder: Folder, feed_storage: Callable[..., Path]) -> None:
    feed_storage(f"{STORAGES}.ElsewhereStorage")
    folder.add_feed()
    folder.drop("nightly.csv")
    folder.drop("bad.csv", "name\nKim\n")

    collected = folder.collect()

    assert (collected.taken, collected.rejected, folder.names()) == (1, 1, [])
