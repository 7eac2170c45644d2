"""Plans: setting feeds up, switching them on and off, and skipping holidays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from program_enrollments.api.access import Access
from program_enrollments.api.feeds.folders import check_folder, check_pattern, root_of
from program_enrollments.api.feeds.schedule import days_of, mask_of
from program_enrollments.api.setting_changes import compare_values, record_setting_change
from program_enrollments.api.transactions import in_transaction
from program_enrollments.data import CourseStatus, JobKind, JobMode, ProgramStatus, SettingChangeKind
from program_enrollments.exceptions import FeedDoesNotExist, FeedRefused
from program_enrollments.models import Feed, FeedHoliday, FeedLook, Program, School

MAX_FEEDS = 200
"""Feeds of one school: each of its programs may have two."""

RECORDED = (
    "program",
    "kind",
    "mode",
    "leaving_status",
    "cascade",
    "folder",
    "pattern",
    "expected_days",
    "expected_at",
    "is_active",
)
"""The values of a feed whose changes are recorded."""

LONGEST_HOLIDAY = timedelta(days=366)
MAX_HOLIDAYS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPlan:
    """What a feed's files are about, what they mean, where they lie and when they are expected.

    `expected_days` are weekdays, Monday as 1; without any, the feed is never late. `expected_at` is in the school's
    time zone. `leaving_status` and `cascade` count for snapshots of the program only.
    """

    program_uuid: UUID
    kind: JobKind
    mode: JobMode = JobMode.UPSERT
    leaving_status: ProgramStatus = ProgramStatus.CANCELED
    cascade: bool = False
    folder: str = ""
    pattern: str = "*.csv"
    expected_days: frozenset[int] = frozenset()
    expected_at: time = time(6)


def fetch_feed_programs(*, school: School) -> list[Program]:
    """Return the programs of a school that a feed can be about. One statement."""
    return list(Program.objects.filter(school=school).order_by("title", "pk"))


def feed_root(*, school: School) -> str:
    """Return the school's own folder on the storage of feeds."""
    return root_of(school)


def get_feed(*, school: School, feed_id: int) -> Feed:
    """Return a feed of a school with its program. Raises FeedDoesNotExist."""
    feed = Feed.objects.filter(school=school, pk=feed_id).select_related("program", "school").first()
    if feed is None:
        raise FeedDoesNotExist
    return feed


def add_feed(*, access: Access, school: School, plan: FeedPlan, now: datetime) -> Feed:
    """Add a feed to a school, and return it. Raises FeedRefused."""

    def work() -> Feed:
        feed = Feed(school=_lock(school))
        if Feed.objects.filter(school=school).count() >= MAX_FEEDS:
            raise FeedRefused(
                _("A school can have %(count)d feeds. Change one that is off.") % {"count": MAX_FEEDS}, field="folder"
            )
        _take(feed, plan, access=access, now=now)
        feed.save()
        FeedLook.objects.get_or_create(school=school)
        _record(feed, SettingChangeKind.FEED_ADDED, access, now, before=dict.fromkeys(RECORDED))
        return feed

    return in_transaction(work)


def change_feed(*, access: Access, school: School, feed_id: int, plan: FeedPlan, now: datetime) -> Feed:
    """Change a feed, and return it. Raises FeedRefused, FeedDoesNotExist.

    Files that became jobs stay what they are.
    """

    def work(feed: Feed) -> None:
        before = _recorded(feed)
        _take(feed, plan, access=access, now=now)
        feed.save()
        _record(feed, SettingChangeKind.FEED_CHANGED, access, now, before=before)

    return _change(school, feed_id, work)


def switch_feed(*, access: Access, school: School, feed_id: int, is_active: bool, now: datetime) -> Feed:
    """Switch a feed on or off, and return it. Raises FeedRefused, FeedDoesNotExist.

    Files stay where they are while it is off, and are taken once it is on again.
    """

    def work(feed: Feed) -> None:
        if feed.is_active == is_active:
            return
        before = _recorded(feed)
        feed.is_active = is_active
        if is_active:
            _check_scope(feed)
            feed.expected_since = now
        _sign(feed, access, now)
        feed.save()
        _record(feed, SettingChangeKind.FEED_CHANGED, access, now, before=before)

    return _change(school, feed_id, work)


