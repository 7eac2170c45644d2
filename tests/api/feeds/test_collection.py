"""Complete files become jobs, once each, and are put away; what cannot be taken gets a note."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from program_enrollments import api
from program_enrollments.api.feeds import collection, deliveries
from program_enrollments.api.feeds.drops import Drop
from program_enrollments.data import JobKind, JobMode, Origin, ProgramStatus
from program_enrollments.models import Feed, FeedFile, FeedLook, Job
from tests.api.conftest import World
from tests.api.feeds.conftest import COURSES, TEXT, Folder
from tests.factories.enrollment import CurriculumFactory

STORAGES = "tests.api.feeds.storages"


def test_a_file_with_a_marker_is_a_job_at_once(folder: Folder) -> None:
    feed = folder.add_feed(mode=JobMode.SNAPSHOT, leaving_status=ProgramStatus.ENDED, cascade=True)
    folder.drop("nightly.csv")

    collected = folder.collect()

    assert (collected.schools, collected.taken, collected.rejected, collected.problems) == (1, 1, 0, [])
    job = Job.objects.get()
    assert (job.file_name, job.mode, job.leaving_status, job.cascade) == ("nightly.csv", "snapshot", "ended", True)
    assert (job.program, job.dry_run, job.request_id) == (folder.program, False, f"feed-{feed.pk}")
    assert folder.names() == []
    assert folder.names("processed") == ["nightly.20261102T010100000.csv"]
    row = FeedFile.objects.get()
    assert (row.state, row.job, row.moved_at) == ("taken", job, folder.now)
    feed.refresh_from_db()
    assert feed.received_at == folder.now


def test_without_a_marker_it_has_to_stay_as_it_is_between_two_looks(folder: Folder) -> None:
    folder.add_feed()
    folder.drop("nightly.csv", "student_key,status\nA-1,enr", done=None)
    folder.collect()
    folder.drop("nightly.csv", done=None)
    assert folder.collect().taken == 0
    assert folder.collect(after=timedelta(seconds=5)).taken == 0

    assert folder.collect().taken == 1
    assert Job.objects.get().size == len(TEXT)


def test_the_same_file_on_another_night_is_another_job(folder: Folder) -> None:
    folder.add_feed()
    for _night in range(2):
        folder.drop("nightly.csv")
        folder.collect(after=timedelta(days=1))

    assert folder.jobs() == ["nightly.csv", "nightly.csv"]
    assert len(folder.names("processed")) == 2


def test_a_file_that_comes_again_with_its_old_time_is_the_same_one(folder: Folder) -> None:
    folder.add_feed()
    at = folder.now
    for _look in range(2):
        folder.drop("nightly.csv", at=at)
        folder.collect()

    assert folder.jobs() == ["nightly.csv"]
    assert folder.names() == []
    assert len(folder.names("processed")) == 2


def test_a_crash_between_the_job_and_the_move_makes_no_second_job(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.add_feed()
    folder.drop("nightly.csv")

    def crash(*args: object, **options: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(collection, "put_away", crash)
        with pytest.raises(KeyboardInterrupt):
            folder.collect()
    assert (folder.names(), folder.jobs()) == (["nightly.csv", "nightly.csv.done"], ["nightly.csv"])

    collected = folder.collect()

    assert (collected.taken, folder.jobs()) == (0, ["nightly.csv"])
    assert (folder.names(), folder.names("processed")) == ([], ["nightly.20261102T010100000.csv"])


def test_two_collectors_at_one_file_make_one_job(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one comes while the first has read the file, and before its job is committed."""
    folder.add_feed()
    folder.drop("nightly.csv")
    upload: Any = vars(deliveries)["upload_file"]
    met: list[bool] = []

    def upload_late(**options: object) -> object:
        if not met:
            met.append(True)
            # As if the first one had been silent for so long that its claim is over.
            FeedLook.objects.update(claimed_until=None)
            folder.collect()
        return upload(**options)

    monkeypatch.setattr(deliveries, "upload_file", upload_late)

    collected = folder.collect()

    assert (collected.taken, folder.jobs(), folder.states()) == (0, ["nightly.csv"], ["taken"])
    assert folder.names("processed") == ["nightly.20261102T010200000.csv"]
    # The file of the job that was never made is deleted as well.
    kept = list((folder.root.parent / "kept").rglob("*.csv"))
    assert len(kept) == 1


def test_a_school_that_another_collector_looks_at_is_left_alone(folder: Folder) -> None:
    folder.add_feed()
    folder.drop("nightly.csv")
    FeedLook.objects.update(claimed_until=folder.now + timedelta(minutes=5))

    assert folder.collect().schools == 0
    # One that was killed keeps nobody away for long.
    assert folder.collect(after=timedelta(minutes=5)).taken == 1


