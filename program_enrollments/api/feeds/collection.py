"""Collection: complete files become jobs, and are put away.

One collector at a time looks at a school's folders. Should two meet nevertheless, the first to make a job of a file
marks it as taken in the same transaction, and the other one's job is never committed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from program_enrollments.api.feeds.deliveries import TakenAlready, put_away, reject, take
from program_enrollments.api.feeds.drops import Drop, LeadsOut, Look, has_feed_storage
from program_enrollments.api.feeds.folders import MARKER, fits, folder_of, is_storable, root_of
from program_enrollments.api.feeds.hanging import Alarm, LookCutOff
from program_enrollments.api.transactions import get_connection, in_transaction
from program_enrollments.conf import get_setting
from program_enrollments.data import FeedFileState, JobKind
from program_enrollments.exceptions import StorageUnavailable
from program_enrollments.models import Feed, FeedFile, FeedLook
from program_enrollments.sentences import known

HANGS = _("The storage for feeds stopped answering. It is asked again in an hour.")
AGAIN = known(_("It is tried again by itself."))
AMBIGUOUS = _(
    "The name fits several feeds, so it is not clear what the file is about. Change the pattern of one of them, then "
    "drop the file again."
)
NO_FOLDER = known(_("There is no folder %(folder)s. Make it, or correct the feed."))
LEADS_OUT = known(_("%(path)s is a link that leads out of the school's folder."))
NO_FILE = known(_("%(path)s is a link that leads out of the school's folder, or no file. Take it away."))
UNUSABLE_NAME = known(_("A file in %(folder)s has a name that cannot be stored. Rename it."))

logger = logging.getLogger(__name__)

CLAIM = timedelta(minutes=10)
"""A collector that was heard of no more for so long has died: another one takes its school."""

REST = timedelta(hours=1)
"""How long a school's folders are left alone after a look in which the storage hung."""

PUNCTUALITY = 0.8
"""Share of `FEED_SECONDS` after which the next look is due: cron and clocks are not exact."""

EMPTY_PAUSE = timedelta(hours=1)
"""How long a file without a single byte is waited for: some programs make the file first and fill it later."""

MAX_FAILURES = 3
"""Failures of the storage after which one look goes no further."""

MAX_FILES = 200
"""Files of one folder that one look takes. The others have the next one."""


@dataclass(slots=True)
class Collected:
    """What looking at schools' folders came to."""

    schools: int = 0
    taken: int = 0
    rejected: int = 0
    problems: list[str] = field(default_factory=list)

    def __add__(self, other: Collected) -> Collected:
        return Collected(
            self.schools + other.schools,
            self.taken + other.taken,
            self.rejected + other.rejected,
            [*self.problems, *other.problems],
        )


@dataclass(slots=True)
class Found:
    """A file in a school's folder, and the feeds that its name fits."""

    row: FeedFile
    feeds: list[Feed]
    marker: str
    is_complete: bool

    @property
    def program_id(self) -> int | None:
        """The program that the file is about, as far as its name tells."""
        return self.feeds[0].program_id

    @property
    def is_of_courses(self) -> bool:
        """Whether the file may need people whom a program file brings."""
        return self.feeds[0].kind == JobKind.COURSE_ENROLLMENTS

    @property
    def order(self) -> tuple[bool, datetime, str]:
        """Program files come before course files, then the older ones."""
        return (self.is_of_courses, self.row.modified_at, self.row.path)


def collect_due_feeds(*, now: datetime | None = None) -> bool:
    """Look at the folders of one school whose turn it is; return whether there was one."""
    moment = now or timezone.now()
    look = _claim(moment, _due(moment))
    if look is None:
        return False
    _collect(look, now=moment)
    return True


def collect_feeds(*, now: datetime | None = None) -> Collected:
    """Look at the folders of every school at once, except those that another collector looks at."""
    moment = now or timezone.now()
    collected, seen = Collected(), set[int]()
    while (look := _claim(moment, _watched().exclude(pk__in=seen))) is not None:
        seen.add(look.pk)
        collected += _collect(look, now=moment)
    return collected


