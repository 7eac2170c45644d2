"""What happens between a file's check and its end: IDs change, people are retired, files expire, newer files come."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone
from pytest_django.fixtures import Settings

from program_enrollments import api
from program_enrollments.api.jobs import dependents, duplicates, guard
from program_enrollments.data import JobMode, Origin, Source
from program_enrollments.exceptions import StaleEffects, WrongState
from program_enrollments.models import Job, JobRow, Learner, PreemptiveProgramEnrollment, StagedRow
from tests.api.jobs.conftest import Office

REGISTRAR = Origin(source=Source.API.value, reason="They graduated")


def people(count: int, start: int = 0) -> list[str]:
    return [f"S-{number:04}" for number in range(start, start + count)]


def file_of(names: list[str], status: str = "enrolled") -> str:
    return "student_key,status\n" + "".join(f"{name},{status}\n" for name in names)


def statuses(office: Office) -> dict[str, str]:
    rows = PreemptiveProgramEnrollment.objects.filter(program=office.world.program)
    return dict(rows.values_list("learner__student_key", "status"))


def hold(office: Office) -> Job:
    """Return a held snapshot that names ten of thirty, and somebody new."""
    office.run(file_of(people(30)))
    job = office.snapshot(file_of([*people(10), "NEW-1"]))
    assert job.state == "held"
    return job


def approve(office: Office, job: Job) -> Job:
    assert job.held is not None
    api.approve_job(job=job, effects=job.held["effects"], removals=True, origin=REGISTRAR)
    return office.work(job)


def rename(office: Office, old: str, new: str) -> None:
    with office.world.run_callbacks(execute=True):
        api.rename_students(provider=office.world.provider, renamings=[api.Renaming(old, new)], origin=REGISTRAR)


class TestLeavers:
    def test_who_got_the_newcomers_id_since_is_named_by_the_file(self, office: Office) -> None:
        job = hold(office)
        rename(office, "S-0020", "NEW-1")
        job = approve(office, job)
        assert statuses(office)["NEW-1"] == "enrolled"
        assert JobRow.objects.get(job=job, line=None, word="changed-since").student_key == "S-0020"
        assert job.removals == 19

    def test_who_has_another_id_since_is_left_alone(self, office: Office) -> None:
        job = hold(office)
        rename(office, "S-0020", "Z-9")
        job = approve(office, job)
        assert statuses(office)["Z-9"] == "enrolled"
        assert "S-0020" not in statuses(office)
        assert office.words(job)["S-0020"] == "changed-since"

    def test_somebody_else_with_the_id_of_a_leaver_stays(self, office: Office) -> None:
        job = hold(office)
        rename(office, "S-0020", "Z-9")
        office.world.write_program(("S-0020", "enrolled"))
        approve(office, job)
        assert statuses(office)["S-0020"] == statuses(office)["Z-9"] == "enrolled"

    def test_who_was_retired_since_does_not_come_back(self, office: Office) -> None:
        job = hold(office)
        learner = Learner.objects.get(student_key="S-0020")
        with office.world.run_callbacks(execute=True):
            api.retire_learners(persons=api.Persons(learner_ids=[learner.pk]), origin=REGISTRAR)
        job = approve(office, job)
        assert job.state == "succeeded"
        assert "S-0020" not in statuses(office)
        assert not JobRow.objects.filter(student_key="S-0020").exists()
        assert not Learner.objects.filter(student_key="S-0020").exists()


class TestResuming:
    def fail(self, job: Job) -> None:
        """Leave the job as a day's outage of the platform does."""
        now = timezone.now()
        values = {"waiting_since": now - timedelta(days=1), "started": now - timedelta(days=1), "busy_until": None}
        Job.objects.filter(pk=job.pk).update(state="failed", finished=now, **values)
        job.refresh_from_db()

    def half_done(self, office: Office, settings: Settings, text: str, *, done: int = 10) -> Job:
        settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "SLICE_SECONDS": 0, "CHUNK_SIZE": 10}
        job = office.send(text)
        while job.done < done:
            assert api.run_next_slice()
            job.refresh_from_db()
        self.fail(job)
        return job

    def test_what_newer_files_said_since_is_not_undone(self, office: Office, settings: Settings) -> None:
        job = self.half_done(office, settings, file_of(people(30)))
        office.run(file_of(["S-0029"], "suspended"))
        api.resume_job(job=job, origin=REGISTRAR)
        office.work(job)
        assert (job.state, statuses(office)["S-0029"]) == ("succeeded", "suspended")
        assert office.words(job)["S-0029"] == "changed-since"

    def test_what_it_removed_counts_for_the_guard_meanwhile(self, office: Office, settings: Settings) -> None:
        office.run(file_of(people(100)))
        job = self.half_done(office, settings, file_of(people(20), "canceled"))
        api.resume_job(job=job, origin=REGISTRAR)
        Job.objects.filter(pk=job.pk).update(queued_at=timezone.now() + timedelta(hours=1))
        later = office.send(file_of(people(15, 50), "canceled"))
        while later.state not in {"held", "succeeded"}:
            assert api.run_next_slice()
            later.refresh_from_db()
        assert later.state == "held"

    def test_after_its_file_was_deleted_it_is_too_late(self, office: Office, settings: Settings) -> None:
        job = self.half_done(office, settings, file_of(people(30)))
        api.forget_expired(now=timezone.now() + timedelta(days=31))
        job.refresh_from_db()
        with pytest.raises(WrongState):
            api.resume_job(job=job, origin=REGISTRAR)
        assert not StagedRow.objects.exists()

    def test_before_its_check_and_after_its_file_was_deleted(self, office: Office) -> None:
        job = office.send(file_of(people(3)))
        self.fail(job)
        api.forget_expired(now=timezone.now() + timedelta(days=31))
        job.refresh_from_db()
        with pytest.raises(WrongState):
            api.resume_job(job=job, origin=REGISTRAR)

    def test_twice_is_once(self, office: Office, settings: Settings) -> None:
        job = self.half_done(office, settings, file_of(people(30)))
        again = Job.objects.get(pk=job.pk)
        api.resume_job(job=job, origin=REGISTRAR)
        with pytest.raises(WrongState):
            api.resume_job(job=again, origin=REGISTRAR)
        office.work(job)
        assert (job.done, job.changed) == (30, 30)


