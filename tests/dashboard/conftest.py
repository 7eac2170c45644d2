"""Learners at their dashboard, and what its pages say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from demo_lms.models import Assignment
from program_enrollments.data import CourseStatus, ProgramStatus
from program_enrollments.models import Learner, Program, School
from tests.console.conftest import Page
from tests.factories.accounts import MODEL
from tests.factories.enrollment import (
    CourseRunFactory,
    CurriculumFactory,
    LinkedLearnerFactory,
    PreemptiveCourseEnrollmentFactory,
    ProgramCourseEnrollmentFactory,
    ProgramEnrollmentFactory,
    SchoolFactory,
)
from tests.factories.host import (
    ConfirmedUserFactory,
    CourseEnrollmentFactory,
    CourseGradeFactory,
    DailyActivityFactory,
)


@dataclass
class Student:
    """Somebody who is signed in, and opens pages of the dashboard."""

    user: Any = field(default_factory=ConfirmedUserFactory)
    client: Client = field(default_factory=Client)

    def __post_init__(self) -> None:
        self.client.force_login(self.user)

    def open(self, name: str, /, *args: Any) -> Page:
        """Open a page, and follow where it leads."""
        response: Any = self.client.get(reverse(f"dashboard:{name}", args=args), follow=True)
        page = Page(response.status_code, response.content.decode(), dict(response.headers))
        page.redirected_to = response.redirect_chain[-1][0] if response.redirect_chain else ""
        return page


def open_program(school: School, *, title: str = "Master of Computer Science") -> Program:
    """A program with an advisor, and a course run of every kind: over, running, coming, and without dates."""
    program: Program = CurriculumFactory(program__school=school, program__title=title).program
    Program.objects.filter(pk=program.pk).update(
        advisor_name="Advisor Ada", advisor_email="ada@uni.example", documents="Handbook | https://uni.example/handbook"
    )
    now = timezone.now()
    for name, start, end in (
        ("Algebra", -200, -90),
        ("Algorithms", -30, 60),
        ("Operating Systems", 20, 120),
        ("Thesis", None, None),
    ):
        CourseRunFactory(
            title=name,
            curricula=program.curricula.all(),
            start=start and now + timedelta(days=start),
            end=end and now + timedelta(days=end),
        )
    program.refresh_from_db()
    return program


def enroll(
    user: Any, program: Program, *, status: str = ProgramStatus.ENROLLED, refused: bool = False, key: str = "S-1"
) -> Learner:
    """Enroll an account in the program and in its first three courses; the last of them may be refused."""
    learner: Learner = Learner.objects.filter(user=user, school=program.school).first() or LinkedLearnerFactory(
        school=program.school, user=user, student_key=key
    )
    curriculum = program.curricula.get()
    ProgramEnrollmentFactory(curriculum=curriculum, learner=learner, status=status)
    runs = {run.title: run for run in curriculum.course_runs.all()}
    for name in ("Algebra", "Algorithms", "Operating Systems"):
        where = {"program": program, "learner": learner, "course_run": runs[name], "status": CourseStatus.ACTIVE}
        if refused and name == "Operating Systems":
            PreemptiveCourseEnrollmentFactory(**where, problem_code="enrollment_closed", refusals=5)
            continue
        ProgramCourseEnrollmentFactory(**where)
        CourseEnrollmentFactory(user=user, course_run_id=runs[name].course_id)
    return learner


def learn(user: Any, program: Program) -> None:
    """Let the host know progress, a grade and a due date of the learner."""
    runs = {run.title: run.course_id for run in program.curricula.get().course_runs.all()}
    DailyActivityFactory(user=user, course_run_id=runs["Algorithms"], units_done=4)
    CourseGradeFactory(user=user, course_run_id=runs["Algebra"], letter="A", percent="0.94")
    Assignment.objects.create(
        course_run_id=runs["Algorithms"], title="Problem set 4", due=timezone.now() + timedelta(days=3)
    )


@pytest.fixture
def school(db: None) -> School:
    school: School = SchoolFactory(
        key="uni-a",
        name="University A",
        primary_color="#7a1f2b",
        support_name="Student Services",
        support_email="help@uni-a.example",
        welcome_text="Welcome to the winter term.",
        documents="Examination rules | https://uni.example/rules",
    )
    return school


@pytest.fixture
def program(school: School) -> Program:
    return open_program(school)


@pytest.fixture
def student(db: None) -> Student:
    return Student()


@pytest.fixture
def without(settings: Any) -> Callable[[type], None]:
    """Use another host adapter."""

    def use(host: type) -> None:
        path = f"{host.__module__}.{host.__qualname__}"
        settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "HOST": path}

    return use


def rename(user: Any, *, first_name: str, last_name: str) -> None:
    """Change the name of an account, if its model has one."""
    MODEL._default_manager.filter(pk=user.pk).update(first_name=first_name, last_name=last_name)
