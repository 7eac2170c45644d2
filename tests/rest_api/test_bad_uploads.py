"""Bad files, storages and connections over HTTP: said on which line, nothing half-done, no 500, no worker dead."""

from __future__ import annotations

import resource
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from program_enrollments import api
from program_enrollments.models import Job, Learner, LedgerEntry, StagedRow
from tests.rest_api.callers import ROOT, Caller, Campus
from tests.tabular_files.test_bad_input import ADDRESS, GOOD, HEADER, REFUSED_FILES, REFUSED_LINES, SECRET

pytestmark = pytest.mark.usefixtures("file_storage")

NO_COLUMN = "and none of them is a column that is known here."


def upload(sis: Caller, campus: Campus, body: bytes, **options: Any) -> Any:
    # Django's test client sends no type with an empty body by itself; other clients do.
    options = {"content_type": "text/csv", "environ": {"CONTENT_TYPE": "text/csv"}, **options}
    return sis.post(f"{campus.path}enrollments/upload/", body, **options)


def finish(sis: Caller, answer: Any) -> Any:
    """Carry all jobs out, and return this one as its sender sees it."""
    while api.run_next_slice():
        pass
    return sis.get(answer["Location"].removeprefix("http://testserver")).json()


def stored(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("mode", ["upsert", pytest.param("snapshot", marks=pytest.mark.once)])
@pytest.mark.parametrize("name", REFUSED_FILES)
def test_a_file_that_is_no_table_enrolls_nobody(
    sis: Caller, campus: Campus, file_storage: Path, name: str, mode: str
) -> None:
    body, said = REFUSED_FILES[name]
    answer = upload(sis, campus, body, query={"mode": mode})
    if answer.status_code == 400:
        assert answer.json()["error_code"] == "invalid_file"
        shown = answer.json()["detail"]
        assert not Job.objects.exists()
        assert stored(file_storage) == []
    else:
        job = finish(sis, answer)
        assert job["state"] == "failed"
        shown = job["message"]
    # Which columns are missing depends on the kind of file.
    assert said.replace("{none}", NO_COLUMN).rpartition("student_key or email. ")[2] in shown
    assert SECRET not in shown
    assert ADDRESS not in shown
    assert not Learner.objects.exists()
    assert not LedgerEntry.objects.exists()


@pytest.mark.parametrize("name", REFUSED_LINES)
def test_a_line_that_cannot_be_read_costs_no_other_line_anything(sis: Caller, campus: Campus, name: str) -> None:
    content, said = REFUSED_LINES[name]
    answer = upload(sis, campus, HEADER + GOOD + content + b"\n" + GOOD.replace(b"1", b"2"))
    job = finish(sis, answer)
    assert (job["state"], job["counts"]) == ("succeeded", {"enrolled": 2, "unreadable": 1})
    (row,) = sis.get(f"{answer['Location'].removeprefix('http://testserver')}rows/?word=unreadable").json()["results"]
    assert row["line"] == 3
    assert said in row["detail"]


def test_what_a_spreadsheet_did_to_the_ids_is_said(sis: Caller, campus: Campus) -> None:
    job = finish(sis, upload(sis, campus, b"student_key,status\r1E+05,enrolled\r2E+05,enrolled\r"))
    assert (job["state"], job["changed"]) == ("succeeded", 2)
    (note,) = job["notes"]
    assert note.startswith("Line 2: ")


def test_formulas_and_mixed_ends_are_plain_text(sis: Caller, campus: Campus) -> None:
    body = b"\xef\xbb\xbf\xef\xbb\xbfstudent_key,status\r\n=1+1,enrolled\r@x,enrolled\n+1,enrolled\r\n"
    answer = upload(sis, campus, body)
    job = finish(sis, answer)
    assert (job["state"], job["changed"]) == ("succeeded", 3)
    assert set(Learner.objects.values_list("student_key", flat=True)) == {"=1+1", "@x", "+1"}
    result = sis.get(f"{answer['Location'].removeprefix('http://testserver')}result/")
    text = b"".join(result).decode()
    assert "'=1+1" in text
    assert "\n=1+1" not in text


def test_the_same_learner_many_times(sis: Caller, campus: Campus) -> None:
    job = finish(sis, upload(sis, campus, HEADER + GOOD * 12_000))
    assert (job["state"], job["refused"], job["counts"]) == ("succeeded", 12_000, {"duplicated": 12_000})
    assert not Learner.objects.exists()
    assert not StagedRow.objects.exists()


class TestStorages:
    def use(self, settings: Settings, folder: Path, name: str) -> None:
        backend = {"BACKEND": f"tests.api.jobs.storages.{name}", "OPTIONS": {"location": str(folder)}}
        settings.STORAGES = {**settings.STORAGES, "program_enrollments": backend}

    def test_a_full_one_keeps_nothing(
        self, sis: Caller, campus: Campus, file_storage: Path, settings: Settings
    ) -> None:
        self.use(settings, file_storage, "FullStorage")
        answer = upload(sis, campus, HEADER + GOOD * 100)
        assert (answer.status_code, answer.json()["error_code"]) == (503, "host_unavailable")
        assert stored(file_storage) == []
        assert not Job.objects.exists()

    def test_one_that_fails_in_the_middle_lets_the_job_wait(
        self, sis: Caller, campus: Campus, file_storage: Path, settings: Settings
    ) -> None:
        answer = upload(sis, campus, HEADER + b"".join(b"S-%d,,enrolled\n" % n for n in range(3_000)))
        self.use(settings, file_storage, "BreakingStorage")
        assert finish(sis, answer)["state"] == "waiting"
        assert not Learner.objects.exists()

    @pytest.fixture
    def _small_disk(self) -> Iterator[None]:
        """Let no file grow over 32 MB, as on a disk that is full then."""
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (32 << 20, before[1]))
        yield
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    @pytest.mark.usefixtures("_small_disk")
    def test_no_room_for_the_upload_itself(self, sis: Caller, campus: Campus, file_storage: Path) -> None:
        answer = upload(sis, campus, HEADER + GOOD * ((33 << 20) // len(GOOD)))
        assert (answer.status_code, answer.json()["error_code"]) == (503, "host_unavailable")
        assert stored(file_storage) == []
        assert not Job.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["text/csv", "multipart/form-data; boundary=x"])
def test_a_connection_that_breaks_half_way(
    live_server: LiveServer, campus: Campus, sis: Caller, file_storage: Path, kind: str
) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="n.csv"\r\n\r\n' if "form" in kind else b""
    body = head + HEADER + GOOD * 5_000
    lines = [
        f"POST {ROOT}{campus.path}enrollments/upload/?mode=snapshot HTTP/1.1",
        f"Host: {live_server.thread.host}",
        f"Authorization: {sis.headers['Authorization']}",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body) * 2}",
    ]
    with socket.create_connection((live_server.thread.host, live_server.thread.port), timeout=20) as client:
        client.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        client.shutdown(socket.SHUT_WR)
        answer = b""
        while more := client.recv(65_536):
            answer += more
    # Whoever still listens is told; nothing of the half is kept.
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.0 400"))
    assert not Job.objects.exists()
    assert stored(file_storage) == []
