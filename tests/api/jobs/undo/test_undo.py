"""Undoing: what a job changed is put back, except what was changed since."""

from __future__ import annotations

import csv
import io

import pytest

from program_enrollments import api
from program_enrollments.data import JobMode, ProgramStatus
from program_enrollments.exceptions import AlreadyUndone, ResultExpired, WrongState
from program_enrollments.models import (
    CourseRun,
    Curriculum,
    Job,
    Learner,
    LedgerEntry,
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
    ProgramCourseEnrollment,
    ProgramEnrollment,
)
from tests.api.jobs.conftest import Office
from tests.api.jobs.undo.offices import COURSES, REGISTRAR, active_seats, carry_out, course_file, course_places, undo
from tests.factories.enrollment import CourseRunFactory, CurriculumFactory, ProgramFactory
from tests.invariants import find_violations


def statuses() -> dict[str, str]:
    return {
        **dict(PreemptiveProgramEnrollment.objects.values_list("learner__student_key", "status")),
        **dict(ProgramEnrollment.objects.values_list("learner__student_key", "status")),
    }


def test_statuses_come_back_and_new_enrollments_go(office: Office) -> None:
    office.run("student_key,status\nA-1,enrolled\nA-2,suspended\n")
    job = carry_out(office, "student_key,status\nA-1,ended\nA-2,suspended\nA-3,enrolled\n")
    undone = undo(office, job)
    assert (undone.state, undone.total, undone.done, undone.changed, undone.refused) == ("succeeded", 2, 2, 2, 0)
    assert statuses() == {"A-1": "enrolled", "A-2": "suspended"}
    assert office.rows(undone) == [
        (2, "A-1", "enrolled", True, "ended", "enrolled"),
        (3, "A-3", "deleted", True, "enrolled", None),
    ]
    assert (undone.counts, undone.removals) == ({"enrolled": 1, "deleted": 1}, 1)
    assert (undone.undoes_id, undone.kind, undone.mode) == (job.pk, "program_enrollments", "upsert")
    assert find_violations() == []


def test_its_ledger_entries_have_the_job_and_the_reason(office: Office) -> None:
    undone = undo(office, office.run("student_key,status\nA-1,enrolled\n"))
    entries = LedgerEntry.objects.filter(job_id=undone.pk).order_by("position")
    assert list(entries.values_list("kind", "before", "after", "source", "reason", "request_id")) == [
        ("program_enrollment", "enrolled", None, "undo", "The wrong file", "request-2"),
        ("program_curriculum", str(office.world.curriculum.uuid), None, "undo", "The wrong file", "request-2"),
    ]


def test_an_undo_can_be_undone(office: Office) -> None:
    office.run("student_key,status\nA-1,enrolled\n")
    job = carry_out(office, "student_key,status\nA-1,ended\nA-3,pending\n")
    first = undo(office, job)
    second = undo(office, first)
    assert (second.state, second.changed, second.refused) == ("succeeded", 2, 0)
    assert statuses() == {"A-1": "ended", "A-3": "pending"}
    undo(office, second)
    assert statuses() == {"A-1": "enrolled"}
    assert find_violations() == []


def test_a_curriculum_comes_back_with_the_enrollment(office: Office) -> None:
    other: Curriculum = CurriculumFactory(program=office.world.program)
    job = carry_out(office, f"student_key,status,curriculum_uuid\nA-1,enrolled,{other.uuid}\n")
    undo(office, undo(office, job))
    assert PreemptiveProgramEnrollment.objects.get().curriculum_id == other.pk


def test_a_snapshot_brings_its_leavers_back(office: Office) -> None:
    office.run("student_key,status\n" + "".join(f"S-{number},enrolled\n" for number in range(30)))
    job = carry_out(
        office,
        "student_key,status\nS-0,enrolled\nN-1,enrolled\n",
        mode=JobMode.SNAPSHOT,
        leaving_status=ProgramStatus.ENDED,
    )
    assert set(statuses().values()) == {"enrolled", "ended"}
    undone = undo(office, job)
    assert (undone.changed, undone.refused) == (30, 0)
    assert statuses() == {f"S-{number}": "enrolled" for number in range(30)}


