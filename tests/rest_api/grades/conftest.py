"""A course run with grades, a registrar who may do everything with them, and short ways to ask."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.test import Client

from program_enrollments.data import Permission
from program_enrollments.models import CourseRun, Learner, Program
from tests.factories.enrollment import (
    CourseRunFactory,
    CurriculumFactory,
    GrantFactory,
    LinkedLearnerFactory,
    ProgramCourseEnrollmentFactory,
)
from tests.factories.host import CourseGradeFactory, ServiceUserFactory

ROOT = "/api/program_enrollments/v1"
REASON = {"reason": "Board of examiners"}
REPORTS = [Permission.READ_REPORTS, Permission.FREEZE_GRADES, Permission.REOPEN_GRADES]


@pytest.fixture
def run(db: None) -> CourseRun:
    return CourseRunFactory(
        course_id="course-v1:Uni+CS101+2026", external_key="CS/101", curricula=[CurriculumFactory()]
    )


@pytest.fixture
def program(run: CourseRun) -> Program:
    return Program.objects.get()


@pytest.fixture
def registrar(program: Program) -> User:
    user = ServiceUserFactory(username="registrar")
    for permission in REPORTS:
        GrantFactory(user=user, school=program.school, permission=permission)
    return user


@pytest.fixture
def sis(client: Client, registrar: User) -> Client:
    client.force_login(registrar)
    return client


@pytest.fixture
def url(program: Program, run: CourseRun) -> str:
    return f"{ROOT}/programs/{program.uuid}/courses/{quote(run.course_id)}/grades/"


def enroll(program: Program, run: CourseRun, student_key: str, *, grade: str = "", letter: str = "A") -> Learner:
    learner = LinkedLearnerFactory(school=program.school, student_key=student_key)
    ProgramCourseEnrollmentFactory(program=program, course_run=run, learner=learner)
    if grade:
        CourseGradeFactory(
            user=learner.user, course_run_id=run.course_id, letter=letter, percent=Decimal(grade), passed=True
        )
    return learner


def post(client: Client, url: str, body: object = REASON, **headers: str) -> Any:
    return client.post(url, json.dumps(body), content_type="application/json", headers=headers)


def assert_problem(response: Any, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status
    assert response["Content-Type"].partition(";")[0] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert problem["error_code"] == code
    return problem