def has_due_feeds(*, now: datetime) -> bool:
    """Return whether a school's folders are to be looked at. One statement."""
    return has_feed_storage() and _due(now).filter(_free(now)).exists()


def _watched() -> QuerySet[FeedLook]:
    active = Feed.objects.filter(school=OuterRef("school"), is_active=True)
    return FeedLook.objects.filter(Exists(active)).order_by(F("looked_at").asc(nulls_first=True), "pk")


def _pause() -> timedelta:
    return timedelta(seconds=get_setting("FEED_SECONDS") * PUNCTUALITY)


def _due(now: datetime) -> QuerySet[FeedLook]:
    return _watched().filter(Q(looked_at__isnull=True) | Q(looked_at__lte=now - _pause()))


def _free(now: datetime) -> Q:
    return Q(claimed_until__isnull=True) | Q(claimed_until__lt=now)


def _claim(now: datetime, wanted: QuerySet[FeedLook]) -> FeedLook | None:
    """Return the first of these schools' looks that nobody else is at, claimed for this collector."""
    if not has_feed_storage():
        return None
    tried: set[int] = set()
    while (pk := wanted.filter(_free(now)).exclude(pk__in=tried).values_list("pk", flat=True).first()) is not None:
        if FeedLook.objects.filter(_free(now), pk=pk).update(claimed_until=now + CLAIM):
            return FeedLook.objects.select_related("school").get(pk=pk)
        tried.add(pk)
    return None


def _collect(look: FeedLook, *, now: datetime) -> Collected:
    """Look at a claimed school's folders, and say on its row how that went."""
    problems: list[str] = []
    collected = Collected(schools=1)
    rests_until = None
    alarm = Alarm(get_setting("FEED_HANG_SECONDS"))
    try:
        with alarm:
            _look_through(look, now, problems, collected, alarm)
    except StorageUnavailable as error:
        problems.append(f"{error.detail} {AGAIN}")
    except LookCutOff:
        alarm.stop()
        problems.append(HANGS)
        # Looks that hang would take all the time of a process that does everything.
        rests_until = now + REST
        if not get_connection().in_atomic_block:
            # It may have been cut off in the middle of a statement.
            get_connection().close()
    finally:
        problem = " ".join(dict.fromkeys(problems))[:500]
        FeedLook.objects.filter(pk=look.pk).update(
            claimed_until=rests_until,
            looked_at=now,
            problem=problem,
            failing_since=(look.failing_since or now) if problem else None,
        )
    if problem and problem != look.problem:
        # Once, and not with every look until somebody has mended it.
        logger.warning("Feeds of school %s: %s", look.pk, problem)
    if problem:
        collected.problems.append(f"{look.school.key}: {problem}")
    return collected


def _look_through(look: FeedLook, now: datetime, problems: list[str], collected: Collected, alarm: Alarm) -> None:
    feeds = list(
        Feed.objects.filter(school=look.school, is_active=True).select_related("program", "school").order_by("pk")
    )
    drop = Drop(root_of(look.school))
    found: list[Found] = []
    by_folder = sorted(feeds, key=lambda feed: (folder_of(feed), feed.pk))
    for folder, group in groupby(by_folder, key=folder_of):
        found += _find(drop, folder, list(group), now, problems)
        alarm.renew()
    # A file that is still on its way keeps the course files of its program waiting, and no other.
    unfinished = {one.program_id for one in found if not one.is_complete and not one.is_of_courses}
    failures = 0
    for one in sorted(found, key=lambda one: one.order):
        if not one.is_complete or (one.is_of_courses and one.program_id in unfinished):
            continue
        FeedLook.objects.filter(pk=look.pk).update(claimed_until=timezone.now() + CLAIM)
        alarm.renew()
        try:
            _settle(drop, one, now, collected)
        except TakenAlready:
            continue
        except (LeadsOut, FileNotFoundError):
            # It was exchanged or taken away since the look: the next one sees what is there.
            continue
        except StorageUnavailable as error:
            failures += 1
            if failures == MAX_FAILURES:
                raise
            problems.append(f"{error.detail} {AGAIN}")
            if one.row.state == FeedFileState.SEEN and not one.is_of_courses:
                unfinished.add(one.program_id)


