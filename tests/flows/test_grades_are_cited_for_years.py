"""A university enrolls students, reads how they attend, freezes their grades, and cites them whatever comes later."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from demo_lms.models import CourseGrade
from program_enrollments.data import Permission
from program_enrollments.models import School
from tests.docs.snippets import code_blocks
from tests.factories.accounts import MODEL, asserted_address
from tests.factories.enrollment import CourseRunFactory, CurriculumFactory, IdentityProviderFactory
from tests.rest_api.callers import Caller, caller_granted

RUN = "course-v1:UniA+CS101+2026"

OnCommit = Callable[..., AbstractContextManager[Any]]


@pytest.fixture
def sign_in(django_capture_on_commit_callbacks: OnCommit) -> Callable[[str], Client]:
    """Sign a student in as the university's identity provider would assert them; return their browser."""

    def sign_in(remote_id: str) -> Client:
        browser = Client()
        with django_capture_on_commit_callbacks(execute=True):
            email = asserted_address(remote_id=remote_id, slug="uni-a")
            response = browser.post("/dev/sign-in/", {"idp": "uni-a", "remote_id": remote_id, "email": email})
        assert response.status_code == 302
        return browser

    return sign_in


@pytest.fixture
def school(db: None) -> School:
    school: School = IdentityProviderFactory(slug="uni-a", school__key="uni-a").school
    CourseRunFactory(course_id=RUN, curricula=[CurriculumFactory(program__school=school)])
    return school


@pytest.fixture
def sis(school: School) -> Caller:
    return caller_granted(*Permission, school=school)


def grade(student_key: str, letter: str, percent: str) -> None:
    """Record a final grade in the learning platform."""
    CourseGrade.objects.update_or_create(
        user=MODEL._default_manager.get(university_learners__student_key=student_key),
        course_run_id=RUN,
        defaults={"letter": letter, "percent": Decimal(percent), "passed": Decimal(percent) >= Decimal("0.5")},
    )


def check_copy(copy: Path, *digest: str) -> str:
    """Run the script of docs/grades.rst on a copy, as a university would; return what it says."""
    (script,) = code_blocks("docs/grades.rst", "python")
    checked = subprocess.run(
        [sys.executable, "-I", "-c", script, str(copy), *digest],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert checked.stderr == ""
    assert checked.returncode == (0 if checked.stdout.endswith(": as frozen\n") else 1)
    return checked.stdout


def enroll(sis: Caller, *student_keys: str) -> None:
    (program,) = sis.get("programs/").json()["results"]
    path = f"programs/{program['uuid']}/"
    rows = [{"student_key": key, "status": "enrolled"} for key in student_keys]
    assert sis.post(f"{path}enrollments/", rows).status_code == 200
    rows = [{"student_key": key, "status": "active"} for key in student_keys]
    assert sis.post(f"{path}courses/{RUN}/enrollments/", rows).status_code == 200


def course_path(sis: Caller) -> str:
    return f"programs/{sis.get('programs/').json()['results'][0]['uuid']}/courses/{RUN}/"


def test_from_enrollment_to_a_citation_checked_offline(
    sis: Caller, sign_in: Callable[[str], Client], tmp_path: Path
) -> None:
    path = course_path(sis)
    enroll(sis, "anna", "bernd", "Çelik", "later")
    assert sis.get(f"{path}grades/").json()["results"] == []

    for student in ("anna", "bernd", "Çelik"):
        sign_in(student)
    assert sis.get(f"{path}grades/").status_code == 422  # nobody has a grade yet, and each row says so
    grade("anna", "A", "0.925")
    grade("Çelik", "", "1")
    live = sis.get(f"{path}grades/")
    assert live.status_code == 207

    receipt = sis.post(f"{path}grades/freeze/", {"reason": "Board of examiners"}).json()
    frozen = sis.get(f"{path}grades/").content

    # The platform goes on: a grade is changed, one comes late, and so does a student.
    grade("anna", "F", "0")
    grade("bernd", "B", "0.8")
    sign_in("later")
    grade("later", "C", "0.6")
    assert sis.get(f"{path}grades/").content == frozen

    copy = tmp_path / "version-1.json"
    copy.write_bytes(sis.get(f"{path}grades/freezes/1/").content)
    assert check_copy(copy) == f"3 rows, {receipt['digest']}: as frozen\n"
    assert check_copy(copy, receipt["digest"]).endswith(": as frozen\n")
    forged = tmp_path / "forged.json"
    forged.write_text(copy.read_text(encoding="utf-8").replace("0.925", "0.926"), encoding="utf-8")
    assert check_copy(forged, receipt["digest"]).endswith(": NOT AS FROZEN\n")

    # The board accepts the late grade.
    sis.post(f"{path}grades/reopen/", {"reason": "Late grade"})
    assert sis.get(f"{path}grades/").json()["frozen"] is False
    second = sis.post(f"{path}grades/freeze/", {"reason": "Second board"}).json()
    assert (second["version"], second["count"]) == (2, 4)
    copy.write_bytes(sis.get(f"{path}grades/freezes/2/").content)
    assert check_copy(copy, second["digest"]) == f"4 rows, {second['digest']}: as frozen\n"
    assert check_copy(copy, receipt["digest"]).endswith(": NOT AS FROZEN\n")

    # The first version is what it was.
    first = sis.get(f"{path}grades/freezes/1/").json()
    assert first["results"] == json.loads(frozen)["results"]
    assert (first["digest"], first["reopen_reason"]) == (receipt["digest"], "Late grade")


def test_attendance_is_what_students_did(sis: Caller, sign_in: Callable[[str], Client]) -> None:
    path = course_path(sis)
    enroll(sis, "anna", "bernd")
    browser = sign_in("anna")
    sign_in("bernd")
    today = datetime.now(UTC).date()

    assert browser.post(f"/courses/{RUN}/finish-unit/").status_code == 302

    anna, bernd = sis.get(f"{path}attendance/").json()["results"]
    # A visit around midnight may be the day before.
    assert anna["first_attended"] == anna["last_attended"]
    assert datetime.fromisoformat(anna["first_attended"]).date() - today in (timedelta(0), timedelta(days=1))
    assert (anna["days_attended"], anna["completion"]) == (1, 0.1)
    assert bernd == {
        "student_key": "bernd",
        "first_attended": None,
        "last_attended": None,
        "days_attended": 0,
        "completion": None,
    }
    tomorrow = today + timedelta(days=2)
    late = sis.get(f"{path}attendance/?since={tomorrow}").json()["results"]
    assert [row["days_attended"] for row in late] == [0, 0]
    assert late[0]["first_attended"] == anna["first_attended"]