@pytest.mark.parametrize(
    ("text", "done", "problem"),
    [
        ("name,status\nKim,enrolled\n", "", "The file lacks the column student_key or email."),
        ("", "", "The file lacks the columns student_key or email, status."),
        (TEXT, "rows=3\n", "The file has 2 rows behind its header, not the 3 that you say."),
        (TEXT, "sha256=" + "0" * 64, "The file has another SHA-256 than you say."),
    ],
)
def test_a_file_that_cannot_be_taken_is_rejected_with_a_note(
    text: str, done: str, problem: str, folder: Folder
) -> None:
    feed = folder.add_feed()
    folder.drop("nightly.csv", text, done=done)

    collected = folder.collect()

    assert (collected.taken, collected.rejected, folder.jobs()) == (0, 1, [])
    assert folder.names() == []
    name = "nightly.20261102T010100000.csv"
    assert folder.names("rejected") == [name, f"{name}.txt"]
    note = (folder.path / "rejected" / f"{name}.txt").read_text()
    assert note.startswith(f"nightly.csv was not taken, and nothing was changed.\n\n{problem}")
    assert "drop it again" in note
    feed.refresh_from_db()
    assert feed.received_at is None


def test_a_marker_may_say_how_many_rows_there_are(folder: Folder) -> None:
    folder.add_feed()
    folder.drop("nightly.csv", done="rows=2\n")

    assert folder.collect().taken == 1


def test_a_file_that_is_too_large_is_not_read(folder: Folder, settings: Settings) -> None:
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "MAX_FILE_BYTES": 10}
    folder.add_feed()
    folder.drop("nightly.csv")

    assert folder.collect().rejected == 1
    assert "more than 10 bytes" in FeedFile.objects.get().problem


def test_a_name_that_fits_two_feeds_is_nobodys(folder: Folder) -> None:
    folder.add_feed(pattern="*.csv")
    other = CurriculumFactory(program__school=folder.school).program
    folder.add_feed(pattern="nightly*", program=other)
    folder.drop("nightly.csv")

    assert folder.collect().rejected == 1
    assert "fits several feeds" in FeedFile.objects.get().problem


def test_other_names_are_left_alone(folder: Folder) -> None:
    folder.add_feed(pattern="*")
    for name in (".hidden", "nightly.csv.part", "nightly.csv.filepart", "nightly.tmp", "nightly.csv~"):
        folder.drop(name, done=None)
    names = folder.names()
    folder.collect()
    folder.collect()

    assert (folder.names(), folder.jobs(), folder.states()) == (names, [], [])


def test_program_files_come_before_course_files(folder: Folder, world: World) -> None:
    folder.add_feed(pattern="courses*", kind=JobKind.COURSE_ENROLLMENTS)
    folder.add_feed(pattern="program*")
    folder.drop("courses.csv", COURSES.format(run=world.course_run.course_id))
    folder.drop("program.csv")

    folder.collect()
    while api.run_next_slice():
        pass

    assert folder.jobs() == ["program.csv", "courses.csv"]
    assert [job.counts for job in Job.objects.order_by("queued_at")] == [{"enrolled": 2}, {"active": 1}]


def test_a_course_file_waits_for_a_program_file_that_is_on_its_way(folder: Folder, world: World) -> None:
    other = CurriculumFactory(program__school=folder.school).program
    folder.add_feed(pattern="courses*", kind=JobKind.COURSE_ENROLLMENTS)
    folder.add_feed(pattern="program*")
    folder.add_feed(pattern="other*", kind=JobKind.COURSE_ENROLLMENTS, program=other)
    folder.drop("courses.csv", COURSES.format(run=world.course_run.course_id))
    folder.drop("other.csv", COURSES.format(run="X-1"))
    folder.drop("program.csv", done=None)

    folder.collect()
    assert folder.jobs() == ["other.csv"]
    folder.collect()
    assert folder.jobs() == ["other.csv", "program.csv", "courses.csv"]


def test_an_empty_file_may_be_filled_later(folder: Folder) -> None:
    folder.add_feed()
    folder.drop("nightly.csv", "", done=None)
    for _look in range(3):
        folder.collect()
    assert folder.states() == ["seen"]

    assert folder.collect(after=timedelta(hours=1)).rejected == 1


def test_a_feed_that_is_off_takes_nothing_until_it_is_on(folder: Folder) -> None:
    feed = folder.add_feed()
    nobody = api.access_of(user=None)
    api.switch_feed(access=nobody, school=folder.school, feed_id=feed.pk, is_active=False, now=folder.now)
    folder.drop("nightly.csv")
    assert folder.collect().schools == 0

    api.switch_feed(access=nobody, school=folder.school, feed_id=feed.pk, is_active=True, now=folder.now)
    assert folder.collect().taken == 1