def test_a_snapshot_that_was_canceled_while_it_was_weighed_supersedes_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = hold(office)
    newer = office.send(file_of(people(30)), mode=JobMode.SNAPSHOT)
    find_reasons = guard._find_reasons

    def canceled_meanwhile(job: Job, scopes: object) -> list[str]:
        if job.pk == newer.pk:
            api.cancel_job(job=Job.objects.get(pk=newer.pk), origin=REGISTRAR)
        return find_reasons(job, scopes)  # type: ignore[arg-type]

    monkeypatch.setattr(guard, "_find_reasons", canceled_meanwhile)
    office.work(newer)
    held.refresh_from_db()
    assert (newer.state, held.state) == ("canceled", "held")


def test_a_job_has_only_the_effects_of_its_own_list(office: Office) -> None:
    first = hold(office)
    office.run(file_of(people(5, 100)))
    second = office.snapshot(file_of(people(3)))
    assert first.held is not None
    assert second.held is not None
    assert first.held["effects"] != second.held["effects"]
    with pytest.raises(StaleEffects):
        api.approve_job(job=second, effects=first.held["effects"], removals=True, origin=REGISTRAR)


def test_a_file_that_cannot_be_read_to_its_end_just_now_waits(
    office: Office, tmp_path: Path, settings: Settings
) -> None:
    text = file_of(people(2_500))
    job = office.send(text)
    settings.STORAGES = {
        **settings.STORAGES,
        "program_enrollments": {
            "BACKEND": "tests.api.jobs.storages.BreakingStorage",
            "OPTIONS": {"location": str(tmp_path)},
        },
    }
    office.work(job)
    assert (job.state, job.done) == ("waiting", 0)
    assert job.message.startswith("The storage for files does not answer.")
    settings.STORAGES = {
        **settings.STORAGES,
        "program_enrollments": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path)},
        },
    }
    assert job.next_try is not None
    while api.run_next_slice(now=job.next_try):
        pass
    job.refresh_from_db()
    assert (job.state, job.changed, len(statuses(office))) == ("succeeded", 2_500, 2_500)


