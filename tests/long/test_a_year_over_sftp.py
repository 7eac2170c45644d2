"""The year of nightly files once more, through real SFTP servers: as a drop here, and as a storage elsewhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from tests.api.feeds.conftest import feed_storage
from tests.flows.conftest import new_student, uni_a
from tests.flows.nights import ByFeed, Clock
from tests.flows.people import Student, University
from tests.flows.test_a_year_of_nights import clock
from tests.flows.year import Year
from tests.long.processes import ROOT
from tests.long.sftp_storage import sftp_storage, srv
from tests.sftp import SftpDropbox, SftpServer

__all__ = ["clock", "feed_storage", "new_student", "srv", "uni_a"]
pytestmark = [pytest.mark.long, pytest.mark.once, pytest.mark.django_db(transaction=True)]

WORKER = (
    "import django; django.setup(); from django.core.management import call_command as call;"
    " call('run_jobs', once=True); call('run_jobs', once=True)"
)
"""Two rounds: the second one finds what contacts are to be mailed about the first."""


def work_in_a_process(storages: dict[str, Any]) -> None:
    """Do what is due in a process of its own, as cron does, at the hour of the story."""
    subprocess.run(
        [sys.executable, "-c", WORKER],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.long.settings",
            "LONG_DATABASE_NAME": str(connection.settings_dict["NAME"]),
            "LONG_STORAGE": storages["program_enrollments"]["OPTIONS"]["location"],
            "LONG_FEEDS": json.dumps(storages["program_enrollments_feeds"]),
            "LONG_NOW": timezone.now().isoformat(),
        },
        stdin=subprocess.DEVNULL,
        check=True,
    )


@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_a_year(
    srv: Path,
    tmp_path: Path,
    settings: Settings,
    clock: Clock,
    uni_a: University,
    new_student: Callable[[], Student],
    feed_storage: Callable[..., Path],
    where: str,
) -> None:
    feed_storage()
    universities = SftpServer(tmp_path / "sshd", srv / "uni-a")
    platforms = SftpServer(tmp_path / "platforms-sshd", srv, is_chroot=False)

    def work() -> None:
        if where == "here":
            work_in_a_process(settings.STORAGES)
            return
        for _ in range(2):
            call_command("run_jobs", once=True)

    with ExitStack() as running:
        for server in (universities, platforms):
            server.start()
            running.callback(server.stop)
        here = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(srv)}}
        storage = here if where == "here" else sftp_storage(platforms, srv)
        settings.STORAGES = {**settings.STORAGES, "program_enrollments_feeds": storage}
        # The account sees its own folder as all there is.
        listed = universities.run("ls -1 /").stdout.splitlines()[-1].strip()
        assert listed.strip("/") == "exports"
        assert universities.run("symlink /etc/passwd exports/x", check=False).returncode

        dropbox = SftpDropbox(universities, "exports", tmp_path)
        year = Year.begin(
            uni_a, clock, delivery=lambda _program: ByFeed(dropbox, "exports"), work=work, new_student=new_student
        )
        year.live()
        # Files are put away for thirty days: those of July are still there, the rejected ones of September are not.
        assert len(dropbox.names("processed")) == 4
        assert dropbox.names("rejected") == []
        assert [one for one in dropbox.names() if one not in {"processed", "rejected"}] == []
