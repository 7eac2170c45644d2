"""A university gives its students new IDs, while they are signing in and files go on coming."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from program_enrollments import api
from program_enrollments.models import Learner
from tests.flows.people import Student, University
from tests.invariants import find_violations

MASTERS = ("masters", True)


@pytest.fixture(autouse=True)
def _file_storage(settings: Settings, tmp_path: Path) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "program_enrollments": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path)},
        },
    }


class Office:
    """The registrar's office: sends tables of old and new IDs, and waits until they are carried out."""

    def __init__(self, university: University) -> None:
        self.university = university

    def send(self, *lines: str, **query: str) -> dict[str, Any]:
        text = "\n".join(["old_student_key,new_student_key", *lines, ""])
        response = self.university.sis.post(
            f"schools/{self.university.school.key}/student_keys/upload/",
            text.encode(),
            content_type="text/csv",
            query={"rows": str(len(lines)), **query},
        )
        assert response.status_code == 202, response.content
        return self.follow(response["Location"])

    def follow(self, url: str) -> dict[str, Any]:
        with self.university.on_commit(execute=True):
            while api.run_next_slice():
                pass
        job: dict[str, Any] = self.university.sis.get(url).json()
        return job

    def rows(self, job: dict[str, Any]) -> list[tuple[Any, ...]]:
        rows = self.university.sis.get(f"jobs/{job['id']}/rows/").json()["results"]
        return [(row["line"], row["word"], row["before"], row["after"]) for row in rows]

    def result(self, job: dict[str, Any]) -> list[dict[str, str]]:
        response = self.university.sis.get(job["result_url"])
        return list(csv.DictReader(io.StringIO(response.getvalue().decode(), newline="")))


def test_new_ids_for_everybody(uni_a: University, new_student: Callable[[], Student]) -> None:
    program = uni_a.open_program()
    run = uni_a.open_course(program)
    names = ["A-1", "A-2", "A-3", "A-4"]
    uni_a.enroll(program, *({"student_key": name, "status": "enrolled"} for name in names))
    uni_a.enroll(program, *({"student_key": name, "status": "active"} for name in names), run=run)
    ann, bob = new_student(), new_student()
    ann.sign_on("A-1")
    bob.sign_on("A-2")
    anns = ann.account
    office = Office(uni_a)

    # Two IDs were mixed up, one student was counted twice, and one ID goes to somebody else.
    lines = ("A-1,A-2", "A-2,A-1", "A-9,B-9", "A-3,", "A-4,N-4")
    dry = office.send(*lines, dry_run="true")
    assert (dry["kind"], dry["program"], dry["state"], dry["dry_run"]) == ("student_keys", None, "succeeded", True)
    assert set(uni_a.students(program)) == set(names)
    job = office.send(*lines)
    assert office.rows(job) == office.rows(dry)
    assert (job["counts"], job["changed"], job["refused"]) == ({"renamed": 3, "unknown": 1, "released": 1}, 4, 1)
    assert office.rows(job)[0] == (2, "renamed", "A-1", "A-2")
    assert [row["word"] for row in office.result(job)] == ["renamed", "renamed", "unknown", "released", "renamed"]

    # Everybody keeps account and place, and signs in with the ID that is theirs now.
    again = new_student()
    again.sign_on("A-2")
    assert again.account == anns
    assert again.seat(run) == MASTERS
    assert uni_a.look_up(program, "A-2")["username"] == anns.get_username()
    listed = {row["id"] for row in uni_a.sis.get("jobs/", query={"kind": "student_keys"}).json()["results"]}
    assert listed == {dry["id"], job["id"]}

    # The same file once more changes nothing, not even the swap.
    repeated = office.send(*lines[:2], lines[4])
    assert (repeated["counts"], repeated["changed"]) == ({"renamed": 3}, 0)
    assert find_violations() == []


