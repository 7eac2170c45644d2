"""Snapshots: who is missing leaves, and the guard holds what would remove too many."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from program_enrollments import api
from program_enrollments.data import JobMode, Origin, ProgramStatus, Source
from program_enrollments.exceptions import StaleEffects, WrongState
from program_enrollments.models import Job, PreemptiveProgramEnrollment
from tests.api.jobs.conftest import Office
from tests.factories.enrollment import CurriculumFactory, ProgramEnrollmentFactory

REGISTRAR = Origin(source=Source.API.value, reason="They graduated")


def file_of(names: list[str], status: str = "enrolled") -> str:
    return "student_key,status\n" + "".join(f"{name},{status}\n" for name in names)


def people(count: int, start: int = 0) -> list[str]:
    return [f"S-{number:04}" for number in range(start, start + count)]


def present(office: Office) -> set[str]:
    return set(
        PreemptiveProgramEnrollment.objects.filter(program=office.world.program, status="enrolled").values_list(
            "learner__student_key", flat=True
        )
    )


def test_who_is_missing_leaves(office: Office) -> None:
    office.run(file_of(people(5)))
    job = office.snapshot(file_of(people(4)))
    assert (job.state, job.total, job.done, job.removals) == ("succeeded", 4, 4, 1)
    assert job.counts == {"enrolled": 4, "left": 1}
    assert office.rows(job) == [(None, "S-0004", "left", True, "enrolled", "canceled")]
    assert present(office) == set(people(4))


def test_learners_with_accounts_leave_as_well(office: Office) -> None:
    office.run(file_of(people(2)))
    real = ProgramEnrollmentFactory(curriculum=office.world.curriculum)
    job = office.snapshot(file_of(people(2)), leaving_status=ProgramStatus.ENDED)
    real.refresh_from_db()
    assert (job.state, real.status) == ("succeeded", "ended")


def test_other_programs_are_none_of_its_business(office: Office) -> None:
    other = ProgramEnrollmentFactory(curriculum=CurriculumFactory(program__school=office.world.school))
    office.run(file_of(people(2)))
    office.snapshot(file_of(people(2)))
    other.refresh_from_db()
    assert other.status == "enrolled"


def test_a_refused_line_still_says_that_somebody_is_present(office: Office) -> None:
    office.run(file_of(people(3)))
    job = office.snapshot(file_of(people(2)) + "s-0002,enroled\n")
    assert (job.removals, job.refused) == (0, 1)
    assert present(office) == set(people(3))


def test_who_has_ended_stays_ended(office: Office) -> None:
    office.run(file_of(people(2)) + "E-1,ended\nC-1,canceled\n")
    job = office.snapshot(file_of(people(2)))
    assert job.removals == 0


class TestGuard:
    def test_twenty_percent_of_a_hundred_may_go(self, office: Office) -> None:
        office.run(file_of(people(100)))
        job = office.snapshot(file_of(people(80)))
        assert (job.state, job.removals) == ("succeeded", 20)

    def test_more_are_held_and_listed_and_nothing_is_written(self, office: Office) -> None:
        office.run(file_of(people(100)))
        job = office.snapshot(file_of([*people(79), "new"]))
        assert (job.state, job.removals, job.done) == ("held", 21, 0)
        assert job.held is not None
        assert job.held["scopes"] == [{"course_id": None, "removals": 21, "present": 100, "limit": 20}]
        assert "21 of 100" in job.message
        assert [row[2] for row in office.rows(job)] == ["left"] * 21
        assert present(office) == set(people(100))

    def test_ten_of_a_few_may_go(self, office: Office) -> None:
        office.run(file_of(people(15)))
        assert office.snapshot(file_of(people(5))).state == "succeeded"

    def test_what_files_removed_within_a_week_counts_as_well(self, office: Office) -> None:
        office.run(file_of(people(100)))
        office.snapshot(file_of(people(85)))
        job = office.snapshot(file_of(people(80)))
        # 15 and 5 are over 17, a fifth of the 85 who are left.
        assert (job.state, job.removals) == ("held", 5)
        Job.objects.filter(removed={"0": 15}).update(finished=timezone.now() - timedelta(days=8))
        assert office.snapshot(file_of(people(80))).state == "succeeded"

    def test_an_upsert_that_says_that_many_leave_is_held_too(self, office: Office) -> None:
        office.run(file_of(people(100)))
        job = office.run(file_of(people(30), "suspended"))
        assert (job.state, job.removals) == ("held", 30)
        assert [row[2] for row in office.rows(job)] == ["suspended"] * 30

    def test_who_had_left_before_is_no_removal(self, office: Office) -> None:
        office.run(file_of(people(30), "canceled"))
        assert office.run(file_of(people(30), "ended")).state == "succeeded"

    @pytest.mark.parametrize("text", ["student_key,status\n", "student_key,status\nS-0000,enroled\n"])
    def test_a_snapshot_without_a_good_line_is_always_held(self, office: Office, text: str) -> None:
        assert office.snapshot(text).state == "held"

    def test_an_upsert_without_lines_does_nothing(self, office: Office) -> None:
        job = office.run("student_key,status\n")
        assert (job.state, job.total) == ("succeeded", 0)

    def test_a_file_that_leaves_nobody_is_held(self, office: Office) -> None:
        office.run(file_of(people(3)))
        assert office.snapshot(file_of(people(3), "canceled")).state == "held"

    @pytest.mark.parametrize("line", [",enrolled\n", "S-0003,enrolled,,,surplus\n", f"{'x' * 300},enrolled\n"])
    def test_a_line_that_hides_whom_it_is_about_holds_all_removals(self, office: Office, line: str) -> None:
        office.run(file_of(people(4)))
        job = office.snapshot(file_of(people(3)) + line)
        assert (job.state, job.removals) == ("held", 1)
        assert office.snapshot(file_of(people(4)) + line).state == "succeeded"

    def test_the_school_decides_how_many(self, office: Office) -> None:
        office.world.school.guard_minimum = 0
        office.world.school.guard_percent = 50
        office.world.school.save()
        office.run(file_of(people(4)))
        assert office.snapshot(file_of(people(2))).state == "succeeded"


class TestDeciding:
    def hold(self, office: Office) -> Job:
        office.run(file_of(people(30)))
        job = office.snapshot(file_of([*people(10), "new"]))
        assert job.state == "held"
        return job

    def approve(self, office: Office, job: Job, *, removals: bool = True) -> Job:
        assert job.held is not None
        api.approve_job(job=job, effects=job.held["effects"], removals=removals, origin=REGISTRAR)
        return office.work(job)

    def test_approved_it_is_applied(self, office: Office) -> None:
        job = self.approve(office, self.hold(office))
        assert (job.state, job.decision_reason) == ("succeeded", "They graduated")
        assert present(office) == {*people(10), "new"}
        assert [row[2] for row in office.rows(job)] == ["enrolled", *["left"] * 20]

    def test_without_the_removals_the_rest_is_applied(self, office: Office) -> None:
        job = self.approve(office, self.hold(office), removals=False)
        assert (job.state, job.removals) == ("succeeded", 0)
        assert present(office) == {*people(30), "new"}

    def test_another_list_of_effects_is_refused(self, office: Office) -> None:
        job = self.hold(office)
        with pytest.raises(StaleEffects):
            api.approve_job(job=job, effects="0" * 64, removals=True, origin=REGISTRAR)

    def test_what_was_changed_since_is_left_alone(self, office: Office) -> None:
        job = self.hold(office)
        # Changed there and back, which the statuses do not show.
        office.world.write_program(("S-0005", "pending"), ("S-0020", "pending"))
        office.world.write_program(("S-0005", "enrolled"), ("S-0020", "enrolled"))
        job = self.approve(office, job)
        assert office.words(job)["S-0020"] == office.words(job)["S-0005"] == "changed-since"
        assert "S-0020" in present(office)

    def test_a_newer_snapshot_that_passes_takes_its_place(self, office: Office) -> None:
        held = self.hold(office)
        newer = office.snapshot(file_of(people(30)))
        held.refresh_from_db()
        assert (newer.state, held.state) == ("succeeded", "superseded")
        assert office.rows(held) == []

    @pytest.mark.parametrize("options", [{"mode": JobMode.SNAPSHOT, "dry_run": True}, {"mode": JobMode.UPSERT}])
    def test_nothing_else_takes_its_place(self, office: Office, options: dict[str, object]) -> None:
        held = self.hold(office)
        office.run(file_of(people(30)), **options)
        held.refresh_from_db()
        assert held.state == "held"

    def test_canceled_nothing_is_written(self, office: Office) -> None:
        job = self.hold(office)
        api.cancel_job(job=job, origin=REGISTRAR)
        office.work(job)
        assert (job.state, present(office)) == ("canceled", set(people(30)))
        with pytest.raises(WrongState):
            api.cancel_job(job=job, origin=REGISTRAR)

    def test_while_it_is_held_other_jobs_go_on(self, office: Office) -> None:
        self.hold(office)
        assert office.run(file_of(["other"])).state == "succeeded"


def test_an_id_that_changed_is_shown_as_such(office: Office) -> None:
    office.run("student_key,email,status\nOLD-1,one@uni.example,enrolled\nA-1,,enrolled\n")
    job = office.snapshot("student_key,email,status\nNEW-1,one@uni.example,enrolled\nA-1,,enrolled\n")
    assert office.words(job) == {"NEW-1": "invalid-identity", "OLD-1": "left"}
    row = job.rows.get(student_key="NEW-1")
    assert "OLD-1" in row.detail


def test_enrollments_that_are_kept_stay(office: Office) -> None:
    office.run(file_of(people(3)))
    learner_id = PreemptiveProgramEnrollment.objects.get(learner__student_key="S-0002").learner_id
    api.keep_enrollments(
        program_id=office.world.program.pk,
        learner_ids=[learner_id],
        course_run_id=None,
        by="support",
        reason="Appeal pending",
        until=None,
    )
    assert office.snapshot(file_of(people(2))).removals == 0
    job = office.run(file_of(people(3), "suspended"))
    assert office.words(job)["S-0002"] == "kept"
    assert "S-0002" in present(office)
