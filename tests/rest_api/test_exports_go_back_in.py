"""An export, uploaded as it is, changes nothing; and the demo's sample files end as they are said to."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from demo_lms.demo_data import seed as fill_demo
from demo_lms.demo_data.catalog import DATA_SCIENCE, PUBLIC_HEALTH, SeedProgram
from demo_lms.demo_data.sample_files import FOLDER
from program_enrollments import api
from program_enrollments.data import ProgramStatus
from program_enrollments.models import Learner, LedgerEntry, PreemptiveProgramEnrollment
from program_enrollments.rest_api.exports import BROKEN_OFF
from tests.api.steps import STAFF
from tests.examples import examples
from tests.factories.enrollment import (
    CourseRunFactory,
    LinkedLearnerFactory,
    ProgramCourseEnrollmentFactory,
    ProgramEnrollmentFactory,
    act_for_all_schools,
)
from tests.factories.host import ServiceUserFactory, UserFactory
from tests.rest_api.callers import Caller, Campus, caller_as

pytestmark = pytest.mark.usefixtures("file_storage")

CSV = {"format": "csv"}
PROGRAM, COURSES = ("enrollments/", "enrollments/upload/"), ("course_enrollments/", "course_enrollments/upload/")


def send(sis: Caller, path: str, content: bytes, **query: str) -> dict[str, Any]:
    """Upload a file, have it worked off, and return the job as it is then."""
    response = sis.post(path, content, content_type="text/csv", query=query)
    assert response.status_code == 202, response.content
    while api.run_next_slice():
        pass
    job: dict[str, Any] = sis.get(f"jobs/{response.json()['id']}/").json()
    return job


def words_of(sis: Caller, job: dict[str, Any]) -> dict[int, str]:
    rows = sis.get(f"jobs/{job['id']}/rows/", query={"page_size": 1000}).json()["results"]
    return {row["line"]: row["word"] for row in rows}


@pytest.fixture
def lived_in(campus: Campus, sis: Caller) -> int:
    """A program with learners of every kind, in two course runs; returned is how many."""
    sis.put(
        campus.enrollments,
        [
            {"student_key": "S-1", "email": "s1@uni.example", "status": "enrolled"},
            {"email": "Ann@uni.example", "status": "pending"},
            {"student_key": "'=1", "status": "suspended"},
            {"student_key": '=1;é,"x"', "status": "enrolled"},
            {"student_key": "0012", "status": "canceled"},
            {"student_key": "gone@uni.example", "status": "ended"},
        ],
    )
    for values in (
        {"student_key": "S-7", "user": UserFactory(email="private@home.example")},
        {"student_key": "", "email": "eve@uni.example", "user": UserFactory(email="other@home.example")},
    ):
        learner = LinkedLearnerFactory(school=campus.school, **values)
        ProgramEnrollmentFactory(curriculum=campus.curriculum, learner=learner)
        ProgramCourseEnrollmentFactory(program=campus.program, course_run=campus.course_run, learner=learner)
    second = CourseRunFactory(curricula=[campus.curriculum])
    rows: list[dict[str, Any]] = [
        {"student_key": "S-1", "status": "active", "course_staff": True},
        {"student_key": "ann@uni.example", "status": "inactive"},
        {"student_key": "S-7", "status": "active", "course_staff": True},
    ]
    for run_id in (campus.course_run.course_id, second.course_id):
        sis.put(f"{campus.path}courses/{run_id}/enrollments/", rows)
    return 8


@pytest.mark.parametrize("mode", ["upsert", "snapshot"])
@pytest.mark.parametrize(("taken_out", "sent_in"), [PROGRAM, COURSES])
def test_every_line_is_unchanged(
    campus: Campus, sis: Caller, lived_in: int, mode: str, taken_out: str, sent_in: str
) -> None:
    content = sis.get(f"{campus.path}{taken_out}", query=CSV).getvalue()
    entries = LedgerEntry.objects.count()

    job = send(sis, f"{campus.path}{sent_in}", content, mode=mode)

    assert (job["state"], job["changed"], job["refused"], job["removals"]) == ("succeeded", 0, 0, 0), job
    assert job["unchanged"] == job["total"] == content.count(b"\n") - 1 >= 7
    assert LedgerEntry.objects.count() == entries
    assert sis.get(f"{campus.path}{taken_out}", query=CSV).getvalue() == content


@pytest.mark.parametrize("mode", ["upsert", "snapshot"])
def test_who_has_lost_their_id_is_refused_and_stays(campus: Campus, sis: Caller, mode: str) -> None:
    sis.put(campus.enrollments, [{"student_key": key, "status": "enrolled"} for key in ("S-1", "S-2", "S-3")])
    api.release_student_keys(school=campus.school, student_keys=["S-2"], origin=STAFF)
    content = sis.get(campus.enrollments, query=CSV).getvalue()
    assert b"released-" in content

    job = send(sis, f"{campus.path}enrollments/upload/", content, mode=mode)

    assert (job["state"], job["changed"], job["refused"], job["removals"]) == ("succeeded", 0, 1, 0)
    assert sis.get(campus.enrollments, query=CSV).getvalue() == content


KEYS = st.text(alphabet="'=+-@aB1é,;\"\n \t＝", min_size=1, max_size=6)


@examples(40)
@given(st.lists(st.tuples(KEYS, st.sampled_from(ProgramStatus.values)), max_size=6))
def test_whatever_the_ids_are(campus: Campus, sis: Caller, rows: list[tuple[str, str]]) -> None:
    sis.put(campus.enrollments, [{"student_key": key, "status": status} for key, status in rows])
    content = sis.get(campus.enrollments, query=CSV).getvalue()
    job = send(sis, f"{campus.path}enrollments/upload/", content)
    assert (job["changed"], job["refused"], job["unchanged"]) == (0, 0, content.count(b"\r\n") - 1)


@pytest.mark.parametrize("mode", ["upsert", "snapshot"])
def test_an_export_that_broke_off_is_refused_as_a_whole(campus: Campus, sis: Caller, lived_in: int, mode: str) -> None:
    lines = sis.get(campus.enrollments, query=CSV).getvalue().splitlines(keepends=True)
    before = list(PreemptiveProgramEnrollment.objects.values())
    job = send(sis, f"{campus.path}enrollments/upload/", b"".join([*lines[:3], BROKEN_OFF]), mode=mode)
    assert job["state"] == "failed"
    assert "never closed" in job["message"]
    assert list(PreemptiveProgramEnrollment.objects.values()) == before


@pytest.mark.parametrize("seed", [DATA_SCIENCE, PUBLIC_HEALTH], ids=["uni-a", "uni-b"])
class TestSampleFiles:
    @pytest.fixture
    def registrar(self, db: None) -> Caller:
        fill_demo(base_url="http://testserver", now=timezone.now())
        return caller_as(act_for_all_schools(ServiceUserFactory(username="somebody")))

    def send(self, registrar: Caller, seed: SeedProgram, name: str, kind: str = "", **query: str) -> dict[str, Any]:
        path = f"programs/{seed.uuid}/{kind}enrollments/upload/"
        return send(registrar, path, (FOLDER / f"{seed.key}-{name}.csv").read_bytes(), **query)

    def test_the_program_file(self, registrar: Caller, seed: SeedProgram) -> None:
        job = self.send(registrar, seed, "program")
        assert (job["changed"], job["refused"]) == (2, 0)

    def test_as_a_snapshot_it_removes_nobody(self, registrar: Caller, seed: SeedProgram) -> None:
        job = self.send(registrar, seed, "program", mode="snapshot")
        assert (job["state"], job["changed"], job["removals"]) == ("succeeded", 2, 0)

    def test_the_course_file(self, registrar: Caller, seed: SeedProgram) -> None:
        job = self.send(registrar, seed, "courses", "course_")
        assert (job["changed"], job["refused"]) == (1, 0)

    def test_the_file_of_mistakes(self, registrar: Caller, seed: SeedProgram) -> None:
        job = self.send(registrar, seed, "mistakes")
        assert words_of(registrar, job) == {
            3: "invalid-status",
            4: "invalid-identity",
            6: "invalid-curriculum",
            8: "unreadable",
            9: "duplicated",
            10: "duplicated",
        }

    def test_the_snapshot_that_forgets_most_is_held(self, registrar: Caller, seed: SeedProgram) -> None:
        before = Learner.objects.count()
        job = self.send(registrar, seed, "snapshot-held", mode="snapshot")
        assert job["state"] == "held", job
        assert Learner.objects.count() == before