def _settle(drop: Drop, one: Found, now: datetime, collected: Collected) -> None:
    was_decided = one.row.state != FeedFileState.SEEN
    if not was_decided and len(one.feeds) > 1:
        reject(
            one.row,
            AMBIGUOUS,
            now=now,
        )
    if one.row.state == FeedFileState.SEEN:
        take(drop, one.feeds[0], one.row, marker=one.marker, now=now)
        collected.taken += one.row.state == FeedFileState.TAKEN
    collected.rejected += one.row.state == FeedFileState.REJECTED and not was_decided
    # What stays behind after a crash between job and move is only put away.
    if one.row.state != FeedFileState.SEEN:
        put_away(drop, one.row, marker=one.marker, now=now)


def _find(drop: Drop, folder: str, feeds: Sequence[Feed], now: datetime, problems: list[str]) -> list[Found]:
    """Return the files of a folder with what is known of them."""
    try:
        names = drop.names(folder)
    except FileNotFoundError:
        problems.append(NO_FOLDER % {"folder": folder})
        return []
    except LeadsOut:
        problems.append(LEADS_OUT % {"path": folder})
        return []
    looks: dict[str, tuple[Look, list[Feed]]] = {}
    fitting = [(name, [feed for feed in feeds if fits(name, feed.pattern)]) for name in names]
    for name, those in [pair for pair in fitting if pair[1]][:MAX_FILES]:
        path = f"{folder}/{name}"
        if not is_storable(name) or len(path) > 500:
            problems.append(UNUSABLE_NAME % {"folder": folder})
            continue
        try:
            looks[path] = (drop.look(path), those)
        except FileNotFoundError:
            continue
        except LeadsOut:
            problems.append(NO_FILE % {"path": path})
    rows = _remember(looks, now)
    present = set(names)
    found = []
    for path, (_look, those) in looks.items():
        if (row := rows.get(path)) is None:
            continue
        marker = f"{path}{MARKER}" if f"{path.rpartition('/')[2]}{MARKER}" in present else ""
        pause = _pause() if row.size else EMPTY_PAUSE
        is_complete = bool(marker) or row.state != FeedFileState.SEEN or row.seen_at <= now - pause
        found.append(Found(row, those, marker, is_complete))
    return found


def _remember(looks: dict[str, tuple[Look, list[Feed]]], now: datetime) -> dict[str, FeedFile]:
    """Return the row of each file by path; new files and those that have grown get a new one."""
    if not looks:
        return {}

    def work() -> dict[str, FeedFile]:
        known = _as_seen(FeedFile.objects.filter(path__in=looks.keys()), looks)
        fresh = [
            FeedFile(feed=those[0], path=path, size=look.size, modified_at=look.modified_at, seen_at=now)
            for path, (look, those) in looks.items()
            if path not in known
        ]
        if not fresh:
            return known
        # What was seen of them earlier is not what lies there now.
        FeedFile.objects.filter(path__in=[one.path for one in fresh], state=FeedFileState.SEEN).delete()
        # Another collector may have met the same file.
        FeedFile.objects.bulk_create(fresh, ignore_conflicts=True)
        return _as_seen(FeedFile.objects.filter(path__in=looks.keys()), looks)

    return in_transaction(work)


def _as_seen(rows: Iterable[FeedFile], looks: dict[str, tuple[Look, list[Feed]]]) -> dict[str, FeedFile]:
    return {row.path: row for row in rows if Look(row.size, row.modified_at) == looks[row.path][0]}