def test_what_was_changed_since_stays(office: Office) -> None:
    office.run("student_key,status\nA-1,enrolled\nA-2,enrolled\nA-3,enrolled\n")
    job = carry_out(office, "student_key,status\nA-1,ended\nA-2,ended\nA-3,ended\nA-4,enrolled\nA-5,enrolled\n")
    office.world.write_program(("A-1", "suspended"), ("A-4", "pending"))
    # There and back.
    office.world.write_program(("A-2", "canceled"), ("A-5", "canceled"))
    office.world.write_program(("A-2", "ended"), ("A-5", "enrolled"))
    undone = undo(office, job)
    assert office.words(undone) == {
        "A-1": "changed-since",
        "A-2": "changed-since",
        "A-3": "enrolled",
        "A-4": "changed-since",
        "A-5": "changed-since",
    }
    assert (undone.changed, undone.refused) == (1, 4)
    assert statuses() == {"A-1": "suspended", "A-2": "ended", "A-3": "enrolled", "A-4": "pending", "A-5": "enrolled"}
    assert all(row.detail for row in undone.rows.filter(word="changed-since"))


def test_writing_the_same_again_is_no_change(office: Office) -> None:
    office.run("student_key,status\nA-1,enrolled\n")
    job = carry_out(office, "student_key,status\nA-1,ended\n")
    office.world.write_program(("A-1", "ended"))
    undo(office, job)
    assert statuses() == {"A-1": "enrolled"}


def test_what_is_marked_to_keep_stays(office: Office) -> None:
    job = carry_out(office, "student_key,status\nA-1,enrolled\n")
    api.keep_enrollments(
        program_id=office.world.program.pk,
        learner_ids=[Learner.objects.get().pk],
        course_run_id=None,
        by="staff",
        reason="On exchange",
        until=None,
    )
    undone = undo(office, job)
    assert office.rows(undone) == [(2, "A-1", "kept", False, "enrolled", "enrolled")]
    assert statuses() == {"A-1": "enrolled"}


