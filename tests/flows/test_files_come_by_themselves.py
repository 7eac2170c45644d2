"""A student information system drops its files in a folder every night, and nobody has to send or click anything."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from program_enrollments import api
from program_enrollments.data import Permission
from program_enrollments.models import FeedFile
from tests.api.feeds.conftest import Folder, feed_storage
from tests.console.conftest import Desk
from tests.factories.enrollment import GrantFactory
from tests.factories.host import UserFactory
from tests.flows.people import University

__all__ = ["feed_storage"]
STUDENTS = [f"A-{number}" for number in range(30)]


class Night:
    """The university's export of one night, and the platform's work on it."""

    def __init__(self, university: University, folder: Folder) -> None:
        self.university, self.folder = university, folder

    def program(self, student_keys: list[str], **options: Any) -> None:
        text = "student_key,status\n" + "".join(f"{key},enrolled\n" for key in student_keys)
        self.folder.drop("mds-program.csv", text, **options)

    def courses(self, student_keys: list[str], run: Any) -> None:
        rows = "".join(f"{run.course_id},{key},active\n" for key in student_keys)
        self.folder.drop("mds-courses.csv", "course_id,student_key,status\n" + rows)

    def work(self, *, after: timedelta = timedelta(days=1)) -> list[tuple[str, str]]:
        """Collect and carry out; return file and state of the jobs of this night."""
        known = self.jobs()
        with self.university.on_commit(execute=True):
            self.folder.collect(after=after)
            while api.run_next_slice():
                pass
        return [(job["file_name"], job["state"]) for number, job in self.jobs().items() if number not in known]

    def jobs(self) -> dict[int, dict[str, Any]]:
        answer = self.university.sis.get("jobs/").json()["results"]
        return {job["id"]: job for job in reversed(answer)}


@pytest.fixture
def folder(uni_a: University, feed_storage: Callable[..., Path]) -> Folder:
    folder = Folder(feed_storage(), uni_a.school, uni_a.open_program())
    folder.path.mkdir(parents=True)
    return folder


@pytest.fixture
def manager(uni_a: University) -> Desk:
    user = UserFactory()
    for permission in (Permission.MANAGE_SCHOOL, Permission.READ_ENROLLMENTS):
        GrantFactory(user=user, permission=permission, school=uni_a.school)
    return Desk(user, Client())


def set_up(manager: Desk, folder: Folder) -> None:
    """Add a feed of snapshots of the program, and one of its courses, in the console."""
    common = {"program": str(folder.program.uuid), "leaving_status": "ended", "hour": "04:00"}
    days = ["1", "2", "3", "4", "5"]
    first = {"kind": "program_enrollments", "pattern": "mds-program*", "mode": "snapshot", "days": days}
    second = {"kind": "course_enrollments", "pattern": "mds-courses*", "mode": "upsert", "days": []}
    for one in (first, second):
        assert manager.send("feed-add", folder.school.key, **common, **one).status == 200


def test_a_week_of_nightly_files(uni_a: University, folder: Folder, manager: Desk) -> None:
    set_up(manager, folder)
    run, night = uni_a.open_course(folder.program), Night(uni_a, folder)

    # Both files lie there in the morning; the program's comes first, whichever was dropped first.
    night.courses(STUDENTS[:2], run)
    night.program(STUDENTS)
    assert night.work() == [("mds-program.csv", "succeeded"), ("mds-courses.csv", "succeeded")]
    assert set(uni_a.students(folder.program, run=run)) == {"A-0", "A-1"}
    entry = uni_a.look_up(folder.program, "A-0")["changes"][-1]
    assert entry["source"] == "upload"

    # The same file again is a job of its own, which changes nothing.
    night.program(STUDENTS)
    assert night.work() == [("mds-program.csv", "succeeded")]
    assert list(night.jobs().values())[-1]["changed"] == 0

    # A file without its end is held by the guard, as one that was sent.
    night.program(STUDENTS[:5])
    assert night.work() == [("mds-program.csv", "held")]

    # One whose marker names the number of rows is rejected, with a note for the people at the university.
    night.program(STUDENTS[:5], done="rows=30")
    assert night.work() == []
    note = next((folder.path / "rejected").glob("*.txt")).read_text()
    assert "The file has 5 rows behind its header, not the 30 that you say." in note
    assert "rejected" in manager.open("feeds", folder.school.key).text

    # The corrected one supersedes what is held.
    night.program(STUDENTS, done="rows=30")
    assert night.work() == [("mds-program.csv", "succeeded")]
    assert sorted(job["state"] for job in night.jobs().values()) == ["succeeded"] * 4 + ["superseded"]
    assert folder.names() == []


def test_a_file_without_a_marker_is_taken_by_the_command(
    uni_a: University, folder: Folder, manager: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up(manager, folder)
    night = Night(uni_a, folder)
    night.program(STUDENTS, done=None)

    call_command("collect_feeds")
    assert capsys.readouterr().out == "Looked at: schools 1. Files taken 0, rejected 0.\n"
    # As if the first look had been a minute ago.
    row = FeedFile.objects.get()
    FeedFile.objects.update(seen_at=row.seen_at - timedelta(minutes=1))
    call_command("collect_feeds")
    assert capsys.readouterr().out == "Looked at: schools 1. Files taken 1, rejected 0.\n"

    (folder.path / "processed").rename(folder.root / "elsewhere")
    folder.path.rmdir()
    with pytest.raises(CommandError, match="uni-a: There is no folder uni-a"):
        call_command("collect_feeds")


def test_run_jobs_collects_and_carries_out_in_one_go(uni_a: University, folder: Folder, manager: Desk) -> None:
    set_up(manager, folder)
    Night(uni_a, folder).program(STUDENTS)

    call_command("run_jobs", once=True)

    assert len(uni_a.students(folder.program)) == 30


def test_another_universitys_files_are_out_of_reach(
    uni_a: University, uni_b: University, folder: Folder, manager: Desk
) -> None:
    """Whatever a manager writes into the form, only files below the own folder are taken."""
    (folder.root / "uni-b").mkdir()
    (folder.root / "uni-b" / "mds-program.csv").write_text("student_key,status\nB-1,enrolled\n")
    form = {"program": str(folder.program.uuid), "kind": "program_enrollments", "mode": "upsert", "hour": "04:00"}
    for name in ("../uni-b", "/uni-b", "x/../../uni-b"):
        manager.send("feed-add", folder.school.key, **form, folder=name, pattern="*.csv")
    (folder.path / "uni-b").mkdir()
    night = Night(uni_a, folder)

    assert night.work() == []
    assert night.work() == []
    assert (folder.root / "uni-b" / "mds-program.csv").exists()
