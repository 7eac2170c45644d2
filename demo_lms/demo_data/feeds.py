"""The folders in which the universities drop files, and the feeds that watch them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from django.conf import settings

from demo_lms.demo_data.catalog import DATA_SCIENCE, PUBLIC_HEALTH
from program_enrollments import api
from program_enrollments.data import JobKind
from program_enrollments.models import Feed, Program

PATTERNS = {
    JobKind.PROGRAM_ENROLLMENTS: "{key}-program*.csv",
    JobKind.COURSE_ENROLLMENTS: "{key}-courses*.csv",
}


def drop_folder() -> Path:
    """Return where University A drops its files."""
    return _root() / "uni-a"


def make_drop_folders() -> None:
    """Make the folders that are not there: somebody may have thrown them away."""
    for feed in Feed.objects.select_related("school"):
        (_root() / api.feed_root(school=feed.school) / feed.folder).mkdir(parents=True, exist_ok=True)


def seed_feeds(*, now: datetime) -> None:
    """Add a feed of program files and one of course files to a program of each university, if there is none yet."""
    for one in (DATA_SCIENCE, PUBLIC_HEALTH):
        program = Program.objects.select_related("school").get(uuid=one.uuid)
        if Feed.objects.filter(program=program).exists():
            continue
        for kind, pattern in PATTERNS.items():
            plan = api.FeedPlan(program_uuid=one.uuid, kind=kind, pattern=pattern.format(key=one.key))
            api.add_feed(access=api.access_of(user=None), school=program.school, plan=plan, now=now)
    make_drop_folders()


def _root() -> Path:
    return Path(settings.STORAGES["program_enrollments_feeds"]["OPTIONS"]["location"])
