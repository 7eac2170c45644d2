"""Jobs over HTTP: following one, its rows, its result, and deciding about it."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from program_enrollments import api
from program_enrollments.data import Origin, Permission
from program_enrollments.models import Job
from tests.factories.enrollment import ProgramFactory
from tests.rest_api.callers import Caller, Campus, caller_granted, make_campus

pytestmark = pytest.mark.usefixtures("file_storage")


def people(count: int) -> str:
    return "student_key,status\n" + "".join(f"S-{number:03},enrolled\n" for number in range(count))


def send(sis: Caller, campus: Campus, text: str, **query: str) -> dict[str, Any]:
    """Upload a file, have it worked off, and return the job as it is then."""
    response = sis.post(f"{campus.path}enrollments/upload/", text.encode(), content_type="text/csv", query=query)
    assert response.status_code == 202
    while api.run_next_slice():
        pass
    job: dict[str, Any] = sis.get(f"jobs/{response.json()['id']}/").json()
    return job


def read_result(response: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(response.getvalue().decode())))


def test_following_a_job(sis: Caller, campus: Campus) -> None:
    job = send(sis, campus, "student_key,status,remark\nA-1,enrolled,x\nA-2,enroled,y\n")
    assert (job["state"], job["total"], job["done"]) == ("succeeded", 2, 2)
    assert job["counts"] == {"enrolled": 1, "invalid-status": 1}
    assert "remark" in job["notes"][0]
    assert all(job[name] for name in ("started", "finished", "created_by"))


def test_the_rows_that_changed_or_were_refused(sis: Caller, campus: Campus) -> None:
    send(sis, campus, people(3))
    job = send(sis, campus, "student_key,status\nS-000,enrolled\nS-001,ended\nS-002,enroled\n")
    rows = sis.get(f"jobs/{job['id']}/rows/").json()["results"]
    assert [(row["line"], row["word"], row["before"], row["after"]) for row in rows] == [
        (3, "ended", "enrolled", "ended"),
        (4, "invalid-status", None, None),
    ]
    assert "enrolled" in rows[1]["detail"]
    for query, lines in (
        ({"word": "ended"}, [3]),
        ({"changed": "false"}, [4]),
        ({"line": "4"}, [4]),
        ({"line": "2"}, []),
    ):
        found = sis.get(f"jobs/{job['id']}/rows/", query=query).json()["results"]
        assert [row["line"] for row in found] == lines
    page = sis.get(f"jobs/{job['id']}/rows/", query={"page_size": "1"}).json()
    assert [row["line"] for row in sis.get(page["next"]).json()["results"]] == [4]


def test_the_result_is_the_file_with_what_became_of_it(sis: Caller, campus: Campus) -> None:
    send(sis, campus, people(3))
    job = send(sis, campus, "Remark;Student_Key;Status\nx;S-000;enrolled\n;;\n=1+1;S-001;ended\ny;z\n", mode="snapshot")
    assert job["state"] == "held"
    api.approve_job(
        job=Job.objects.get(pk=job["id"]),
        effects=job["held"]["effects"],
        removals=True,
        origin=Origin(source="api"),
    )
    while api.run_next_slice():
        pass
    response = sis.get(f"jobs/{job['id']}/result/")
    assert (response.status_code, response["Content-Type"]) == (200, "text/csv; charset=utf-8")
    rows = read_result(response)
    assert rows[0] == ["Remark", "Student_Key", "Status", "line", "word", "detail", "before", "after"]
    assert rows[1] == ["x", "S-000", "enrolled", "2", "enrolled", "", "enrolled", "enrolled"]
    assert rows[2] == ["'=1+1", "S-001", "ended", "4", "ended", "", "enrolled", "ended"]
    assert rows[3][:5] == ["y", "z", "", "5", "unreadable"]
    assert rows[4] == ["", "S-002", "canceled", "", "left", "", "enrolled", "canceled"]


def test_a_file_that_breaks_in_its_middle_fails_as_a_whole(sis: Caller, campus: Campus) -> None:
    job = send(sis, campus, people(1_500) + '"never closed,enrolled\n')
    assert (job["state"], job["done"], job["changed"]) == ("failed", 0, 0)
    assert "line 1502" in job["message"]


def test_holding_and_approving(sis: Caller, campus: Campus) -> None:
    send(sis, campus, people(100))
    job = send(sis, campus, people(70), mode="snapshot")
    assert (job["state"], job["removals"]) == ("held", 30)
    assert job["held"]["scopes"] == [{"course_id": None, "removals": 30, "present": 100, "limit": 20}]
    rows = sis.get(f"jobs/{job['id']}/rows/", query={"word": "left"}).json()["results"]
    assert len(rows) == 30
    assert rows[0]["line"] is None
    path = f"jobs/{job['id']}/approve/"
    body = {"reason": "They graduated", "effects": job["held"]["effects"], "removals": True}
    for missing in body:
        refused = sis.post(path, {name: value for name, value in body.items() if name != missing})
        assert (refused.status_code, refused.json()["error_code"]) == (400, "invalid_body")
    stale = sis.post(path, {**body, "effects": "0" * 64})
    assert (stale.status_code, stale.json()["error_code"]) == (409, "stale_effects")
    assert sis.post(path, body).status_code == 200
    again = sis.post(path, body)
    assert (again.status_code, again.json()["error_code"]) == (409, "wrong_state")
    while api.run_next_slice():
        pass
    done = sis.get(f"jobs/{job['id']}/").json()
    assert (done["state"], done["counts"]) == ("succeeded", {"enrolled": 70, "left": 30})


def test_canceling(sis: Caller, campus: Campus) -> None:
    job = sis.post(f"{campus.path}enrollments/upload/", people(1).encode(), content_type="text/csv").json()
    assert sis.post(f"jobs/{job['id']}/cancel/", {"reason": "The wrong file"}).json()["state"] == "canceled"
    assert sis.post(f"jobs/{job['id']}/cancel/", {"reason": "The wrong file"}).status_code == 409
    assert sis.post(f"jobs/{job['id']}/resume/", {"reason": "After all"}).status_code == 409


def test_there_is_no_result_before_the_end_nor_after_its_time(sis: Caller, campus: Campus) -> None:
    job = sis.post(f"{campus.path}enrollments/upload/", people(1).encode(), content_type="text/csv").json()
    assert sis.get(f"jobs/{job['id']}/result/").json()["error_code"] == "wrong_state"
    while api.run_next_slice():
        pass
    Job.objects.update(input_name="")
    expired = sis.get(f"jobs/{job['id']}/result/")
    assert (expired.status_code, expired.json()["error_code"]) == (410, "result_expired")
    assert sis.get(f"jobs/{job['id']}/").json()["result_url"] is None


class TestWhoSeesWhat:
    def make_job(self, sis: Caller, campus: Campus) -> str:
        return f"jobs/{send(sis, campus, people(1))['id']}/"

    def test_other_schools_see_nothing(self, sis: Caller, campus: Campus) -> None:
        path = self.make_job(sis, campus)
        other = caller_granted(*Permission, school=make_campus("uni-b").school)
        next_door = caller_granted(Permission.READ_ENROLLMENTS, program=ProgramFactory(school=campus.school))
        for stranger in (other, next_door):
            assert stranger.get("jobs/").json()["results"] == []
            for below in ("", "rows/", "result/"):
                assert stranger.get(path + below).json()["error_code"] == "job_does_not_exist"
            for action in ("approve/", "cancel/", "resume/"):
                assert stranger.post(path + action, {"reason": "Because"}).status_code == 404

    def test_readers_see_and_do_nothing(self, sis: Caller, campus: Campus) -> None:
        path = self.make_job(sis, campus)
        reader = caller_granted(Permission.READ_ENROLLMENTS, program=campus.program)
        assert len(reader.get("jobs/").json()["results"]) == 1
        assert reader.get(path).status_code == 200
        assert reader.post(path + "cancel/", {"reason": "Because"}).status_code == 403

    def test_whoever_made_it_sees_it(self, campus: Campus) -> None:
        writer = caller_granted(Permission.WRITE_ENROLLMENTS, program=campus.program)
        path = self.make_job(writer, campus)
        assert writer.get(path).status_code == 200
        another = caller_granted(Permission.WRITE_ENROLLMENTS, program=campus.program)
        assert another.get(path).status_code == 403
        assert another.get("jobs/").json()["results"] == []

    @pytest.mark.parametrize("number", ["0", "x", "-1", "99999999999999999999", "1%00"])
    def test_numbers_that_name_nothing(self, sis: Caller, number: str) -> None:
        assert sis.get(f"jobs/{number}/").json()["error_code"] == "job_does_not_exist"

    def test_filters_of_the_list(self, sis: Caller, campus: Campus) -> None:
        self.make_job(sis, campus)
        self.make_job(sis, campus)
        newest_first = sis.get("jobs/").json()["results"]
        assert [job["id"] for job in newest_first] == sorted((job["id"] for job in newest_first), reverse=True)
        for query, count in (
            ({"school": "uni-a"}, 2),
            ({"school": "uni-b"}, 0),
            ({"program": str(campus.program.uuid)}, 2),
            ({"state": "failed"}, 0),
            ({"kind": "course_enrollments"}, 0),
        ):
            assert len(sis.get("jobs/", query=query).json()["results"]) == count
        page = sis.get("jobs/", query={"page_size": "1"}).json()
        assert sis.get(page["next"]).json()["results"] == newest_first[1:]


class TestUndo:
    def test_a_preview_and_the_undo(self, sis: Caller, campus: Campus) -> None:
        send(sis, campus, people(2))
        job = send(sis, campus, "student_key,status\nS-000,suspended\nS-009,enrolled\n")
        path = f"jobs/{job['id']}/undo/"
        shown = sis.post(path, {"reason": "The wrong file"}, query={"dry_run": "true"})
        assert (shown.status_code, shown.json()["dry_run"], shown.json()["undoes"]) == (202, True, job["id"])
        answer = sis.post(path, {"reason": "The wrong file"})
        undo = answer.json()
        assert (answer.status_code, undo["state"], undo["undoes"], undo["undone_by"]) == (
            202,
            "pending",
            job["id"],
            None,
        )
        assert answer["Location"].endswith(f"/jobs/{undo['id']}/")
        assert (undo["kind"], undo["mode"], undo["held"]) == ("program_enrollments", "upsert", None)
        while api.run_next_slice():
            pass
        undo = sis.get(f"jobs/{undo['id']}/").json()
        assert (undo["state"], undo["total"], undo["done"], undo["changed"]) == ("succeeded", 2, 2, 2)
        assert undo["counts"] == {"enrolled": 1, "deleted": 1}
        assert sis.get(f"jobs/{job['id']}/").json()["undone_by"] == undo["id"]
        listed = {row["id"]: row["undone_by"] for row in sis.get("jobs/").json()["results"]}
        assert listed[job["id"]] == undo["id"]
        rows = sis.get(f"jobs/{undo['id']}/rows/").json()["results"]
        assert [(row["line"], row["student_key"], row["word"], row["before"], row["after"]) for row in rows] == [
            (2, "S-000", "enrolled", "suspended", "enrolled"),
            (3, "S-009", "deleted", "enrolled", None),
        ]
        assert rows == sis.get(f"jobs/{shown.json()['id']}/rows/").json()["results"]
        result = read_result(sis.get(f"jobs/{undo['id']}/result/"))
        assert result[0] == ["course_id", "student_key", "line", "word", "detail", "before", "after"]
        assert [row[1] for row in result[1:]] == ["S-000", "S-009"]
        assert undo["result_url"].endswith(f"/jobs/{undo['id']}/result/")

    def test_of_changed_student_ids(self, sis: Caller, campus: Campus) -> None:
        send(sis, campus, people(2))
        lines = b"old_student_key,new_student_key\nS-000,S-001\nS-001,T-1\n"
        upload = f"schools/{campus.school.key}/student_keys/upload/"
        job = sis.post(upload, lines, content_type="text/csv").json()
        while api.run_next_slice():
            pass
        undo = sis.post(f"jobs/{job['id']}/undo/", {"reason": "The wrong file"}).json()
        assert (undo["kind"], undo["program"], undo["undoes"]) == ("student_keys", None, job["id"])
        while api.run_next_slice():
            pass
        rows = sis.get(f"jobs/{undo['id']}/rows/").json()["results"]
        assert [(row["student_key"], row["word"], row["before"], row["after"]) for row in rows] == [
            ("S-001", "renamed", "S-001", "S-000"),
            ("T-1", "renamed", "T-1", "S-001"),
        ]
        assert read_result(sis.get(f"jobs/{undo['id']}/result/"))[1][-2:] == ["S-001", "S-000"]

    def test_what_is_refused(self, sis: Caller, campus: Campus) -> None:
        job = send(sis, campus, people(2))
        dry = send(sis, campus, people(3), dry_run="true")
        path = f"jobs/{job['id']}/undo/"
        assert sis.post(path, {}).json()["error_code"] == "invalid_body"
        assert sis.post(path, {"reason": "x"}, query={"dry_run": "perhaps"}).json()["error_code"] == "invalid_parameter"
        assert sis.post(path, {"reason": "x"}, query={"dryrun": "true"}).json()["error_code"] == "invalid_parameter"
        wrong = sis.post(f"jobs/{dry['id']}/undo/", {"reason": "x"})
        assert (wrong.status_code, wrong.json()["error_code"]) == (409, "wrong_state")
        assert sis.post(path, {"reason": "x"}).status_code == 202
        again = sis.post(path, {"reason": "x"})
        assert (again.status_code, again.json()["error_code"]) == (409, "already_undone")

    def test_a_repeated_request_is_one_undo(self, sis: Caller, campus: Campus) -> None:
        job = send(sis, campus, people(2))
        path = f"jobs/{job['id']}/undo/"
        answers = [sis.post(path, {"reason": "x"}, headers={"Idempotency-Key": "key-1"}).json() for _ in range(2)]
        assert answers[0] == answers[1]
        assert Job.objects.filter(undoes=job["id"]).count() == 1
