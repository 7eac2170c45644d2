"""Setting feeds up: what can be, what cannot, and what the database itself refuses."""

from __future__ import annotations

from datetime import date, time

import pytest
from django.db import IntegrityError
from django.utils import timezone

from program_enrollments import api
from program_enrollments.api.feeds.folders import root_of
from program_enrollments.api.transactions import atomic
from program_enrollments.data import JobKind, JobMode
from program_enrollments.exceptions import FeedDoesNotExist, FeedRefused
from program_enrollments.models import Feed, School
from tests.api.feeds.conftest import Folder
from tests.factories.enrollment import CurriculumFactory, ProgramFactory, SchoolFactory

NOBODY = api.access_of(user=None)


@pytest.mark.parametrize(
    "text",
    ["..", "../uni-b", "a/../b", "a\\b", "/../x", "a//b", ".hidden", "a b", "x/processed", "Rejected", "é", "a/.."],
)
def test_a_folder_cannot_lead_out(text: str, folder: Folder) -> None:
    with pytest.raises(FeedRefused) as refused:
        folder.add_feed(folder=text)
    assert refused.value.field == "folder"


@pytest.mark.parametrize(
    ("text", "stored"), [("", ""), ("/sis/", "sis"), ("sis/2026.1/Exports_a", "sis/2026.1/Exports_a")]
)
def test_a_folder_is_below_the_schools_own(text: str, stored: str, folder: Folder) -> None:
    assert folder.add_feed(folder=text).folder == stored


@pytest.mark.parametrize("text", ["", " ", "a/b", "..\\x", "a\x00b"])
def test_a_pattern_is_of_names(text: str, folder: Folder) -> None:
    with pytest.raises(FeedRefused) as refused:
        folder.add_feed(pattern=text)
    assert refused.value.field == "pattern"


def test_no_two_schools_share_a_folder() -> None:
    keys = ["uni-a", "Uni-A", "UNI-A", "_2", "a/b", "..", "", "x" * 300, "uni a"]
    roots = [root_of(School(pk=number, key=key)) for number, key in enumerate(keys)]

    assert roots == ["uni-a", "_1", "_2", "_3", "_4", "_5", "_6", "_7", "_8"]
    assert len({root.lower() for root in roots}) == len(roots)


def test_a_program_of_another_school_is_none(folder: Folder) -> None:
    with pytest.raises(FeedRefused) as refused:
        folder.add_feed(program=CurriculumFactory().program)
    assert refused.value.field == "program"


def test_one_feed_of_snapshots_per_scope(folder: Folder) -> None:
    first = folder.add_feed(mode=JobMode.SNAPSHOT, pattern="a*")
    with pytest.raises(FeedRefused) as refused:
        folder.add_feed(mode=JobMode.SNAPSHOT, pattern="b*")
    assert refused.value.field == "mode"
    folder.add_feed(mode=JobMode.SNAPSHOT, pattern="c*", kind=JobKind.COURSE_ENROLLMENTS)
    folder.add_feed(mode=JobMode.UPSERT, pattern="d*")
    folder.add_feed(mode=JobMode.SNAPSHOT, pattern="e*", program=ProgramFactory(school=folder.school))
    # One that is off is in nobody's way, until it is to be on again.
    now = timezone.now()
    api.switch_feed(access=NOBODY, school=folder.school, feed_id=first.pk, is_active=False, now=now)
    folder.add_feed(mode=JobMode.SNAPSHOT, pattern="b*")
    with pytest.raises(FeedRefused):
        api.switch_feed(access=NOBODY, school=folder.school, feed_id=first.pk, is_active=True, now=now)


def test_the_database_keeps_one_feed_of_snapshots(folder: Folder) -> None:
    folder.add_feed(mode=JobMode.SNAPSHOT, pattern="a*")
    second = folder.add_feed(pattern="b*")
    with pytest.raises(IntegrityError), atomic():
        Feed.objects.filter(pk=second.pk).update(mode="snapshot", leaving_status="ended")


@pytest.mark.parametrize(
    "values", [{"folder": "a/../b"}, {"folder": "/etc"}, {"pattern": ""}, {"program": None}, {"expected_days": 128}]
)
def test_the_database_refuses_what_cannot_be(values: dict[str, object], folder: Folder) -> None:
    feed = folder.add_feed()
    with pytest.raises(IntegrityError), atomic():
        Feed.objects.filter(pk=feed.pk).update(**values)


def test_the_same_names_in_the_same_folder_are_one_feeds(folder: Folder) -> None:
    folder.add_feed(pattern="*.csv")
    with pytest.raises(FeedRefused):
        folder.add_feed(pattern="*.csv", kind=JobKind.COURSE_ENROLLMENTS)
    folder.add_feed(pattern="*.csv", folder="courses", kind=JobKind.COURSE_ENROLLMENTS)


def test_a_feed_is_changed(folder: Folder) -> None:
    feed = folder.add_feed(mode=JobMode.SNAPSHOT)
    since = feed.expected_since
    plan = api.FeedPlan(
        program_uuid=folder.program.uuid, kind=JobKind.COURSE_ENROLLMENTS, mode=JobMode.SNAPSHOT, cascade=True
    )
    now = timezone.now()
    api.change_feed(access=NOBODY, school=folder.school, feed_id=feed.pk, plan=plan, now=now)
    feed.refresh_from_db()
    assert (feed.kind, feed.leaving_status, feed.cascade) == ("course_enrollments", "inactive", False)
    assert feed.expected_since == since

    # Another hour counts from now on: nothing is missed from earlier today.
    later = api.FeedPlan(program_uuid=folder.program.uuid, kind=plan.kind, expected_at=time(3))
    api.change_feed(access=NOBODY, school=folder.school, feed_id=feed.pk, plan=later, now=now)
    feed.refresh_from_db()
    assert (feed.mode, feed.leaving_status, feed.expected_since) == ("upsert", "", now)


def test_another_schools_feed_does_not_exist(folder: Folder) -> None:
    feed = folder.add_feed()
    other = SchoolFactory()
    plan = api.FeedPlan(program_uuid=folder.program.uuid, kind=JobKind.PROGRAM_ENROLLMENTS)
    with pytest.raises(FeedDoesNotExist):
        api.get_feed(school=other, feed_id=feed.pk)
    with pytest.raises(FeedDoesNotExist):
        api.change_feed(access=NOBODY, school=other, feed_id=feed.pk, plan=plan, now=timezone.now())
    with pytest.raises(FeedDoesNotExist):
        api.switch_feed(access=NOBODY, school=other, feed_id=feed.pk, is_active=False, now=timezone.now())


def test_holidays(folder: Folder) -> None:
    first, last = date(2026, 12, 24), date(2027, 1, 6)
    holiday = api.skip_days(school=folder.school, first_day=first, last_day=last)
    with pytest.raises(FeedRefused):
        api.skip_days(school=folder.school, first_day=last, last_day=first)
    with pytest.raises(FeedRefused):
        api.skip_days(school=folder.school, first_day=first, last_day=date(2030, 1, 1))

    assert not api.expect_again(school=SchoolFactory(), holiday_id=holiday.pk)
    assert api.expect_again(school=folder.school, holiday_id=holiday.pk)
