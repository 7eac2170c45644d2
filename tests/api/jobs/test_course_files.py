"""Files about course enrollments: many runs in one file, and a snapshot speaks for the runs it names."""

from __future__ import annotations

import pytest

from program_enrollments.data import JobKind
from program_enrollments.models import CourseRun, Job, PreemptiveCourseEnrollment
from tests.api.jobs.conftest import Office
from tests.factories.enrollment import CourseRunFactory

COURSES = JobKind.COURSE_ENROLLMENTS


@pytest.fixture
def second(office: Office) -> CourseRun:
    return CourseRunFactory(curricula=[office.world.curriculum], external_key="CS-102")


def enroll(office: Office, count: int) -> None:
    names = "".join(f"S-{number},enrolled\n" for number in range(count))
    assert office.run(f"student_key,status\n{names}").state == "succeeded"


def lines(office: Office, *rows: str) -> str:
    return "course_id,student_key,email,status,course_staff\n" + "".join(
        row.replace("FIRST", office.world.course_run.course_id) + "\n" for row in rows
    )


def active(run: CourseRun) -> set[str]:
    found = PreemptiveCourseEnrollment.objects.filter(course_run=run, status="active")
    return set(found.values_list("learner__student_key", flat=True))


def run(office: Office, *rows: str) -> Job:
    return office.run(lines(office, *rows), kind=COURSES)


def test_many_runs_in_one_file(office: Office, second: CourseRun) -> None:
    enroll(office, 2)
    job = run(office, "FIRST,S-0,,active,", "CS-102,S-0,,active,true", "CS-102,S-1,,inactive,")
    assert (job.state, job.changed) == ("succeeded", 3)
    assert [row.course_id for row in job.rows.order_by("place")] == [
        office.world.course_run.course_id,
        second.course_id,
        second.course_id,
    ]
    assert PreemptiveCourseEnrollment.objects.get(course_run=second, status="active").course_staff


def test_what_is_wrong_with_a_line(office: Office, second: CourseRun) -> None:
    enroll(office, 4)
    CourseRunFactory(curricula=[office.world.curriculum], external_key="CS-102")
    job = run(
        office,
        "FIRST,S-0,,active,",
        "FIRST,s-0,,inactive,",
        "nowhere,S-1,,active,",
        "CS-102,S-1,,active,",
        "FIRST,S-1,,active,maybe",
        "FIRST,S-2,,aktiv,",
        "FIRST,X-1,,active,",
        "FIRST,S-3,,active,TRUE",
    )
    assert [row[2] for row in office.rows(job)] == [
        "duplicated",
        "duplicated",
        "invalid-course",
        "invalid-course",
        "invalid-status",
        "invalid-status",
        "not-in-program",
        "active",
    ]
    assert second.course_id in job.rows.get(line=5).detail


def test_a_person_is_in_several_runs_with_a_new_address(office: Office, second: CourseRun) -> None:
    enroll(office, 1_500)
    between = [f"FIRST,S-{number},,active," for number in range(1, 1_500)]
    job = run(office, "FIRST,S-0,new@uni.example,active,", *between, "CS-102,S-0,new@uni.example,active,")
    assert (job.changed, job.refused) == (1_501, 0)


def test_several_addresses_for_one_person_are_refused(office: Office, second: CourseRun) -> None:
    enroll(office, 1)
    job = run(office, "FIRST,S-0,one@uni.example,active,", "CS-102,S-0,two@uni.example,active,")
    assert (job.changed, job.refused) == (1, 1)


def test_a_snapshot_speaks_only_for_the_runs_that_it_names(office: Office, second: CourseRun) -> None:
    enroll(office, 3)
    run(office, *[f"{key},S-{number},,active," for key in ("FIRST", "CS-102") for number in range(3)])
    job = office.snapshot(lines(office, "CS-102,S-0,,active,", "CS-102,S-1,,active,"), kind=COURSES)
    assert (job.state, job.removals) == ("succeeded", 1)
    assert active(second) == {"S-0", "S-1"}
    assert active(office.world.course_run) == {"S-0", "S-1", "S-2"}


def test_each_run_has_a_guard_of_its_own(office: Office, second: CourseRun) -> None:
    enroll(office, 40)
    run(office, *[f"{key},S-{number},,active," for key in ("FIRST", "CS-102") for number in range(40)])
    job = office.snapshot(
        lines(
            office,
            *[f"FIRST,S-{number},,active," for number in range(35)],
            *[f"CS-102,S-{number},,active," for number in range(29)],
        ),
        kind=COURSES,
    )
    assert (job.state, job.removals) == ("held", 16)
    assert job.held is not None
    assert job.held["scopes"] == [{"course_id": second.course_id, "removals": 11, "present": 40, "limit": 10}]