def test_in_a_change_over_nobody_is_locked_out(uni_a: University, new_student: Callable[[], Student]) -> None:
    program = uni_a.open_program()
    run = uni_a.open_course(program)
    uni_a.enroll(program, {"student_key": "A-1", "status": "enrolled"}, {"student_key": "A-2", "status": "enrolled"})
    uni_a.enroll(program, {"student_key": "A-1", "status": "active"}, run=run)
    ann = new_student()
    ann.sign_on("A-1")
    office = Office(uni_a)
    day = (timezone.now() + timedelta(days=30)).date().isoformat()
    job = office.send("A-1,N-1", honor_old_until=day)
    assert job["counts"] == {"renamed": 1}

    # The identity provider still sends the old ID, another one the new one already; the nightly file has both worlds.
    for name in ("A-1", "N-1"):
        student = new_student()
        student.sign_on(name)
        assert student.account == ann.account
    assert uni_a.enroll(program, {"student_key": "A-1", "status": "suspended"}) == {"A-1": "suspended"}
    assert uni_a.students(program)["N-1"]["status"] == "suspended"
    assert office.send("A-2,A-1")["counts"] == {"taken": 1}
    refused = office.send("A-2,A-7", honor_old_until=day)
    assert refused["counts"] == {"renamed": 1}

    # The day has come: nothing else has to happen before the old ID is free.
    Learner.objects.filter(honored_for__isnull=False).update(honored_until=timezone.now())
    assert office.send("A-7,A-1")["counts"] == {"renamed": 1}
    stranger = new_student()
    stranger.sign_on("A-1", email="somebody-else@mail.uni-a.example")
    assert stranger.account != ann.account
    assert uni_a.look_up(program, "A-1")["username"] == stranger.username
    assert find_violations() == []


def test_what_cannot_be_sent_is_refused_with_the_reason(uni_a: University) -> None:
    path = f"schools/{uni_a.school.key}/student_keys/upload/"
    file = b"old_student_key,new_student_key\nA-1,B-1\n"

    def code(raw: bytes = file, **query: str) -> tuple[int, str]:
        answer = uni_a.sis.post(path, raw, content_type="text/csv", query=query)
        return answer.status_code, answer.json().get("error_code", "")

    assert code(honor_old_until="2020-01-01") == (400, "invalid_parameter")
    assert code(honor_old_until="soon") == (400, "invalid_parameter")
    assert code(mode="snapshot") == (400, "invalid_parameter")
    assert code(cascade="true") == (400, "invalid_parameter")
    assert code(leaving_status="ended") == (400, "invalid_parameter")
    assert code(rows="2") == (422, "file_incomplete")
    assert code(sha256="0" * 64) == (422, "file_incomplete")
    assert code(b"student_key,status\nA-1,enrolled\n") == (400, "invalid_file")
    assert code(mode="upsert")[0] == 202


def test_whose_id_was_released_by_mistake_signs_in_again_after_the_undo(
    uni_a: University, new_student: Callable[[], Student]
) -> None:
    program = uni_a.open_program()
    run = uni_a.open_course(program)
    uni_a.enroll(program, {"student_key": "A-1", "status": "enrolled"})
    uni_a.enroll(program, {"student_key": "A-1", "status": "active"}, run=run)
    ann = new_student()
    ann.sign_on("A-1")
    account = ann.account
    office = Office(uni_a)
    released = office.send("A-1,")
    assert office.rows(released) == [(2, "released", "A-1", None)]

    response = uni_a.sis.post(f"jobs/{released['id']}/undo/", {"reason": "The wrong line"})
    undone = office.follow(response["Location"])

    assert undone["changed"] == 1
    ann.browser.logout()
    again = new_student()
    again.sign_on("A-1")
    assert again.account == account
    assert again.seat(run) == MASTERS
    assert uni_a.look_up(program, "A-1")["link"]["state"] == "linked"
    assert find_violations() == []