class TestLosingTheJob:
    """A worker that was thought dead wakes up in the middle of a long step: it writes nothing more."""

    def lose(self, monkeypatch: pytest.MonkeyPatch, job: Job, module: Any, name: str) -> list[int]:
        """Let another worker take the job once this function was called; return a list that counts the calls."""
        calls: list[int] = []
        original = getattr(module, name)

        def losing(*args: Any, **kwargs: Any) -> Any:
            calls.append(1)
            result = original(*args, **kwargs)
            Job.objects.filter(pk=job.pk).update(slice=F("slice") + 1)
            return result

        monkeypatch.setattr(module, name, losing)
        return calls

    def test_while_it_refuses_duplicates(self, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(duplicates, "ROWS_AT_ONCE", 2)
        job = office.send(file_of(["A-1"] * 9))
        calls = self.lose(monkeypatch, job, duplicates, "_update")
        api.run_next_slice()
        assert len(calls) == 1

    def test_while_it_groups_rows(self, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
        lines = [f"S-{n},s{n}@uni.example,enrolled\n" for n in range(8)]
        office.run("student_key,email,status\n" + "".join(lines))
        swapped = [f"S-{n},s{n ^ 1}@uni.example,enrolled\n" for n in range(8)]
        # Two and two of the swaps stand far from each other.
        job = office.send("student_key,email,status\n" + "".join([*swapped[::2], *swapped[1::2]]))
        calls = self.lose(monkeypatch, job, dependents, "_renumber")
        api.run_next_slice()
        assert len(calls) == 1

    def test_while_it_lists_removals(self, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(guard, "PLANNED_AT_ONCE", 5)
        office.run(file_of(people(30)))
        job = office.send(file_of(people(5)), mode=JobMode.SNAPSHOT)
        calls = self.lose(monkeypatch, job, guard, "insert_job_rows")
        api.run_next_slice()
        assert len(calls) == 1

    def test_long_steps_say_that_somebody_is_at_work(self, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(duplicates, "ROWS_AT_ONCE", 2)
        job = office.send(file_of(["A-1"] * 9))
        seen: list[Any] = []
        update = duplicates._update

        def watched(*args: Any) -> None:
            seen.append(Job.objects.values_list("busy_until", flat=True).get(pk=job.pk))
            update(*args)

        monkeypatch.setattr(duplicates, "_update", watched)
        office.work(job)
        assert seen == sorted(set(seen))
        assert len(seen) == 5


class TestClocks:
    """Web servers and workers have clocks of their own."""

    def test_a_clock_that_is_slow_changes_no_order(self, office: Office) -> None:
        first = office.send(file_of(["A-1"]))
        second = office.send(file_of(["A-1"], "suspended"), now=timezone.now() - timedelta(minutes=3))
        assert second.queued_at > first.queued_at
        office.work(second)
        assert statuses(office) == {"A-1": "suspended"}

    def test_a_clock_that_is_fast_makes_no_job_late(self, office: Office, settings: Settings) -> None:
        settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "SLICE_SECONDS": 0, "CHUNK_SIZE": 10}
        job = office.send(file_of(people(30)), now=timezone.now() + timedelta(minutes=3))
        while job.done < 10:
            assert api.run_next_slice()
            job.refresh_from_db()
        office.world.write_program(("S-0029", "pending"))
        office.work(job)
        assert statuses(office)["S-0029"] == "enrolled"