def skip_days(*, school: School, first_day: date, last_day: date) -> FeedHoliday:
    """Let no file of the school be expected on these days, and return them. Raises FeedRefused."""
    if last_day < first_day:
        raise FeedRefused(_("The last day is before the first one."), field="last_day")
    if last_day - first_day > LONGEST_HOLIDAY:
        raise FeedRefused(_("These are more days than a year has. Switch the feeds off."), field="last_day")

    def work() -> FeedHoliday:
        _lock(school)
        if FeedHoliday.objects.filter(school=school).count() >= MAX_HOLIDAYS:
            raise FeedRefused(_("There are too many holidays. Remove those that are over."), field="first_day")
        return FeedHoliday.objects.create(school=school, first_day=first_day, last_day=last_day)

    return in_transaction(work)


def expect_again(*, school: School, holiday_id: int) -> bool:
    """Remove a holiday of the school; return whether there was one."""
    return bool(FeedHoliday.objects.filter(school=school, pk=holiday_id).delete()[0])


def _lock(school: School) -> School:
    # The lock on the school keeps two calls from passing a check together.
    return School.objects.select_for_update().get(pk=school.pk)


def _change(school: School, feed_id: int, work: Callable[[Feed], None]) -> Feed:
    def change() -> Feed:
        locked = _lock(school)
        feed = Feed.objects.filter(school=locked, pk=feed_id).first()
        if feed is None:
            raise FeedDoesNotExist
        work(feed)
        return feed

    return in_transaction(change)


def _take(feed: Feed, plan: FeedPlan, *, access: Access, now: datetime) -> None:
    """Let a feed of a locked school be as planned."""
    # A program of another school is none here.
    program = Program.objects.filter(school=feed.school, uuid=plan.program_uuid).first()
    if program is None:
        raise FeedRefused(_("Your school has no such program."), field="program")
    schedule = None if feed._state.adding else (feed.expected_days, feed.expected_at)
    feed.program, feed.kind, feed.mode = program, plan.kind.value, plan.mode.value
    feed.leaving_status = _leaving_status(plan)
    feed.cascade = plan.cascade and plan.kind == JobKind.PROGRAM_ENROLLMENTS
    feed.folder, feed.pattern = check_folder(plan.folder), check_pattern(plan.pattern)
    feed.expected_days, feed.expected_at = mask_of(plan.expected_days), plan.expected_at
    if schedule != (feed.expected_days, feed.expected_at):
        feed.expected_since = now
    _sign(feed, access, now)
    _check_scope(feed)


def _check_scope(feed: Feed) -> None:
    """Raise FeedRefused if another feed takes the same files, or is a snapshot of the same people."""
    others = Feed.objects.filter(school=feed.school, is_active=True).exclude(pk=feed.pk)
    if not feed.is_active:
        return
    if others.filter(folder=feed.folder, pattern=feed.pattern).exists():
        raise FeedRefused(_("Another feed takes the files with these names in this folder."), field="pattern")
    if feed.mode == JobMode.SNAPSHOT and others.filter(mode=feed.mode, kind=feed.kind, program=feed.program).exists():
        raise FeedRefused(
            _("There is a feed of snapshots for this already. Two of them would remove each other's people."),
            field="mode",
        )


def _leaving_status(plan: FeedPlan) -> str:
    if plan.mode != JobMode.SNAPSHOT:
        return ""
    is_course = plan.kind == JobKind.COURSE_ENROLLMENTS
    return CourseStatus.INACTIVE.value if is_course else plan.leaving_status.value


def _recorded(feed: Feed) -> dict[str, Any]:
    values = {name: getattr(feed, name) for name in RECORDED}
    return values | {"expected_days": " ".join(str(day) for day in sorted(days_of(feed.expected_days)))}


def _record(feed: Feed, kind: SettingChangeKind, access: Access, now: datetime, *, before: dict[str, Any]) -> None:
    values = compare_values(before=before, after=_recorded(feed), hidden=frozenset())
    if values:
        record_setting_change(
            school_id=feed.school_id,
            actor_id=access.user_id or None,
            kind=kind,
            subject=str(feed),
            values=values,
            now=now,
        )


def _sign(feed: Feed, access: Access, now: datetime) -> None:
    feed.changed_at, feed.changed_by_id = now, access.user_id or None
