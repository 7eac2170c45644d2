"""Uploading files: forms and raw bodies, what is refused at once, and what is the same request."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from program_enrollments.models import Job
from tests.rest_api.callers import AppSettings, Caller, Campus

TEXT = b"student_key,status\nA-1,enrolled\nA-2,pending\n"

pytestmark = pytest.mark.usefixtures("file_storage")


def upload(
    sis: Caller, campus: Campus, body: bytes = TEXT, *, path: str = "enrollments/upload/", **options: Any
) -> Any:
    return sis.post(f"{campus.path}{path}", body, **{"content_type": "text/csv", **options})


def form(*parts: tuple[str, bytes], boundary: str = BOUNDARY) -> dict[str, Any]:
    files = [(name, SimpleUploadedFile("nightly.csv", content, "text/csv")) for name, content in parts]
    data: dict[str, Any] = {}
    for name, file in files:
        data.setdefault(name, []).append(file)
    return {
        "body": encode_multipart(boundary, data),
        "content_type": MULTIPART_CONTENT.replace(BOUNDARY, boundary),
    }


def test_a_raw_body_becomes_a_job(sis: Caller, campus: Campus, file_storage: Path) -> None:
    response = upload(sis, campus)
    assert response.status_code == 202
    job = response.json()
    assert response["Location"] == f"http://testserver/api/program_enrollments/v1/jobs/{job['id']}/"
    assert (job["state"], job["kind"], job["mode"], job["total"]) == ("pending", "program_enrollments", "upsert", 0)
    assert (job["school"], job["program"]) == ("uni-a", str(campus.program.uuid))
    (stored,) = [path for path in file_storage.rglob("*") if path.is_file()]
    assert stored.read_bytes() == TEXT
    assert sis.get(response["Location"].replace("http://testserver", "")).json() == job


def test_a_form_does_as_well(sis: Caller, campus: Campus) -> None:
    response = upload(sis, campus, **form(("file", TEXT)))
    assert (response.status_code, response.json()["file_name"]) == (202, "nightly.csv")


@pytest.mark.parametrize("parts", [(), (("file", TEXT), ("file", TEXT)), (("other", TEXT),)])
def test_a_form_has_exactly_one_file(sis: Caller, campus: Campus, parts: tuple[tuple[str, bytes], ...]) -> None:
    response = upload(sis, campus, **form(*parts))
    assert (response.status_code, response.json()["error_code"]) == (400, "invalid_body")


def test_other_types_are_refused(sis: Caller, campus: Campus) -> None:
    assert upload(sis, campus, content_type="application/json").status_code == 415


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"\n", "empty"),
        (b"student_key\nA-1\n", "status"),
        (b"student_key,status,Status\n", "status"),
        (b"PK\x03\x04rest", "zip"),
    ],
)
def test_a_head_that_is_no_table_is_refused_at_once(sis: Caller, campus: Campus, body: bytes, words: str) -> None:
    response = upload(sis, campus, body)
    assert (response.status_code, response.json()["error_code"]) == (400, "invalid_file")
    assert words in response.json()["detail"].lower()
    assert not Job.objects.exists()


def test_what_the_sender_counted_has_to_be_there(sis: Caller, campus: Campus, file_storage: Path) -> None:
    digest = hashlib.sha256(TEXT).hexdigest()
    assert upload(sis, campus, query={"rows": "2", "sha256": digest.upper()}).status_code == 202
    for query in ({"rows": "3"}, {"sha256": "0" * 64}):
        response = upload(sis, campus, query=query)
        assert (response.status_code, response.json()["error_code"]) == (422, "file_incomplete")
    assert Job.objects.count() == len([path for path in file_storage.rglob("*") if path.is_file()]) == 1


@pytest.mark.parametrize(
    "query",
    [
        {"mode": "delta"},
        {"leaving_status": "canceled"},
        {"mode": "snapshot", "leaving_status": "enrolled"},
        {"rows": "-1"},
        {"sha256": "abc"},
        {"dry_run": "perhaps"},
        {"honor_old_until": "2030-01-01"},
    ],
)
def test_parameters_that_cannot_be_are_refused(sis: Caller, campus: Campus, query: dict[str, str]) -> None:
    response = upload(sis, campus, query=query)
    assert (response.status_code, response.json()["error_code"]) == (400, "invalid_parameter")


@pytest.mark.parametrize("query", [{"cascade": "true"}, {"mode": "snapshot", "leaving_status": "ended"}])
def test_course_files_have_no_parameters_of_program_files(sis: Caller, campus: Campus, query: dict[str, str]) -> None:
    response = upload(sis, campus, b"course_id,email,status\n", path="course_enrollments/upload/", query=query)
    assert (response.status_code, response.json()["error_code"]) == (400, "invalid_parameter")


def test_too_large_a_file_is_refused_before_it_is_read(sis: Caller, campus: Campus, app_settings: AppSettings) -> None:
    app_settings(MAX_FILE_BYTES=10)
    response = upload(sis, campus)
    assert (response.status_code, response.json()["limit"]) == (413, 10)


def test_files_may_be_larger_than_other_bodies(sis: Caller, campus: Campus, app_settings: AppSettings) -> None:
    app_settings(MAX_BODY_BYTES=10)
    assert upload(sis, campus).status_code == 202


def test_a_storage_that_fails_is_no_job(sis: Caller, campus: Campus, file_storage: Path) -> None:
    (file_storage / str(campus.school.pk)).write_text("in the way")
    response = upload(sis, campus)
    assert (response.status_code, response.json()["error_code"]) == (503, "host_unavailable")
    assert not Job.objects.exists()


class TestIdempotency:
    def test_the_same_file_under_the_same_key_is_one_job(self, sis: Caller, campus: Campus) -> None:
        key = {"Idempotency-Key": "night-1"}
        first = upload(sis, campus, headers=key)
        again = upload(sis, campus, headers=key)
        assert (again.status_code, again.json(), again["Location"]) == (202, first.json(), first["Location"])
        assert Job.objects.count() == 1

    def test_the_boundary_of_a_form_does_not_matter(self, sis: Caller, campus: Campus) -> None:
        key = {"Idempotency-Key": "night-1"}
        first = upload(sis, campus, headers=key, **form(("file", TEXT)))
        again = upload(sis, campus, headers=key, **form(("file", TEXT), boundary="another"))
        assert first.json()["id"] == again.json()["id"]

    @pytest.mark.parametrize("change", [{"body": TEXT + b"A-3,enrolled\n"}, {"query": {"dry_run": "true"}}])
    def test_another_file_or_parameter_is_another_request(
        self, sis: Caller, campus: Campus, change: dict[str, Any]
    ) -> None:
        key = {"Idempotency-Key": "night-1"}
        upload(sis, campus, headers=key)
        assert upload(sis, campus, headers=key, **change).json()["error_code"] == "idempotency_key_reused"

    def test_without_a_key_it_is_two_jobs(self, sis: Caller, campus: Campus) -> None:
        assert upload(sis, campus).json()["id"] != upload(sis, campus).json()["id"]
