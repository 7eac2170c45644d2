"""A drop folder on this machine, the world's school with feeds in it, and a clock that the tests move."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from program_enrollments import api
from program_enrollments.data import JobKind
from program_enrollments.models import Feed, FeedFile, FeedLook, Job, Program, School
from tests.api.conftest import World

TEXT = "student_key,status\nA-1,enrolled\nA-2,enrolled\n"
COURSES = "course_id,student_key,status\n{run},A-1,active\n"
START = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
"""A Monday, one hour after midnight."""


@dataclass
class Folder:
    """Where a school's system drops files. `now` is what the collector's clock says."""

    root: Path
    school: School
    program: Program
    now: datetime = START
    drops: int = field(default=0)

    @property
    def path(self) -> Path:
        return self.root / str(self.school.key)

    def add_feed(self, **options: Any) -> Feed:
        plan = api.FeedPlan(
            program_uuid=options.pop("program", self.program).uuid,
            kind=options.pop("kind", JobKind.PROGRAM_ENROLLMENTS),
            **options,
        )
        feed = api.add_feed(access=api.access_of(user=None), school=self.school, plan=plan, now=self.now)
        (self.path / feed.folder).mkdir(parents=True, exist_ok=True)
        return feed

    def drop(self, name: str, text: str = TEXT, *, done: str | None = "", at: datetime | None = None) -> Path:
        """Drop a file, with a marker beside it unless `done` is None."""
        file = self.path / name
        file.write_bytes(text.encode())
        self.drops += 1
        moment = (at or self.now + timedelta(microseconds=self.drops)).timestamp()
        os.utime(file, (moment, moment))
        if done is not None:
            (self.path / f"{name}.done").write_text(done)
        return file

    def collect(self, *, after: timedelta = timedelta(minutes=1)) -> api.Collected:
        """Look at the folders, so much later than the last time."""
        self.now += after
        return api.collect_feeds(now=self.now)

    def names(self, folder: str = "") -> list[str]:
        """Return the names of a folder's files."""
        place = self.path / folder
        return sorted(one.name for one in place.iterdir() if one.is_file()) if place.exists() else []

    def look(self) -> FeedLook:
        return FeedLook.objects.get(school=self.school)

    def jobs(self) -> list[str]:
        return list(Job.objects.order_by("queued_at", "pk").values_list("file_name", flat=True))

    def states(self) -> list[str]:
        return list(FeedFile.objects.order_by("pk").values_list("state", flat=True))


@pytest.fixture
def feed_storage(settings: Settings, tmp_path: Path) -> Callable[..., Path]:
    """Names a storage for feeds, and one for the files of jobs."""

    def use(backend: str = "django.core.files.storage.FileSystemStorage") -> Path:
        settings.STORAGES = {
            **settings.STORAGES,
            "program_enrollments": {
                "BACKEND": "django.core.files.storage.FileSystemStorage",
                "OPTIONS": {"location": str(tmp_path / "kept")},
            },
            "program_enrollments_feeds": {"BACKEND": backend, "OPTIONS": {"location": str(tmp_path / "drop")}},
        }
        return tmp_path / "drop"

    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "FEED_SECONDS": 60}
    return use


@pytest.fixture
def folder(world: World, feed_storage: Callable[..., Path]) -> Folder:
    return Folder(feed_storage(), world.school, world.program)
