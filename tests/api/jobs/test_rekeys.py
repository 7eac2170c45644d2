"""Re-keys: students of a school get other IDs by a file, swaps and chains among them (ADR 0026)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django.fixtures import Settings
from social_django.models import UserSocialAuth

from program_enrollments import api
from program_enrollments.api.jobs import dependents, queue, slices
from program_enrollments.api.jobs.queue import due_jobs
from program_enrollments.exceptions import DayIsOver
from program_enrollments.models import (
    Job,
    JobRow,
    Learner,
    LedgerEntry,
    PreemptiveProgramEnrollment,
    ProgramEnrollment,
    StagedRow,
)
from tests.api.jobs.conftest import Office
from tests.api.steps import STAFF, opened, release
from tests.factories.enrollment import IdentityProviderFactory, SchoolFactory
from tests.invariants import find_violations

TOMORROW = timezone.now() + timedelta(days=1)


def enroll(office: Office, *keys: str) -> None:
    office.world.write_program(*((key, "enrolled") for key in keys))


def holders(office: Office) -> dict[int, str]:
    """Return the student IDs of the learners who are enrolled, by primary key."""
    rows = [
        *PreemptiveProgramEnrollment.objects.values_list("learner_id", "learner__student_key"),
        *ProgramEnrollment.objects.values_list("learner_id", "learner__student_key"),
    ]
    return dict(sorted(rows))


def keys_of(office: Office) -> list[str]:
    return list(holders(office).values())


class TestWords:
    def test_a_learner_gets_another_id(self, office: Office) -> None:
        enroll(office, "A-1")
        job = office.rekey(" a-1 ,B-1")
        assert (job.state, job.program, job.total, job.done, job.changed) == ("succeeded", None, 1, 1, 1)
        assert job.counts == {"renamed": 1}
        assert office.rows(job) == [(2, "a-1", "renamed", True, "A-1", "B-1")]
        entry = LedgerEntry.objects.get(kind="student_key")
        assert (entry.before, entry.after, entry.job_id, entry.source) == ("A-1", "B-1", job.pk, "upload")
        assert keys_of(office) == ["B-1"]
        enroll(office, "A-1")
        assert sorted(keys_of(office)) == ["A-1", "B-1"], "the old ID is free for somebody else"

    def test_each_of_what_cannot_be_done(self, office: Office) -> None:
        enroll(office, "A-1", "A-2", "A-3", "A-4")
        other = SchoolFactory()
        Learner.objects.create(school=other, student_key="Z-1")
        job = office.rekey(
            "A-1,a-2",  # somebody else's
            "Z-1,B-1",  # at another school
            ",B-2",
            f"A-3,{'x' * 256}",
            "A-4,released-" + "0" * 32,
            "A-9,B-3,surplus",
            "A-8,",
            "A-2\x07,B-9",
        )
        assert office.line_words(job) == {
            2: "taken",
            3: "unknown",
            4: "invalid",
            5: "invalid",
            6: "invalid",
            7: "unreadable",
            8: "unknown",
            9: "invalid",
        }
        assert (job.refused, job.changed) == (8, 0)
        assert all(JobRow.objects.filter(job=job).values_list("detail", flat=True))
        assert keys_of(office) == ["A-1", "A-2", "A-3", "A-4"]

    def test_an_id_in_two_rows_as_old_or_as_new(self, office: Office) -> None:
        enroll(office, "A-1", "A-2", "A-3", "A-4")
        job = office.rekey("A-1,B-1", "a-1,B-2", "A-2,C-1", "A-3,c-1", "A-4,D-1")
        assert office.words(job) == {
            "A-1": "duplicated",
            "a-1": "duplicated",
            "A-2": "duplicated",
            "A-3": "duplicated",
            "A-4": "renamed",
        }

    def test_the_spelling_alone(self, office: Office) -> None:
        enroll(office, "a-1")
        job = office.rekey("a-1,A-1")
        assert office.rows(job) == [(2, "a-1", "renamed", True, "a-1", "A-1")]
        assert Learner.objects.get().student_key == "A-1"

    def test_again_changes_nothing(self, office: Office) -> None:
        enroll(office, "A-1", "A-2", "A-3", "A-4", "A-5")
        # One, a chain, a swap, a release.
        lines = ("A-1,B-1", "A-2,A-3", "A-3,C-1", "A-4,A-5", "A-5,A-4")
        first = office.rekey(*lines)
        assert first.counts == {"renamed": 5}
        then = holders(office)
        second = office.rekey(*lines)
        assert (second.counts, second.changed, second.unchanged, office.rows(second)) == ({"renamed": 5}, 0, 5, [])
        assert holders(office) == then
        assert LedgerEntry.objects.filter(kind="student_key").count() == 5

    def test_to_an_id_that_the_same_learner_had(self, office: Office) -> None:
        enroll(office, "A-1")
        assert office.rekey("A-1,B-1").counts == office.rekey("B-1,A-1").counts == {"renamed": 1}
        job = office.rekey("A-1,B-1")
        assert (job.changed, keys_of(office)) == (1, ["B-1"])

    def test_the_pseudonym_of_who_lost_an_id_gives_way(self, office: Office) -> None:
        enroll(office, "A-1")
        release(office.world, "A-1")
        pseudonym = Learner.objects.get(student_key__startswith="released-").student_key
        assert office.rekey(f"{pseudonym},A-2").counts == {"renamed": 1}
        assert keys_of(office) == ["A-2"]
        api.retire_learners(persons=api.Persons(learner_ids=[Learner.objects.get(student_key="A-2").pk]), origin=STAFF)
        retired = Learner.objects.get(student_key__startswith="retired-").student_key
        assert office.rekey(f"{retired},A-3").counts == {"invalid": 1}


class TestReleasing:
    def test_an_empty_new_id_frees_the_old_one(self, office: Office) -> None:
        enroll(office, "A-1", "A-2")
        Learner.objects.filter(student_key="A-2").update(email="two@uni.example", email_normalized="two@uni.example")
        job = office.rekey("A-1,", "A-2,")
        assert job.counts == {"released": 2}
        assert office.rows(job) == [
            (2, "A-1", "released", True, "A-1", None),
            (3, "A-2", "released", True, "A-2", None),
        ]
        assert keys_of(office)[1] == ""
        assert keys_of(office)[0].startswith("released-")
        again = office.rekey("A-1,", "A-2,")
        assert (again.counts, again.changed) == ({"released": 2}, 0)

    def test_for_another_line_of_the_file(self, office: Office) -> None:
        enroll(office, "A-1", "A-2")
        one, two = holders(office)
        job = office.rekey("A-2,A-1", "A-1,")
        assert job.counts == {"renamed": 1, "released": 1}
        assert holders(office)[two] == "A-1"
        assert holders(office)[one].startswith("released-")
        assert find_violations() == []


class TestDependentLines:
    def test_swaps_and_chains_are_judged_by_their_result(self, office: Office) -> None:
        enroll(office, "A-1", "A-2", "A-3", "A-4", "A-5", "A-6")
        before = holders(office)
        job = office.rekey("A-1,A-2", "A-3,A-4", "A-2,A-1", "A-4,A-5", "A-6,B-1", "A-5,A-3")
        assert job.counts == {"renamed": 6}
        wanted = {"A-1": "A-2", "A-2": "A-1", "A-3": "A-4", "A-4": "A-5", "A-5": "A-3", "A-6": "B-1"}
        assert holders(office) == {pk: wanted[key] for pk, key in before.items()}
        assert find_violations() == []

    def test_a_chain_whose_end_is_taken_is_taken_throughout(self, office: Office) -> None:
        enroll(office, "A-1", "A-2", "A-3", "X-1")
        job = office.rekey("A-1,A-2", "A-2,A-3", "A-3,x-1")
        assert office.line_words(job) == {2: "taken", 3: "taken", 4: "taken"}
        assert keys_of(office) == ["A-1", "A-2", "A-3", "X-1"]
        # Its beginning is unknown: the rest has what it needs.
        job = office.rekey("A-9,A-1", "A-1,B-1")
        assert office.line_words(job) == {2: "unknown", 3: "renamed"}

    def test_a_line_that_cannot_be_read_keeps_its_id(self, office: Office) -> None:
        enroll(office, "A-1", "A-2", "A-3")
        job = office.rekey("A-1,A-2", f"A-2,{'x' * 256}", "A-3,B-1", "A-3,B-2")
        assert office.line_words(job) == {2: "taken", 3: "invalid", 4: "duplicated", 5: "duplicated"}

    def test_accounts_change_with_their_owners(self, office: Office) -> None:
        enroll(office, "A-1", "A-2")
        ann, bob = opened(office.world, "A-1"), opened(office.world, "A-2")
        assert office.rekey("A-1,A-2", "A-2,A-1").counts == {"renamed": 2}
        assert opened(office.world, "A-2") == ann
        assert opened(office.world, "A-1") == bob
        assert dict(UserSocialAuth.objects.values_list("uid", "user")) == {
            "uni-a:A-2": ann and ann.pk,
            "uni-a:A-1": bob and bob.pk,
        }
        assert find_violations() == []

    def test_are_written_together_however_small_chunks_are(self, office: Office, settings: Settings) -> None:
        settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "CHUNK_SIZE": 1}
        names = [f"A-{number}" for number in range(9)]
        enroll(office, *names)
        before = holders(office)
        lines = [f"{name},{other}" for name, other in zip(names, [*names[1:], names[0]], strict=True)]
        assert office.rekey(*lines[::2], *lines[1::2]).counts == {"renamed": 9}
        assert list(holders(office).values()) == [*names[1:], names[0]]
        assert holders(office).keys() == before.keys()

    def test_too_many_are_refused_as_a_whole(self, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(dependents, "MAX_GROUP", 3)
        enroll(office, "A-1", "A-2", "A-3", "A-4", "A-5")
        job = office.rekey("A-1,A-2", "A-2,A-3", "A-3,A-4", "A-4,B-1", "A-5,B-2")
        assert job.counts == {"invalid": 4, "renamed": 1}
        assert "more than 3" in JobRow.objects.get(job=job, line=2).detail


class TestHonoring:
    def honored(self, office: Office, *lines: str, **options: Any) -> Job:
        day = timezone.localdate(TOMORROW)
        return office.rekey(*lines, honor_old_until=day, **options)

    def test_both_ids_name_the_learner_until_the_day_ends_at_the_school(self, office: Office) -> None:
        office.world.school.time_zone = "Pacific/Auckland"
        office.world.school.save()
        enroll(office, "A-1")
        ann = opened(office.world, "A-1")
        job = self.honored(office, "A-1,B-1")
        day = timezone.localdate(TOMORROW)
        assert job.honor_old_until is not None
        assert job.honor_old_until.astimezone(UTC).hour in {11, 12}, "midnight in Auckland"
        assert opened(office.world, "A-1") == opened(office.world, "B-1") == ann
        assert office.run("student_key,status\nA-1,suspended\n").counts == {"suspended": 1}
        assert ProgramEnrollment.objects.get().status == "suspended"

        later = datetime.combine(day + timedelta(days=1), datetime.min.time(), tzinfo=UTC)
        assert office.world.write_program(("A-1", "pending"), now=later) == {"A-1": "pending"}
        assert PreemptiveProgramEnrollment.objects.get().learner.student_key == "A-1"
        assert ProgramEnrollment.objects.get().status == "suspended"

    def test_the_old_id_becomes_nobody_elses_before(self, office: Office) -> None:
        enroll(office, "A-1", "A-2")
        self.honored(office, "A-1,B-1")
        assert office.rekey("A-2,A-1").counts == {"taken": 1}
        assert office.rekey("B-1,A-1").counts == {"renamed": 1}, "but the learner's own again"

    def test_when_it_is_over_a_rekey_may_give_it_without_the_sweep(self, office: Office) -> None:
        enroll(office, "A-1", "A-2")
        ann = opened(office.world, "A-1")
        self.honored(office, "A-1,B-1")
        Learner.objects.filter(honored_for__isnull=False).update(honored_until=timezone.now())
        assert office.rekey("A-2,A-1").counts == {"renamed": 1}
        assert list(UserSocialAuth.objects.filter(user=ann).values_list("uid", flat=True)) == ["uni-a:B-1"]
        assert opened(office.world, "A-1") not in {None, ann}
        assert find_violations() == []

    def test_files_of_ids_may_use_the_old_one_too(self, office: Office) -> None:
        enroll(office, "A-1")
        self.honored(office, "A-1,B-1")
        again = self.honored(office, "A-1,B-1")
        assert (again.counts, again.changed) == ({"renamed": 1}, 0)
        assert office.rekey("A-1,C-1").counts == {"renamed": 1}
        assert keys_of(office) == ["C-1"]
        assert office.rekey("A-1,D-1", "C-1,D-2").counts == {"duplicated": 2}

    def test_who_gets_an_honored_id_back_signs_on_with_it_as_before(self, office: Office) -> None:
        enroll(office, "A-1")
        ann = opened(office.world, "A-1")
        self.honored(office, "A-1,B-1")
        office.rekey("B-1,A-1")
        assert opened(office.world, "A-1") == ann

    def test_an_old_id_that_is_a_new_one_cannot_be_honored(self, office: Office) -> None:
        enroll(office, "A-1", "A-2", "A-3", "A-4", "A-5")
        job = self.honored(office, "A-1,A-2", "A-2,A-1", "A-3,A-4", "A-4,B-1", "A-5,B-2")
        assert office.line_words(job) == {2: "taken", 3: "taken", 4: "taken", 5: "taken", 6: "renamed"}

    def test_releasing_an_honored_id_ends_that(self, office: Office) -> None:
        enroll(office, "A-1", "A-2")
        ann = opened(office.world, "A-1")
        self.honored(office, "A-1,B-1")
        assert office.rekey("A-1,", "A-2,A-1").counts == {"released": 1, "renamed": 1}
        assert sorted(keys_of(office)) == ["A-1", "B-1"]
        assert opened(office.world, "A-1") != ann
        assert opened(office.world, "B-1") == ann
        assert find_violations() == []

    def test_a_day_that_is_over_is_refused(self, office: Office) -> None:
        with pytest.raises(DayIsOver):
            office.send_rekeys("A-1,B-1", honor_old_until=date(2020, 1, 1))
        assert office.send_rekeys("A-1,B-1", honor_old_until=date.max).honor_old_until is not None


class TestAccounts:
    def test_sign_on_by_the_providers_that_they_used(self, office: Office) -> None:
        IdentityProviderFactory(school=office.world.school, slug="uni-a-new")
        enroll(office, "A-1", "A-2")
        ann, bob = opened(office.world, "A-1", slug="uni-a-new"), opened(office.world, "A-2")
        office.rekey("A-1,B-1", "A-2,B-2")
        assert dict(UserSocialAuth.objects.values_list("user", "uid")) == {
            ann and ann.pk: "uni-a-new:B-1",
            bob and bob.pk: "uni-a:B-2",
        }

    def test_sign_on_by_the_provider_that_asserts_the_new_ids(self, office: Office) -> None:
        IdentityProviderFactory(school=office.world.school, slug="uni-a-new")
        enroll(office, "A-1")
        ann = opened(office.world, "A-1")
        office.rekey("A-1,B-1", identity_provider="uni-a-new")
        assert list(UserSocialAuth.objects.values_list("user", "uid")) == [(ann and ann.pk, "uni-a-new:B-1")]


class TestBetweenCheckAndApply:
    def checked(self, office: Office, settings: Settings, *lines: str) -> Job:
        """Return a job that has been checked, and of which nothing is applied."""
        settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "SLICE_SECONDS": 0}
        job = office.send_rekeys(*lines)
        while job.phase != "apply":
            assert api.run_next_slice()
            job.refresh_from_db()
        return job

    def test_an_id_that_names_somebody_else_now_is_left_alone(self, office: Office, settings: Settings) -> None:
        enroll(office, "A-1", "A-2", "A-3")
        job = self.checked(office, settings, "A-1,B-1", "A-2,B-2", "A-3,B-3")
        release(office.world, "A-1")
        enroll(office, "A-1")
        release(office.world, "A-2")
        office.work(job)
        assert office.line_words(job) == {2: "changed-since", 3: "changed-since", 4: "renamed"}
        assert "A-1" in keys_of(office)

    def test_a_new_id_that_was_given_meanwhile_is_taken(self, office: Office, settings: Settings) -> None:
        enroll(office, "A-1")
        job = self.checked(office, settings, "A-1,B-1")
        enroll(office, "B-1")
        assert office.work(job).counts == {"taken": 1}

    def test_who_is_retired_meanwhile_stays_so(self, office: Office, settings: Settings) -> None:
        enroll(office, "A-1", "A-2")
        job = self.checked(office, settings, "A-1,B-1", "A-2,B-2")
        with office.world.run_callbacks(execute=True):
            learner = Learner.objects.get(student_key="A-1")
            api.retire_learners(persons=api.Persons(learner_ids=[learner.pk]), origin=STAFF)
        office.work(job)
        assert office.line_words(job)[3] == "renamed"
        assert not Learner.objects.filter(student_key__in=["A-1", "B-1"]).exists()
        assert not JobRow.objects.filter(student_key="A-1").exists()

    def test_canceled_in_the_middle_the_rest_is_not_done(self, office: Office, settings: Settings) -> None:
        settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "SLICE_SECONDS": 0, "CHUNK_SIZE": 1}
        enroll(office, "A-1", "A-2")
        job = office.send_rekeys("A-1,B-1", "A-2,B-2")
        while job.done < 1:
            assert api.run_next_slice()
            job.refresh_from_db()
        api.cancel_job(job=job, origin=STAFF)
        assert not api.run_next_slice() or not StagedRow.objects.filter(job_id=job.pk).exists()
        assert keys_of(office) == ["B-1", "A-2"]


class TestOrder:
    def test_a_rekey_runs_alone_in_its_school(self, office: Office) -> None:
        first = office.send("student_key,status\nA-1,enrolled\n")
        rekey = office.send_rekeys("A-1,B-1")
        last = office.send("student_key,status\nB-1,suspended\n")
        elsewhere = office.send_rekeys("A-1,B-1", school=SchoolFactory())
        due = list(Job.objects.filter(pk__in=[job.pk for job in (first, elsewhere)]).values_list("pk", flat=True))
        assert sorted(job.pk for job in due_jobs(now=timezone.now())) == sorted(due)
        assert not api.run_slice(job_id=rekey.pk, slice_number=rekey.slice)
        office.work(last)
        assert [job.state for job in Job.objects.order_by("pk")] == ["succeeded"] * 4
        assert PreemptiveProgramEnrollment.objects.get().status == "suspended"

    @pytest.mark.parametrize("state", ["running", "waiting"])
    def test_programs_wait_for_one_under_way(self, office: Office, state: str) -> None:
        rekey = office.send_rekeys("A-1,B-1")
        Job.objects.filter(pk=rekey.pk).update(state=state, next_try="2100-01-01T00:00:00Z", busy_until=TOMORROW)
        job = office.send("student_key,status\nA-1,enrolled\n")
        assert not api.run_slice(job_id=job.pk, slice_number=job.slice)
        dry = office.send_rekeys("A-1,B-1", dry_run=True)
        assert office.work(dry).state == "succeeded"
        job.refresh_from_db()
        assert job.state == "pending"

    def test_the_database_refuses_two_at_once(self, office: Office) -> None:
        office.send_rekeys("A-1,B-1")
        office.send_rekeys("A-1,B-1")
        with pytest.raises(Exception, match=r"occupied_school|ue_job_one_rekey_per_school"), transaction.atomic():
            Job.objects.update(state="running")

    def test_what_began_since_the_look_is_seen(self, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
        job, rekey = office.send("student_key,status\nA-1,enrolled\n"), office.send_rekeys("A-1,B-1")
        Job.objects.filter(pk=job.pk).update(state="running", busy_until=TOMORROW)
        look, seen = queue.is_next, []

        def stale(*, job: Job) -> bool:
            seen.append(job.pk)
            return len(seen) == 1 or look(job=job)

        monkeypatch.setattr(slices, "is_next", stale)
        assert not api.run_slice(job_id=rekey.pk, slice_number=rekey.slice)
        rekey.refresh_from_db()
        assert (rekey.state, rekey.slice, seen) == ("pending", 0, [rekey.pk] * 2)

    def test_the_end_of_one_wakes_the_programs_next(self, office: Office) -> None:
        rekey = office.send_rekeys("A-1,B-1")
        job = office.send("student_key,status\nB-1,enrolled\n")
        due: list[int] = []

        def hear(job_id: int, **_: Any) -> None:
            due.append(job_id)

        api.job_due.connect(hear)
        try:
            with office.world.run_callbacks(execute=True):
                api.cancel_job(job=rekey, origin=STAFF)
        finally:
            api.job_due.disconnect(hear)
        assert job.pk in due


class TestDryRuns:
    COUNTED = ("total", "done", "changed", "unchanged", "refused", "counts")

    def outcome(self, office: Office, job: Job) -> Any:
        details = list(job.rows.order_by("place").values_list("detail", flat=True))
        return office.rows(job), details, [getattr(job, name) for name in self.COUNTED]

    def test_nothing_is_written(self, office: Office) -> None:
        enroll(office, "A-1", "A-2")
        ann = opened(office.world, "A-1")
        entries = LedgerEntry.objects.count()
        dry = office.rekey("A-1,A-2", "A-2,A-1", dry_run=True)
        assert dry.counts == {"renamed": 2}
        assert (keys_of(office), LedgerEntry.objects.count()) == (["A-1", "A-2"], entries)
        assert list(UserSocialAuth.objects.values_list("user", "uid")) == [(ann and ann.pk, "uni-a:A-1")]
        real = api.start_previewed(job=dry, origin=STAFF)
        assert self.outcome(office, office.work(real)) == self.outcome(office, dry)

    NAMES = st.sampled_from(["A-1", "a-1", "A-2", "A-3", "A-4", "B-1", "B-2", ""])
    LINES = st.lists(st.tuples(NAMES, NAMES), max_size=7)

    @hypothesis_settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(before=LINES, lines=LINES, honors=st.booleans(), honored=st.booleans(), size=st.integers(1, 4))
    def test_equal_the_run_that_follows_whatever_the_file(
        self,
        office: Office,
        settings: Settings,
        before: list[Any],
        lines: list[Any],
        honors: bool,
        honored: bool,
        size: int,
    ) -> None:
        settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "CHUNK_SIZE": size}
        day = timezone.localdate(TOMORROW)

        def text(rows: list[tuple[str, str]]) -> list[str]:
            return [",".join(row) for row in rows if any(row)]

        with transaction.atomic():
            enroll(office, "A-1", "A-2", "A-3", "A-4")
            opened(office.world, "A-1")
            office.rekey(*text(before), honor_old_until=day if honored else None)
            people = len(holders(office))
            options = {"honor_old_until": day if honors else None}
            dry = office.rekey(*text(lines), dry_run=True, **options)
            real = office.rekey(*text(lines), **options)
            assert real.state == "succeeded"
            assert self.outcome(office, real) == self.outcome(office, dry)
            assert len(holders(office)) == people
            assert find_violations() == []
            again = office.rekey(*text(lines), **options)
            assert again.changed <= real.refused, "what was done is not done again"
            transaction.set_rollback(True)


def test_a_chunk_takes_a_constant_number_of_statements(office: Office) -> None:
    def statements(first: int, count: int) -> int:
        names = [f"A-{number:03}" for number in range(first, first + count)]
        enroll(office, *names)
        for name in names[:3]:
            opened(office.world, name)
        lines = [f"{name},{name.replace('A', 'B')}" for name in names[2:]]
        job = office.send_rekeys(f"{names[0]},{names[1]}", f"{names[1]},{names[0]}", *lines)
        with CaptureQueriesContext(connection) as captured:
            assert office.work(job).counts == {"renamed": count}
        return len(captured)

    assert statements(0, 4) == statements(100, 300)


class TestRetention:
    def test_retiring_removes_former_and_present_ids(self, office: Office) -> None:
        enroll(office, "A-1", "A-2", "A-3")
        office.rekey("A-1,B-1", "A-2,B-2", dry_run=True)
        office.rekey("A-1,B-1", "A-2,B-2")
        office.rekey("B-1,C-1", "A-3,")
        with office.world.run_callbacks(execute=True):
            learner = Learner.objects.get(student_key="C-1")
            api.retire_learners(persons=api.Persons(learner_ids=[learner.pk]), origin=STAFF)
        told = {
            value
            for row in JobRow.objects.values_list("student_key", "before", "after", "detail")
            for value in row
            if value and not value.startswith("retired-")
        }
        assert told == {"A-2", "B-2", "A-3"}

    def test_files_and_rows_go_after_their_time(self, office: Office) -> None:
        enroll(office, "A-1")
        job = office.rekey("A-1,B-1")
        api.forget_expired(now=timezone.now() + timedelta(days=31))
        job.refresh_from_db()
        assert (job.input_name, JobRow.objects.filter(job=job).count()) == ("", 0)