def test_a_file_that_grows_while_it_is_read_waits(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.add_feed()
    file, look = folder.drop("nightly.csv"), Drop.look

    def look_then_grow(drop: Drop, path: str) -> object:
        looked = look(drop, path)
        if file.stat().st_size == len(TEXT):
            file.write_text(TEXT + "A-3,enrolled\n")
        return looked

    with monkeypatch.context() as patched:
        patched.setattr(Drop, "look", look_then_grow)
        assert folder.collect().taken == 0

    assert folder.collect().taken == 1
    assert Job.objects.get().size == len(TEXT) + 13


def test_a_new_file_in_the_place_of_a_taken_one_is_not_swept_away(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.add_feed()
    folder.drop("nightly.csv")
    take = deliveries.take

    def take_then_drop(*args: object, **options: object) -> None:
        take(*args, **options)  # type: ignore[arg-type]
        folder.drop("nightly.csv", TEXT + "A-3,enrolled\n")

    with monkeypatch.context() as patched:
        patched.setattr(collection, "take", take_then_drop)
        folder.collect()
    assert folder.names() == ["nightly.csv", "nightly.csv.done"]

    folder.collect()
    assert list(Job.objects.order_by("pk").values_list("size", flat=True)) == [len(TEXT), len(TEXT) + 13]


def test_looks_are_due_after_their_pause(folder: Folder) -> None:
    folder.add_feed()
    assert api.has_due_feeds(now=folder.now)
    assert api.collect_due_feeds(now=folder.now)
    assert not api.has_due_feeds(now=folder.now + timedelta(seconds=30))
    assert not api.collect_due_feeds(now=folder.now + timedelta(seconds=30))
    assert api.collect_due_feeds(now=folder.now + timedelta(seconds=59))


def test_without_a_storage_nobody_looks(folder: Folder, settings: Settings) -> None:
    folder.add_feed()
    settings.STORAGES = {name: one for name, one in settings.STORAGES.items() if "feeds" not in name}

    assert not api.has_due_feeds(now=folder.now)
    assert not api.collect_due_feeds(now=folder.now)
    assert folder.collect().schools == 0


def test_a_look_costs_the_same_for_5_feeds_and_for_15(folder: Folder) -> None:
    for number in range(5):
        folder.add_feed(pattern=f"{number}-*.csv")
        folder.drop(f"{number}-nightly.csv", done=None)
    folder.collect(after=timedelta(seconds=1))
    few = statements_of(folder)
    for number in range(5, 15):
        folder.add_feed(pattern=f"{number}-*.csv")

    assert statements_of(folder) == few


def statements_of(folder: Folder) -> int:
    with CaptureQueriesContext(connection) as captured:
        folder.collect(after=timedelta(seconds=1))
    return len(captured)


def test_files_that_were_put_away_are_deleted_after_their_time(folder: Folder, settings: Settings) -> None:
    folder.add_feed()
    folder.drop("nightly.csv")
    folder.drop("bad.csv", "name\nKim\n")
    folder.drop("unfinished.csv", done=None)
    folder.collect()
    (folder.path / "unfinished.csv").unlink()

    api.forget_expired(now=folder.now + timedelta(days=29))
    assert len(folder.names("processed")) == 1
    api.forget_expired(now=folder.now + timedelta(days=31))

    assert (folder.names("processed"), folder.names("rejected")) == ([], [])
    assert not FeedFile.objects.exists()
    assert Job.objects.count() == 1


def test_what_cannot_be_deleted_is_tried_again(folder: Folder, feed_storage: Callable[..., Path]) -> None:
    folder.add_feed()
    folder.drop("nightly.csv")
    folder.collect()
    feed_storage(f"{STORAGES}.ReadOnlyStorage")
    api.forget_expired(now=folder.now + timedelta(days=31))
    assert FeedFile.objects.exists()

    feed_storage()
    api.forget_expired(now=folder.now + timedelta(days=31))
    assert (FeedFile.objects.exists(), folder.names("processed")) == (False, [])


def test_retiring_a_person_deletes_what_was_put_away(folder: Folder, world: World) -> None:
    folder.add_feed()
    folder.drop("nightly.csv")
    folder.collect()
    while api.run_next_slice():
        pass

    with world.run_callbacks(execute=True):
        api.retire_learners(
            persons=api.Persons(school_key="uni-a", student_keys=["A-1"]), origin=Origin(source="command")
        )

    assert (folder.names("processed"), FeedFile.objects.count(), Feed.objects.count()) == ([], 0, 1)
