"""Short ways for the tests of undoing: what is stored, in a form that can be compared, and undoing itself."""

from __future__ import annotations

from typing import Any

from demo_lms.models import CourseEnrollment
from demo_lms.models.primary import rows_of
from program_enrollments import api
from program_enrollments.data import JobKind, Origin
from program_enrollments.models import (
    Job,
    Learner,
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
    ProgramCourseEnrollment,
    ProgramEnrollment,
)
from tests.api.jobs.conftest import Office

REGISTRAR = Origin(source="api", reason="The wrong file", request_id="request-2")
COURSES = JobKind.COURSE_ENROLLMENTS


def carry_out(office: Office, text: str, **options: Any) -> Job:
    """Upload a file and have it applied, with its removals, if the guard holds it."""
    job = office.run(text, **options)
    if job.state == "held":
        assert job.held is not None
        api.approve_job(job=job, effects=job.held["effects"], removals=True, origin=REGISTRAR)
        office.work(job)
    return job


def undo(office: Office, job: Job, **options: Any) -> Job:
    """Have a job undone, and return the undo as it is once it is over."""
    return office.work(api.undo_job(job=job, origin=REGISTRAR, **options))


def program_places() -> dict[int, tuple[Any, ...]]:
    """Return (status, curriculum) by learner."""
    return {
        row[0]: row[1:]
        for model in (ProgramEnrollment, PreemptiveProgramEnrollment)
        for row in model._default_manager.values_list("learner_id", "status", "curriculum_id")
    }


def course_places() -> dict[tuple[int, int], tuple[Any, ...]]:
    """Return (status, course staff) by learner and course run."""
    return {
        (row[0], row[1]): row[2:]
        for model in (ProgramCourseEnrollment, PreemptiveCourseEnrollment)
        for row in model._default_manager.values_list("learner_id", "course_run_id", "status", "course_staff")
    }


def identities() -> dict[int, tuple[Any, ...]]:
    """Return (student ID, address, normalized both) by learner."""
    fields = ("student_key", "student_key_normalized", "email", "email_normalized")
    return {row[0]: row[1:] for row in Learner.objects.values_list("pk", *fields)}


def links() -> dict[int, tuple[Any, ...]]:
    """Return (account, evidence) by learner."""
    return {row[0]: row[1:] for row in Learner.objects.values_list("pk", "user_id", "link_how")}


def active_seats() -> set[tuple[int, str]]:
    """Return the user and course run of each active seat of the host."""
    return set(rows_of(CourseEnrollment).filter(is_active=True).values_list("user_id", "course_run_id"))


def course_file(office: Office, *rows: str) -> str:
    """Return a course file; FIRST stands for the world's course run."""
    return "course_id,student_key,email,status,course_staff\n" + "".join(
        row.replace("FIRST", office.world.course_run.course_id) + "\n" for row in rows
    )
