"""`grades/freeze/` and `grades/reopen/`: receipts and refusals. What is kept is in tests/api/grades/test_freezes.py."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from demo_lms.host import DemoHost
from demo_lms.models import CourseGrade
from program_enrollments.data import Grade, GradeUnavailable
from program_enrollments.exceptions import HostError
from program_enrollments.models import CourseRun, GradeFreeze, Program
from tests.factories.enrollment import CourseRunFactory
from tests.rest_api.grades.conftest import ROOT, assert_problem, enroll, post


def test_the_receipt(sis: Client, url: str, program: Program, run: CourseRun) -> None:
    enroll(program, run, "S-1", grade="0.925")
    live = sis.get(url).json()["results"]

    response = post(sis, f"{url}freeze/", **{"X-Request-ID": "board-7"})

    assert response.status_code == 201
    receipt = response.json()
    frozen_at = receipt.pop("frozen_at")
    text = json.dumps(live, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert receipt == {
        "version": 1,
        "frozen_by": "registrar",
        "reason": "Board of examiners",
        "count": 1,
        "digest": hashlib.sha256(text.encode()).hexdigest(),
    }
    assert GradeFreeze.objects.get().request_id == "board-7"
    answer = sis.get(url).json()
    assert (answer["frozen"], answer["frozen_at"], answer["version"]) == (True, frozen_at, 1)


def test_frozen_is_the_same_bytes_for_ever(sis: Client, url: str, program: Program, run: CourseRun) -> None:
    for key, grade in (("S-2", "0.925"), ("S-1", ""), ("Ü", "0.5")):
        enroll(program, run, key, grade=grade)
    post(sis, f"{url}freeze/")
    pages = [f"{url}?page_size=2", f"{url}freezes/1/", f"{url}freezes/1/?format=csv"]
    before = [sis.get(page).content for page in pages]

    CourseGrade.objects.update(percent=Decimal(0), passed=False)
    enroll(program, run, "S-0", grade="0.9")
    User.objects.filter(university_learners__isnull=False).delete()

    assert [sis.get(page).content for page in pages] == before


def test_already_frozen_and_not_frozen(sis: Client, url: str) -> None:
    assert_problem(post(sis, f"{url}reopen/"), 409, "not_frozen")
    assert post(sis, f"{url}freeze/").status_code == 201
    assert_problem(post(sis, f"{url}freeze/"), 409, "already_frozen")

    response = post(sis, f"{url}reopen/", {"reason": " A mistake "})

    assert response.status_code == 200
    ended = response.json()
    assert (ended["version"], ended["reopened_by"], ended["reopen_reason"]) == (1, "registrar", "A mistake")
    assert_problem(post(sis, f"{url}reopen/"), 409, "not_frozen")
    assert post(sis, f"{url}freeze/").json()["version"] == 2


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"reason": ""},
        {"reason": " \n"},
        {"reason": None},
        {"reason": ["x"]},
        {"reason": {"x": 1}},
        {"reason": "x" * 501},
        {"reason": "a\x00b"},
        {"reason": "a\nb"},
        {"reason": "x" * 500 + " "},
        {"reason": 1},
        {"reason": 0.5},
        {"reason": True},
        {"reason": "\ud800"},
        [],
        [{"reason": "x"}],
        "reason",
        None,
        1,
    ],
)
def test_without_a_reason_nothing_happens(sis: Client, url: str, program: Program, body: object) -> None:
    whole = f"{ROOT}/programs/{program.uuid}/grades/freeze/"

    for path in (f"{url}freeze/", whole):
        problem = assert_problem(post(sis, path, body), 400, "invalid_body")
        assert problem["errors"]
        assert not GradeFreeze.objects.exists()
    post(sis, f"{url}freeze/")
    assert_problem(post(sis, f"{url}reopen/", body), 400, "invalid_body")
    assert GradeFreeze.objects.get().reopened_at is None


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b'{"reason":NaN}', b"[" * 100_000])
def test_what_is_no_json_is_refused(sis: Client, url: str, raw: bytes) -> None:
    response = sis.post(f"{url}freeze/", raw, content_type="application/json")
    assert_problem(response, 400, "invalid_body")


def test_a_repeated_request_freezes_once(sis: Client, url: str) -> None:
    first, again = (post(sis, f"{url}freeze/", **{"Idempotency-Key": "key-1"}) for _time in range(2))

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert GradeFreeze.objects.count() == 1


def test_a_whole_program(sis: Client, url: str, program: Program, run: CourseRun) -> None:
    other = CourseRunFactory(course_id="course-v1:Uni+AA+2026", curricula=[program.curricula.get()])
    enroll(program, run, "S-1", grade="0.9")
    whole = f"{ROOT}/programs/{program.uuid}/grades/freeze/"

    response = post(sis, whole)

    assert response.status_code == 201
    assert [(entry["course_id"], entry["version"], entry["count"]) for entry in response.json()] == [
        (other.course_id, 1, 0),
        (run.course_id, 1, 1),
    ]
    assert_problem(post(sis, whole), 409, "already_frozen")
    post(sis, f"{url}reopen/")
    assert [(entry["course_id"], entry["version"]) for entry in post(sis, whole).json()] == [(run.course_id, 2)]


class HalfHost(DemoHost):
    """A host that cannot tell the grades of course runs whose key says so, until it can."""

    is_down = True

    def __init__(self) -> None:
        super().__init__()
        self.grades = self

    def fetch_grades(self, *, course_id: str, user_ids: Collection[int]) -> Mapping[int, Grade | GradeUnavailable]:
        if self.is_down and "down" in course_id:
            raise HostError
        return DemoHost().grades.fetch_grades(course_id=course_id, user_ids=user_ids)


def test_what_of_a_program_could_be_frozen_is_told_and_the_rest_can_be_asked_for_again(
    sis: Client, program: Program, run: CourseRun, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "HOST": f"{__name__}.HalfHost"}
    monkeypatch.setattr(HalfHost, "is_down", True)
    down = CourseRunFactory(course_id="course-v1:Uni+down+2026", curricula=[program.curricula.get()])
    enroll(program, run, "S-1", grade="0.9")
    enroll(program, down, "S-2", grade="0.8")
    whole = f"{ROOT}/programs/{program.uuid}/grades/freeze/"

    response = post(sis, whole, **{"Idempotency-Key": "key-1"})

    assert response.status_code == 207
    frozen, failed = response.json()
    assert (frozen["course_id"], frozen["version"], frozen["count"]) == (run.course_id, 1, 1)
    assert failed == {"course_id": down.course_id, "error": "The learning platform could not do this just now."}

    problem = assert_problem(post(sis, whole), 503, "host_unavailable")
    assert problem["detail"] == failed["error"]

    monkeypatch.setattr(HalfHost, "is_down", False)
    again = post(sis, whole, **{"Idempotency-Key": "key-1"})
    assert (again.status_code, [entry["course_id"] for entry in again.json()]) == (201, [down.course_id])
