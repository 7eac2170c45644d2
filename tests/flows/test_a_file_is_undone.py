"""The wrong file goes in, students sign on meanwhile, and the registrar takes it back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from tests.flows.people import Student, University
from tests.flows.test_a_nightly_snapshot import NightlyJob
from tests.invariants import find_violations


@pytest.fixture(autouse=True)
def _file_storage(settings: Settings, tmp_path: Path) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "program_enrollments": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path)},
        },
    }


class Office(NightlyJob):
    """The registrar's office: it sends files of any kind, and undoes them."""

    def upload(self, path: str, text: str, **query: str) -> dict[str, Any]:
        url = f"programs/{self.program.uuid}/{path}/upload/"
        response = self.university.sis.post(url, text.encode(), content_type="text/csv", query=query)
        assert response.status_code == 202
        return self.follow(response["Location"])

    def undo(self, job: dict[str, Any], **query: str) -> dict[str, Any]:
        response = self.university.sis.post(f"jobs/{job['id']}/undo/", {"reason": "The wrong file"}, query=query)
        assert response.status_code == 202, response.content
        return self.follow(response["Location"])


def test_the_wrong_files_are_taken_back(uni_a: University, new_student: Callable[[], Student]) -> None:
    program = uni_a.open_program()
    run = uni_a.open_course(program)
    office = Office(uni_a, program)
    assert office.send(["A-1", "A-2", "A-3"])["changed"] == 3

    # Last year's files: A-2 graduated then, B-1 and B-2 were there, and all were in a course.
    programs = office.upload(
        "enrollments", "student_key,email,status\nA-2,,suspended\nB-1,b1@uni-a.example,enrolled\nB-2,,enrolled\n"
    )
    courses = office.upload(
        "course_enrollments",
        "course_id,student_key,status\n" + "".join(f"{run.course_id},{key},active\n" for key in ("A-1", "B-1", "B-2")),
    )
    assert (programs["changed"], courses["changed"]) == (3, 3)

    # Meanwhile two of them sign on, and somebody corrects A-2 by hand.
    new_student().sign_on("B-1")
    new_student().sign_on("A-1")
    uni_a.enroll(program, {"student_key": "A-2", "status": "pending"})

    # The program file alone cannot go: its learners are in a course.
    preview = office.undo(programs, dry_run="true")
    assert (preview["state"], preview["counts"]) == ("succeeded", {"changed-since": 3})

    undone = office.undo(courses)
    assert (undone["counts"], undone["undoes"]) == ({"deleted": 3}, courses["id"])
    assert uni_a.sis.get(f"programs/{program.uuid}/course_enrollments/").json()["results"] == []
    undone = office.undo(programs)
    assert (undone["state"], undone["counts"], undone["held"]) == (
        "succeeded",
        {"changed-since": 1, "deleted": 2},
        None,
    )
    assert office.statuses() == {"A-1": "enrolled", "A-2": "pending", "A-3": "enrolled"}
    assert office.result(undone) == {"A-2": "changed-since", "B-1": "deleted", "B-2": "deleted"}
    assert uni_a.sis.get(f"jobs/{programs['id']}/").json()["undone_by"] == undone["id"]
    again = uni_a.sis.post(f"jobs/{programs['id']}/undo/", {"reason": "Once more"})
    assert (again.status_code, again.json()["error_code"]) == (409, "already_undone")

    # B-1 keeps the account: enrolled again, the place is there at once.
    assert office.undo(undone)["counts"] == {"enrolled": 2}
    assert uni_a.students(program)["B-1"]["account_exists"] is True
    assert find_violations() == []
