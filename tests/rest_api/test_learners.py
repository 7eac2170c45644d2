"""`learners/`: paths, parameters and refusals. What a look-up tells is in tests/api/reads/test_learner.py."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from program_enrollments.data import PROGRAM_PERMISSIONS, Permission
from program_enrollments.models import Program
from tests.factories.enrollment import (
    CurriculumFactory,
    GrantFactory,
    LearnerFactory,
    LinkedLearnerFactory,
    PreemptiveProgramEnrollmentFactory,
    ProgramCourseEnrollmentFactory,
    ProgramEnrollmentFactory,
)
from tests.factories.host import ServiceUserFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def program() -> Program:
    program: Program = CurriculumFactory().program
    return program


@pytest.fixture
def sis(client: Client, program: Program) -> Client:
    """A client that may read the school's enrollments."""
    user = ServiceUserFactory()
    GrantFactory(user=user, school=program.school, permission=Permission.READ_ENROLLMENTS)
    client.force_login(user)
    return client


def enroll(program: Program, **names: str) -> None:
    PreemptiveProgramEnrollmentFactory(
        curriculum=program.curricula.get(), learner=LearnerFactory(school=program.school, **names)
    )


def learners_path(program: Program, rest: str = "") -> str:
    return f"/api/program_enrollments/v1/programs/{program.uuid}/learners/{rest}"


def assert_problem(response: Any, status: int, code: str) -> None:
    assert response.status_code == status
    assert response["Content-Type"].partition(";")[0] == "application/problem+json"
    assert response.json()["error_code"] == code


def test_an_answer_has_the_contracts_members(sis: Client, program: Program) -> None:
    enrollment = ProgramEnrollmentFactory(
        curriculum=program.curricula.get(),
        learner=LinkedLearnerFactory(school=program.school, student_key="S-1", user=UserFactory(username="ada")),
    )
    run = ProgramCourseEnrollmentFactory(program=program, learner=enrollment.learner).course_run

    response = sis.get(learners_path(program, "S-1/"))

    assert response.status_code == 200
    assert response["Content-Type"].partition(";")[0] == "application/json"
    found = response.json()
    assert found.pop("link")["state"] == "linked"
    assert found.pop("program_enrollment").keys() == {
        "status",
        "curriculum_uuid",
        "real",
        "created",
        "modified",
        "keep",
    }
    assert found == {
        "student_key": "S-1",
        "email": "",
        "username": "ada",
        "course_enrollments": [
            {
                "course_id": run.course_id,
                "status": "active",
                "real": True,
                "course_staff": False,
                "host": None,
                "drift": True,
                "problem": None,
                "keep": None,
            }
        ],
        "changes": [],
    }


@pytest.mark.parametrize(
    "student_key",
    ["S-1", "a/b", "/a/", "a b", "50%", "%2F", "a+b", "uni-a:7", "Zoë", "学号", "?", "#", "..", "a;b", "enrollments/"],
)
def test_any_student_id_is_found_percent_encoded(sis: Client, program: Program, student_key: str) -> None:
    enroll(program, student_key=student_key)

    by_path = sis.get(learners_path(program, f"{quote(student_key, safe='')}/"))
    by_query = sis.get(learners_path(program), {"student_key": student_key})

    assert by_path.status_code == by_query.status_code == 200
    assert by_path.json() == by_query.json()
    assert by_path.json()["student_key"] == student_key


def test_a_learner_is_found_by_address(sis: Client, program: Program) -> None:
    enroll(program, student_key="S-1", email="ada+x@uni-a.example")

    for response in (
        sis.get(learners_path(program, "ADA%2Bx@uni-a.example/")),
        sis.get(learners_path(program, "ada+x@uni-a.example/")),
        sis.get(learners_path(program), {"email": "ada+x@uni-a.example"}),
    ):
        assert response.json()["student_key"] == "S-1"


@pytest.mark.parametrize("name", ["S-2", "S-1/changes", "%00", "S-1%00", "x" * 256, "%FF", "%20"])
def test_nobody_of_that_name_is_404(sis: Client, program: Program, name: str) -> None:
    enroll(program, student_key="S-1")
    assert_problem(sis.get(learners_path(program, f"{name}/")), 404, "learner_does_not_exist")


@pytest.mark.parametrize("query", ["", "student_key=", "email=%20", "student_key=%00", "email=a%0Ab", "learner=S-1"])
def test_a_query_that_names_nobody_is_400(sis: Client, program: Program, query: str) -> None:
    assert_problem(sis.get(f"{learners_path(program)}?{query}"), 400, "invalid_parameter")


def test_a_learner_of_another_program_of_the_school_is_404(sis: Client, program: Program) -> None:
    enroll(CurriculumFactory(program__school=program.school).program, student_key="S-1")
    assert_problem(sis.get(learners_path(program, "S-1/")), 404, "learner_does_not_exist")
    assert_problem(sis.get(learners_path(program), {"student_key": "S-1"}), 404, "learner_does_not_exist")


def test_another_schools_program_is_404_whoever_is_asked_for(sis: Client) -> None:
    other = CurriculumFactory().program
    enroll(other, student_key="S-1")
    for name in ("S-1", "S-2"):
        assert_problem(sis.get(learners_path(other, f"{name}/")), 404, "program_does_not_exist")


@pytest.mark.parametrize("permission", sorted(set(PROGRAM_PERMISSIONS) - {Permission.READ_ENROLLMENTS}))
def test_other_grants_give_403_whether_the_learner_is_there_or_not(
    client: Client, program: Program, permission: str
) -> None:
    enroll(program, student_key="S-1")
    user = ServiceUserFactory()
    GrantFactory(user=user, school=None, program=program, permission=permission)
    client.force_login(user)
    for path in ("S-1/", "S-2/", "", "?student_key=S-1"):
        assert_problem(client.get(learners_path(program, path)), 403, "permission_denied")


def test_without_signing_in_it_is_401(client: Client, program: Program) -> None:
    assert_problem(client.get(learners_path(program, "S-1/")), 401, "not_authenticated")
    assert_problem(client.get(learners_path(program)), 401, "not_authenticated")


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_learners_are_only_read(sis: Client, program: Program, method: str) -> None:
    assert_problem(getattr(sis, method)(learners_path(program, "S-1/")), 405, "method_not_allowed")


def test_a_look_up_costs_the_same_however_large_the_program_is(sis: Client, program: Program) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert sis.get(learners_path(program, "S-1/")).status_code == 200
        return len(captured)

    enroll(program, student_key="S-1")
    before = statements()
    for number in range(20):
        enroll(program, student_key=f"T-{number}")
    assert statements() == before
