"""What pages cost in statements: the same for ten learners and for two hundred."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from demo_lms.models import DailyActivity
from program_enrollments import api
from program_enrollments.data import JobMode, Permission
from program_enrollments.models import Job, Learner
from tests.console.conftest import Desk, administrator, enroll, keep_file
from tests.factories.enrollment import (
    LinkedLearnerFactory,
    PreemptiveCourseEnrollmentFactory,
    ProgramCourseEnrollmentFactory,
    ProgramEnrollmentFactory,
    ProgramFactory,
)
from tests.factories.host import CourseGradeFactory
from tests.rest_api.callers import Campus


def fill(campus: Campus, *, first: int, count: int) -> None:
    """Add learners: half of them wait, and some of the others need help."""
    numbers = range(first, first + count)
    enroll(campus, *(f"W-{number}" for number in numbers if number % 2), active=True)
    for number in numbers[::2]:
        learner = LinkedLearnerFactory(school=campus.school, student_key=f"L-{number}")
        ProgramEnrollmentFactory(curriculum=campus.curriculum, learner=learner)
        ProgramCourseEnrollmentFactory(program=campus.program, course_run=campus.course_run, learner=learner)
        CourseGradeFactory(user=learner.user, course_run_id=campus.course_run.course_id)
        if number % 10 == 0:
            Learner.objects.filter(pk=learner.pk).update(problem_code="conflict")
            PreemptiveCourseEnrollmentFactory(
                program=campus.program, learner=learner, problem_code="host_refused", refusals=5
            )


def send_files(campus: Campus, *, first: int, count: int) -> api.Job:
    """Send files, some of them held or failed; return a dry run of a snapshot with many lines of every kind."""
    for number in range(first, first + count):
        keep_file(campus, f"student_key,status\nF-{number},enrolled\nF-x,no\n")
        keep_file(campus, "student_key,status\n", mode=JobMode.SNAPSHOT)
        keep_file(campus, 'student_key,status\n"never closed,x\n')
        enroll(campus, f"A-{number}")
    lines = "".join(f"N-{number},{'enrolled' if number % 2 else 'no'}\n" for number in range(first, first + count * 5))
    return keep_file(campus, f"student_key,status\n{lines}", mode=JobMode.SNAPSHOT, dry_run=True)


def cost(desk: Desk, name: str, *args: Any, **query: Any) -> int:
    desk.client.get("/console/")  # what is looked up once a process
    with CaptureQueriesContext(connection) as context:
        response: Any = desk.client.get(reverse(f"console:{name}", args=args), query)
        if response.streaming:
            b"".join(response.streaming_content)
    assert response.status_code == 200
    return len(context.captured_queries)


@pytest.mark.usefixtures("file_storage")
def test_pages_of_files_cost_the_same_at_any_size(campus: Campus, settings: Any) -> None:
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "PAGE_SIZE": 300}
    desk = administrator(*Permission, campus=campus)

    def costs(job: api.Job) -> list[int]:
        place = (campus.program.uuid, job.pk)
        pages: list[tuple[str, tuple[Any, ...], dict[str, str]]] = [
            ("home", (), {}),
            ("files", place[:1], {}),
            ("files", place[:1], {"state": "held"}),
            ("send-file", place[:1], {}),
            ("file", place, {}),
            ("file", place, {"word": "left"}),
            ("file", place, {"format": "csv"}),
            ("file", (place[0], Job.objects.filter(state="held").latest("pk").pk), {}),
            ("file-result", place, {}),
            ("file-refused", place, {}),
        ]
        return [cost(desk, name, *args, **query) for name, args, query in pages]

    few = costs(send_files(campus, first=0, count=1))
    many = costs(send_files(campus, first=1, count=12))

    assert many == few
    assert max(many) < 30


def test_pages_cost_the_same_at_any_size(campus: Campus, settings: Any) -> None:
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "PAGE_SIZE": 300}
    desk = administrator(*Permission, campus=campus)
    course = (campus.program.uuid, campus.course_run.course_id)
    fill(campus, first=0, count=10)
    learner = Learner.objects.get(student_key="L-0").pk
    DailyActivity.objects.create(
        user=User.objects.get(university_learners__student_key="L-0"),
        course_run_id=campus.course_run.course_id,
        day="2026-03-01",
    )
    pages: list[tuple[str, tuple[Any, ...], dict[str, str]]] = [
        ("home", (), {}),
        ("learners", course[:1], {}),
        ("learners", course[:1], {"q": "W-", "status": "enrolled"}),
        ("learners", course[:1], {"state": "help"}),
        ("learners", course[:1], {"format": "csv"}),
        ("learner", (campus.program.uuid, learner), {}),
        ("courses", course[:1], {}),
        ("roster", course, {}),
        ("grades", course[:1], {}),
        ("course-grades", course, {}),
        ("grade-rows", course, {}),
        ("attendance", course[:1], {}),
        ("course-attendance", course, {"days": "3"}),
        ("changes", course[:1], {}),
        ("changes", course[:1], {"q": "W-"}),
        ("people", (campus.school.key,), {}),
        ("disclosures", (campus.school.key,), {}),
    ]
    few = [cost(desk, name, *args, **query) for name, args, query in pages]

    fill(campus, first=10, count=190)
    many = [cost(desk, name, *args, **query) for name, args, query in pages]

    assert many == few
    assert max(many) < 30, dict(zip([name for name, _args, _query in pages], many, strict=True))


def test_the_first_page_costs_the_same_for_many_programs(campus: Campus) -> None:
    desk = administrator(*Permission, campus=campus)
    enroll(campus, "S-1")
    few = cost(desk, "home")
    for _ in range(10):
        ProgramFactory(school=campus.school)

    assert cost(desk, "home") == few


@pytest.mark.parametrize("chosen", [1, 50])
def test_a_preview_of_many_is_one_write(campus: Campus, chosen: int) -> None:
    desk = administrator(*Permission, campus=campus)
    enroll(campus, *(f"S-{number}" for number in range(50)))
    ids = list(Learner.objects.order_by("pk").values_list("pk", flat=True)[:chosen])
    desk.client.get("/console/")

    with CaptureQueriesContext(connection) as context:
        page = desk.send("status", campus.program.uuid, learner=ids, status="ended")

    assert len(page.rows()) == chosen
    assert len(context.captured_queries) < 30