class TestCourses:
    @pytest.fixture
    def second(self, office: Office) -> CourseRun:
        return CourseRunFactory(curricula=[office.world.curriculum])

    def test_enrollments_seats_and_roles(self, office: Office, second: CourseRun) -> None:
        office.run("student_key,status\nA-1,enrolled\nA-2,enrolled\n")
        user = office.world.sign_on("A-1")
        office.run(course_file(office, "FIRST,A-1,,active,"), kind=COURSES)
        before, seats = course_places(), active_seats()
        job = carry_out(
            office,
            course_file(
                office,
                "FIRST,A-1,,inactive,true",
                f"{second.course_id},A-1,,active,true",
                f"{second.course_id},A-2,,active,true",
                "FIRST,A-2,,inactive,",
            ),
            kind=COURSES,
        )
        assert active_seats() == {(user.pk, second.course_id)}
        after = course_places()
        undone = undo(office, job)
        assert (undone.changed, undone.refused, undone.total) == (4, 0, 4)
        assert (course_places(), active_seats()) == (before, seats)
        assert find_violations() == []
        undo(office, undone)
        assert course_places() == after
        assert active_seats() == {(user.pk, second.course_id)}
        assert find_violations() == []

    def test_the_learner_signed_on_meanwhile(self, office: Office) -> None:
        office.run("student_key,status\nA-1,enrolled\n")
        job = carry_out(office, course_file(office, "FIRST,A-1,,active,"), kind=COURSES)
        user = office.world.sign_on("A-1")
        assert active_seats() == {(user.pk, office.world.course_run.course_id)}
        undone = undo(office, job)
        assert (undone.changed, undone.refused) == (1, 0)
        assert (course_places(), active_seats()) == ({}, set())
        assert Learner.objects.get().user_id == user.pk
        assert find_violations() == []

    def test_a_promise_that_the_host_refused(self, office: Office) -> None:
        office.run("student_key,status\nA-1,enrolled\n")
        office.world.sign_on("A-1")
        job = carry_out(office, course_file(office, "FIRST,A-1,,active,true"), kind=COURSES)
        real = ProgramCourseEnrollment.objects.get()
        PreemptiveCourseEnrollment.objects.create(
            learner=real.learner,
            program=real.program,
            course_run=real.course_run,
            status=real.status,
            course_staff=True,
            problem_code="no_such_course",
        )
        real.delete()
        undone = undo(office, job)
        assert (undone.changed, undone.refused) == (1, 0)
        assert course_places() == {}
        own = LedgerEntry.objects.filter(job_id=undone.pk)
        assert set(own.values_list("kind", "after")) == {("course_enrollment", None), ("course_staff", "false")}

    def test_another_program_has_the_learner_in_the_run_by_now(self, office: Office) -> None:
        other: Curriculum = CurriculumFactory(program=ProgramFactory(school=office.world.school))
        office.world.course_run.curricula.add(other)
        office.run("student_key,status\nA-1,enrolled\n")
        office.world.write_program(("A-1", "enrolled"), ("A-2", "enrolled"))
        office.world.write_program(("A-1", "enrolled"), program=other.program)
        office.world.write_course(("A-1", "active"), ("A-2", "active"))
        job = carry_out(office, course_file(office, "FIRST,A-1,,inactive,"), kind=COURSES)
        office.world.write_course(("A-1", "active"), program=other.program)
        undone = undo(office, job)
        assert office.rows(undone) == [(2, "A-1", "conflict", False, "inactive", "inactive")]
        assert "another program" in undone.rows.get().detail

    def test_courses_given_since_keep_the_learner_in_the_program(self, office: Office) -> None:
        program_job = carry_out(office, "student_key,status\nA-1,enrolled\nA-2,enrolled\n")
        course_job = carry_out(office, course_file(office, "FIRST,A-1,,active,"), kind=COURSES)
        undone = undo(office, program_job)
        assert office.words(undone) == {"A-1": "changed-since", "A-2": "deleted"}
        undo(office, course_job)
        assert course_places() == {}

    def test_a_cascade_comes_back_as_a_whole_or_not_at_all(self, office: Office, second: CourseRun) -> None:
        office.run("student_key,status\nA-1,enrolled\nA-2,enrolled\nA-3,enrolled\n")
        user = office.world.sign_on("A-1")
        rows = [f"{key},{name},,active,true" for key in ("FIRST", second.course_id) for name in ("A-1", "A-2")]
        office.run(course_file(office, *rows), kind=COURSES)
        before, seats = course_places(), active_seats()
        job = carry_out(office, "student_key,status\nA-1,canceled\nA-2,canceled\n", cascade=True)
        assert active_seats() == set()
        office.world.write_program(("A-2", "ended"))
        undone = undo(office, job)
        assert undone.counts == {"enrolled": 1, "active": 2, "changed-since": 3}
        assert statuses() == {"A-1": "enrolled", "A-2": "ended", "A-3": "enrolled"}
        learner = Learner.objects.get(user=user)
        assert {key: value for key, value in course_places().items() if key[0] == learner.pk} == {
            key: value for key, value in before.items() if key[0] == learner.pk
        }
        assert active_seats() == seats
        assert find_violations() == []


