"""A student information system drops a snapshot every night, and one night half of the file is missing."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from program_enrollments import api
from program_enrollments.models import Program
from tests.flows.people import Student, University

STUDENTS = [f"A-{number}" for number in range(30)]


@pytest.fixture(autouse=True)
def _file_storage(settings: Settings, tmp_path: Path) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "program_enrollments": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path)},
        },
    }


class NightlyJob:
    """Sends the program's students as a snapshot, and waits until the platform has carried it out."""

    def __init__(self, university: University, program: Program) -> None:
        self.university, self.program = university, program

    def send(self, student_keys: Sequence[str], **query: str) -> dict[str, Any]:
        text = "student_key,status\n" + "".join(f"{key},enrolled\n" for key in student_keys)
        response = self.university.sis.post(
            f"programs/{self.program.uuid}/enrollments/upload/",
            text.encode(),
            content_type="text/csv",
            query={"mode": "snapshot", **query},
        )
        assert response.status_code == 202
        return self.follow(response["Location"])

    def follow(self, url: str) -> dict[str, Any]:
        with self.university.on_commit(execute=True):
            while api.run_next_slice():
                pass
        job: dict[str, Any] = self.university.sis.get(url).json()
        return job

    def decide(self, job: dict[str, Any], decision: str, **body: Any) -> dict[str, Any]:
        path = f"jobs/{job['id']}/"
        response = self.university.sis.post(f"{path}{decision}/", body)
        assert response.status_code == 200, response.content
        return self.follow(path)

    def result(self, job: dict[str, Any]) -> dict[str, str]:
        response = self.university.sis.get(job["result_url"])
        rows = csv.DictReader(io.StringIO(response.getvalue().decode(), newline=""))
        return {row["student_key"]: row["word"] for row in rows}

    def statuses(self) -> dict[str, str]:
        return {
            row["student_key"]: row["status"]
            for row in self.university.sis.get(
                f"programs/{self.program.uuid}/enrollments/", query={"page_size": "100"}
            ).json()["results"]
        }


def test_half_a_file_removes_nobody_until_somebody_decides(
    uni_a: University, new_student: Callable[[], Student]
) -> None:
    program = uni_a.open_program()
    nightly = NightlyJob(uni_a, program)

    first = nightly.send(STUDENTS, rows="30")
    assert (first["state"], first["done"], first["changed"]) == ("succeeded", 30, 30)
    new_student().sign_on("A-0")
    assert uni_a.students(program)["A-0"]["account_exists"] is True

    # The next night nothing has changed, and nothing is kept of the lines.
    second = nightly.send(STUDENTS)
    assert (second["state"], second["unchanged"], second["changed"]) == ("succeeded", 30, 0)
    assert uni_a.sis.get(f"jobs/{second['id']}/rows/").json()["results"] == []

    # A file that was cut off is recognized by the count that came with it.
    cut = uni_a.sis.post(
        f"programs/{program.uuid}/enrollments/upload/",
        b"student_key,status\nA-0,enrolled\n",
        content_type="text/csv",
        query={"mode": "snapshot", "rows": "30"},
    )
    assert (cut.status_code, cut.json()["error_code"]) == (422, "file_incomplete")

    # Without the count, the guard holds it: 20 of 30 would leave.
    held = nightly.send(STUDENTS[:10])
    assert held["state"] == "held"
    assert held["held"]["scopes"] == [{"course_id": None, "removals": 20, "present": 30, "limit": 10}]
    planned = uni_a.sis.get(f"jobs/{held['id']}/rows/", query={"format": "csv"}).getvalue().decode()
    assert planned.count("left") == 20
    assert set(nightly.statuses().values()) == {"enrolled"}

    # The registrar applies the rest without the removals.
    applied = nightly.decide(
        held, "approve", effects=held["held"]["effects"], removals=False, reason="The export broke off"
    )
    assert applied["state"] == "succeeded"
    assert set(nightly.statuses().values()) == {"enrolled"}

    # At the end of term it is meant.
    meant = nightly.send(STUDENTS[:10], leaving_status="ended")
    done = nightly.decide(meant, "approve", effects=meant["held"]["effects"], removals=True, reason="Graduation")
    assert (done["state"], done["removals"]) == ("succeeded", 20)
    assert nightly.statuses() == {key: "enrolled" if key in STUDENTS[:10] else "ended" for key in STUDENTS}
    assert nightly.result(done)["A-29"] == "left"

    # The ledger knows who decided, and by which file.
    last = uni_a.look_up(program, "A-29")["changes"][0]
    assert (last["after"], last["reason"], last["job_id"]) == ("ended", "Graduation", done["id"])
