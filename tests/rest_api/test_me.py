"""`me/programs/`: one's own, whatever the query says. What a row tells is in tests/api/reads/test_own.py."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from program_enrollments.models import School
from tests.factories.enrollment import (
    CourseRunFactory,
    CurriculumFactory,
    LinkedLearnerFactory,
    ProgramCourseEnrollmentFactory,
    ProgramEnrollmentFactory,
    SchoolFactory,
)
from tests.factories.host import StaffUserFactory, SuperuserFactory, UserFactory

pytestmark = pytest.mark.django_db

PATH = "/api/program_enrollments/v1/me/programs/"


def enroll(user: User, *, school: School | None = None, programs: int = 1) -> None:
    learner = LinkedLearnerFactory(user=user, school=school or SchoolFactory())
    for _ in range(programs):
        curriculum = CurriculumFactory(program__school=learner.school)
        run = CourseRunFactory(curricula=[curriculum])
        ProgramEnrollmentFactory(curriculum=curriculum, learner=learner)
        ProgramCourseEnrollmentFactory(program=curriculum.program, course_run=run, learner=learner)


def test_a_learner_reads_programs_and_course_runs(client: Client) -> None:
    user = UserFactory()
    enroll(user)
    client.force_login(user)

    response = client.get(PATH)

    assert response.status_code == 200
    body = response.json()
    assert (body["next"], body["previous"]) == (None, None)
    [row] = body["results"]
    assert row.keys() == {"uuid", "program_title", "program_url", "school", "status", "courses"}
    assert row["school"].keys() == {"key", "name", "logo_url"}
    [course] = row["courses"]
    assert course.keys() == {"course_id", "course_title", "course_url", "start", "end", "status"}


@pytest.mark.parametrize("make_caller", [UserFactory, StaffUserFactory, SuperuserFactory])
def test_no_parameter_and_no_header_shows_anothers(client: Client, make_caller: type[UserFactory]) -> None:
    other = UserFactory(username="ada")
    enroll(other)
    client.force_login(make_caller())

    for value in ("ada", str(other.pk)):
        for name in ("user", "username"):
            assert client.get(PATH, {name: value}).json()["results"] == []
        for name in ("user_id", "student_key", "email", "as"):
            assert client.get(PATH, {name: value}).status_code == 400
    headers = {"X-User": "ada", "X-Remote-User": "ada", "Remote-User": "ada", "X-Forwarded-User": "ada"}
    assert client.get(PATH, headers=headers).json()["results"] == []


def test_pages_lead_on(client: Client) -> None:
    user = UserFactory()
    enroll(user, programs=3)
    client.force_login(user)

    first = client.get(PATH, {"page_size": 2}).json()
    second = client.get(first["next"]).json()

    assert [len(first["results"]), len(second["results"])] == [2, 1]
    assert client.get(second["previous"]).json()["results"] == first["results"]
    assert client.get(PATH, {"cursor": "nonsense"}).json()["error_code"] == "bad_cursor"


def test_a_page_costs_the_same_for_many_programs(client: Client) -> None:
    def statements(programs: int) -> int:
        user = UserFactory()
        enroll(user, programs=programs)
        client.force_login(user)
        with CaptureQueriesContext(connection) as captured:
            assert len(client.get(PATH).json()["results"]) == programs
        return len(captured)

    assert statements(1) == statements(7)


def test_without_signing_in_it_is_401(client: Client) -> None:
    response = client.get(PATH)
    assert response.status_code == 401
    assert response.json()["error_code"] == "not_authenticated"


def test_it_is_only_read(client: Client) -> None:
    client.force_login(UserFactory())
    for method in ("post", "put", "patch", "delete"):
        assert getattr(client, method)(PATH).status_code == 405