class TestWhatCanBeUndone:
    def test_only_jobs_that_have_ended(self, office: Office) -> None:
        with pytest.raises(WrongState, match="pending"):
            undo(office, office.send("student_key,status\nA-1,enrolled\n"))

    def test_no_dry_runs(self, office: Office) -> None:
        with pytest.raises(WrongState, match="dry run"):
            undo(office, office.run("student_key,status\nA-1,enrolled\n", dry_run=True))

    def test_no_superseded_ones(self, office: Office) -> None:
        office.run("student_key,status\n" + "".join(f"S-{number},enrolled\n" for number in range(30)))
        held = office.snapshot("student_key,status\nS-0,enrolled\n")
        office.snapshot("student_key,status\n" + "".join(f"S-{number},enrolled\n" for number in range(30)))
        held.refresh_from_db()
        assert held.state == "superseded"
        with pytest.raises(WrongState, match="superseded"):
            undo(office, held)

    def test_not_a_second_time(self, office: Office) -> None:
        job = carry_out(office, "student_key,status\nA-1,enrolled\n")
        first = api.undo_job(job=job, origin=REGISTRAR)
        for dry_run in (False, True):
            with pytest.raises(AlreadyUndone):
                api.undo_job(job=job, origin=REGISTRAR, dry_run=dry_run)
        office.work(first)
        undo(office, first)
        with pytest.raises(AlreadyUndone):
            api.undo_job(job=job, origin=REGISTRAR)

    def test_again_after_an_undo_was_canceled(self, office: Office, settings: object) -> None:
        job = carry_out(office, "student_key,status\nA-1,enrolled\n")
        api.cancel_job(job=api.undo_job(job=job, origin=REGISTRAR), origin=REGISTRAR)
        assert undo(office, job).changed == 1

    def test_a_job_that_changed_nothing(self, office: Office) -> None:
        office.run("student_key,status\nA-1,enrolled\n")
        undone = undo(office, office.run("student_key,status\nA-1,enrolled\n"))
        assert (undone.state, undone.total, undone.changed) == ("succeeded", 0, 0)


def test_an_undo_is_never_held_and_runs_in_order(office: Office) -> None:
    job = carry_out(office, "student_key,status\n" + "".join(f"S-{number},enrolled\n" for number in range(30)))
    undone = api.undo_job(job=job, origin=REGISTRAR)
    later = office.send("student_key,status\nS-0,enrolled\n")
    assert office.work(undone).state == "succeeded"
    later.refresh_from_db()
    assert (later.state, later.changed) == ("succeeded", 1)
    assert statuses() == {"S-0": "enrolled"}


def test_a_dry_run_shows_it_and_writes_nothing(office: Office) -> None:
    office.run("student_key,status\nA-1,enrolled\nA-2,enrolled\n")
    job = carry_out(
        office, "student_key,email,status\nA-1,a@uni.example,ended\nA-2,,ended\nA-3,c@uni.example,enrolled\n"
    )
    office.world.write_program(("A-2", "canceled"))
    entries, before = LedgerEntry.objects.count(), statuses()
    dry = undo(office, job, dry_run=True)
    assert (dry.state, LedgerEntry.objects.count(), statuses()) == ("succeeded", entries, before)
    real = undo(office, job)
    assert office.rows(real) == office.rows(dry)
    assert (real.counts, real.changed, real.removals) == (dry.counts, dry.changed, dry.removals)
    assert Job.objects.get(undone_job=job.pk) == real


def test_the_result_is_made_from_the_rows(office: Office) -> None:
    office.run("student_key,status\nA-1,enrolled\n")
    undone = undo(office, carry_out(office, "student_key,status\nA-1,ended\n=A-2,enrolled\n"))
    text = b"".join(api.write_result(job=undone)).decode()
    assert list(csv.reader(io.StringIO(text))) == [
        ["course_id", "student_key", "line", "word", "detail", "before", "after"],
        ["", "A-1", "2", "enrolled", "", "ended", "enrolled"],
        ["", "'=A-2", "3", "deleted", "", "enrolled", ""],
    ]
    assert undone.finished is not None
    with pytest.raises(ResultExpired):
        api.write_refused(job=undone)


def test_a_snapshot_after_an_undo_sees_what_is_there(office: Office) -> None:
    office.run("student_key,status\nA-1,enrolled\n")
    undo(office, office.run("student_key,status\nA-2,enrolled\n"))
    job = carry_out(office, "student_key,status\nA-1,enrolled\n", mode=JobMode.SNAPSHOT)
    assert (job.state, job.removals, job.unchanged) == ("succeeded", 0, 1)
