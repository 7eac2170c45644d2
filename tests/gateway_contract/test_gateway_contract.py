"""The suite for registrar gateways: silent about the demo LMS, and not about a server that is wrong in one way."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from demo_lms.demo_data.catalog import SCHOOLS
from demo_lms.demo_data.clients import CLIENTS
from gateway_contract.__main__ import main
from gateway_contract.connection import Connection
from gateway_contract.findings import Findings
from gateway_contract.suite import Subject, run_suite
from tests.demos import DATABASE, running_demo
from tests.docs.snippets import ROOT
from tests.gateway_contract.distorting import Distortion, Passing, distorting

pytestmark = pytest.mark.once

SIS = CLIENTS[0]
PROGRAM = str(SCHOOLS[0].programs[0].uuid)
ENROLLMENTS = f"/programs/{PROGRAM}/enrollments/"


@pytest.fixture(scope="module")
def demo(first_demo: tuple[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("demo")
    shutil.copy(first_demo[1], folder / DATABASE)
    with running_demo(folder) as url:
        yield url


def look_at(url: str, **options: Any) -> Findings:
    subject = Subject(client=SIS.client_id, secret=SIS.client_secret, program=PROGRAM)
    return run_suite(Connection(url=url), replace(subject, **options))


def unchanged(answer: Passing) -> Passing:
    return answer


def test_reading_finds_nothing_wrong_with_the_demo_and_writes_nothing(demo: str) -> None:
    with distorting(demo, unchanged) as (url, requested):
        findings = look_at(url)

    assert findings.stumbles == []
    assert [finding.check for finding in findings.others] == ["Writes"]
    assert len(findings.passed) >= 18
    assert {path for method, path in requested if method != "GET"} == {"/oauth2/access_token"}


def test_writing_finds_nothing_wrong_either_and_leaves_its_students_as_canceled(demo: str) -> None:
    findings = look_at(demo, writes=True)

    assert findings.others == []
    assert len(findings.passed) >= 38
    connection = Connection(url=demo)
    connection.token = connection.request_token(client=SIS.client_id, secret=SIS.client_secret).json()["access_token"]
    rows = connection.get(f"programs/{PROGRAM}/enrollments/", {"page_size": "1000"}).json()["results"]
    made_up = {row["status"] for row in rows if row["student_key"].startswith("gateway-contract-")}
    assert made_up == {"canceled"}


def is_list(answer: Passing) -> bool:
    return answer.method == "GET" and ENROLLMENTS in answer.path and answer.status == 200


def redirected_tokens(answer: Passing) -> Passing:
    return replace(answer, status=301, location="/oauth2/access_token/") if "access_token" in answer.path else answer


def endless_tokens(answer: Passing) -> Passing:
    body = answer.json()
    if not isinstance(body, dict) or "expires_in" not in body:
        return answer
    return answer.with_json({**body, "expires_in": "an hour"})


def no_jwt(answer: Passing) -> Passing:
    return replace(answer, status=401) if "Authorization" in answer.request_headers else answer


def open_to_all(answer: Passing) -> Passing:
    if answer.status == 401 and "/v1/" in answer.path:
        return answer.with_json({"next": None, "previous": None, "results": []}, status=200)
    return answer


def html_errors(answer: Passing) -> Passing:
    return replace(answer, body=b"<h1>Not found</h1>") if answer.status == 404 else answer


def bare_errors(answer: Passing) -> Passing:
    return answer.with_json({"detail": "Not found."}) if answer.status == 404 else answer


def redirected_case(answer: Passing) -> Passing:
    return replace(answer, status=404) if PROGRAM.upper() in answer.path else answer


def lenient_paths(answer: Passing) -> Passing:
    if "enrollmentsX" in answer.path:
        return answer.with_json({"next": None, "previous": None, "results": []}, status=200)
    return answer


def plain_lists(answer: Passing) -> Passing:
    return answer.with_json(answer.json()["results"]) if is_list(answer) else answer


def counted_pages(answer: Passing) -> Passing:
    """The last page is missing."""
    page = answer.json()
    if is_list(answer) and "cursor=" in answer.path and isinstance(page, dict):
        return answer.with_json({**page, "next": None, "results": page["results"][:-1]})
    return answer


def circles(answer: Passing) -> Passing:
    page = answer.json()
    if is_list(answer) and isinstance(page, dict):
        return answer.with_json({**page, "next": f"http://{answer.request_headers['Host']}{answer.path}"})
    return answer


def internal_links(answer: Passing) -> Passing:
    page = answer.json()
    if is_list(answer) and isinstance(page, dict) and page["next"]:
        return answer.with_json({**page, "next": "http://lms-internal:8000/next"})
    return answer


def relative_links(answer: Passing) -> Passing:
    page = answer.json()
    return answer.with_json({**page, "next": "?cursor=x"}) if is_list(answer) and isinstance(page, dict) else answer


def strict_parameters(answer: Passing) -> Passing:
    return replace(answer, status=400) if "username=" in answer.path else answer


def null_keys(answer: Passing) -> Passing:
    return answer.each_row(lambda row: row.update(student_key=None)) if is_list(answer) else answer


def old_statuses(answer: Passing) -> Passing:
    return answer.each_row(lambda row: row.update(status="withdrawn")) if is_list(answer) else answer


def odd_curricula(answer: Passing) -> Passing:
    return answer.each_row(lambda row: row.update(curriculum_uuid="first")) if is_list(answer) else answer


def numbers_for_truth(answer: Passing) -> Passing:
    return answer.each_row(lambda row: "course_staff" in row and row.update(course_staff=1))


def escaped_plus(answer: Passing) -> Passing:
    return replace(answer, status=404) if "%2B" in answer.path else answer


def courses_of_others(answer: Passing) -> Passing:
    if "GatewayContract" in answer.path:
        return answer.with_json({"next": None, "previous": None, "results": []}, status=200)
    return answer


def of_grades(change: Any) -> Distortion:
    def distort(answer: Passing) -> Passing:
        return answer.each_row(change) if answer.path.endswith("/grades/") else answer

    return distort


def grades_are_always_fine(answer: Passing) -> Passing:
    if not answer.path.endswith("/grades/"):
        return answer
    rows = [{"student_key": "S-1", "error": "There is no grade."}]
    return answer.with_json({"next": None, "previous": None, "results": rows}, status=200)


def unforeseen(answer: Passing) -> Passing:
    return answer.with_json({"next": None, "previous": None, "results": [7]}) if is_list(answer) else answer


@pytest.mark.parametrize(
    ("distort", "stumble"),
    [
        (redirected_tokens, "A token is given"),
        (endless_tokens, "A token is given"),
        (no_jwt, "`Authorization: JWT` is accepted"),
        (open_to_all, "Without a token the answer is 401"),
        (open_to_all, "A token that was tampered with"),
        (html_errors, "An unknown program is 404"),
        (bare_errors, "An unknown program is 404"),
        (bare_errors, "A cursor that means nothing is 404"),
        (redirected_case, "The program is found by its UUID in any letter case"),
        (lenient_paths, "Nothing may follow the path's end"),
        (plain_lists, "Program enrollments have the fields"),
        (counted_pages, "Pages of program enrollments"),
        (circles, "Pages of program enrollments"),
        (internal_links, "Pages of program enrollments"),
        (relative_links, "Pages of program enrollments"),
        (strict_parameters, "Parameters that gateways send anyway"),
        (null_keys, "Program enrollments have the fields"),
        (old_statuses, "Program enrollments have the fields"),
        (odd_curricula, "Program enrollments have the fields"),
        (unforeseen, "Pages of program enrollments"),
        (numbers_for_truth, "Course enrollments have the fields"),
        (escaped_plus, "The `+` of a course key"),
        (courses_of_others, "A course run that the program does not have"),
        (grades_are_always_fine, "Grades are listed"),
        (of_grades(lambda row: row.update(letter_grade="")), "Grades are listed"),
        (of_grades(lambda row: row.update(percent=93)), "Grades are listed"),
        (of_grades(lambda row: row.update(error="", letter_grade="A")), "Grades are listed"),
    ],
)
def test_what_is_wrong_is_named(demo: str, distort: Distortion, stumble: str) -> None:
    with distorting(demo, distort) as (url, _):
        findings = look_at(url)

    assert any(finding.check.startswith(stumble) for finding in findings.stumbles), findings.stumbles


def writes_are(word: str) -> Distortion:
    def distort(answer: Passing) -> Passing:
        said = answer.json()
        if answer.method not in {"POST", "PUT", "PATCH"} or not isinstance(said, dict) or "/v1/" not in answer.path:
            return answer
        return answer.with_json(dict.fromkeys(said, word), status=200)

    return distort


def always_fine(answer: Passing) -> Passing:
    return replace(answer, status=200) if answer.status in {207, 422} else answer


def never_done(answer: Passing) -> Passing:
    job = answer.json()
    return answer.with_json({**job, "state": "pending"}) if isinstance(job, dict) and "state" in job else answer


@pytest.mark.parametrize(
    ("distort", "stumble"),
    [
        (writes_are("enrolled"), "POST of an enrollment that exists"),
        (writes_are("enrolled"), "A body that is no list of rows"),
        (always_fine, "Good and bad rows together are 207"),
        (never_done, "A file becomes a job"),
    ],
)
def test_what_is_wrong_with_writes_is_named(demo: str, distort: Distortion, stumble: str) -> None:
    with distorting(demo, distort) as (url, _):
        findings = look_at(url, writes=True, job_seconds=1)

    assert any(finding.check.startswith(stumble) for finding in findings.stumbles), findings.stumbles


def only_compatible(answer: Passing) -> Passing:
    """What an installation without our own endpoints answers."""
    beyond = "/jobs/" in answer.path or "upload" in answer.path or answer.path.endswith(f"{PROGRAM}/courses/")
    if beyond or "detail=" in answer.path:
        error = {"developer_message": "There is no such thing.", "error_code": "not_found"}
        return answer.with_json(error, status=400 if "detail=" in answer.path else 404)
    return answer


def test_what_an_installation_does_not_have_is_skipped(demo: str) -> None:
    with distorting(demo, only_compatible) as (url, _):
        findings = look_at(url, writes=True)
        of_a_course = look_at(url, course=SCHOOLS[0].programs[0].curricula[0].courses[0].course_id)

    assert findings.stumbles == []
    assert {finding.check.partition(" ")[0] for finding in findings.others} == {"Course", "Jobs", "With"}
    assert "Grades are listed, and the status is that of their rows" in of_a_course.passed


def test_the_token_goes_nowhere_else(demo: str) -> None:
    strangers: list[str] = []

    def refer(answer: Passing) -> Passing:
        page = answer.json()
        if is_list(answer) and isinstance(page, dict):
            return answer.with_json({**page, "next": f"{stranger}/next"})
        return answer

    def note(answer: Passing) -> Passing:
        strangers.append(answer.path)
        return answer

    with distorting(demo, note) as (stranger, _), distorting(demo, refer) as (url, _):
        findings = look_at(url)

    assert any(stranger in finding.detail for finding in findings.stumbles)
    assert strangers == []


def test_a_server_that_is_not_there_is_one_finding() -> None:
    findings = look_at("http://127.0.0.1:9")

    assert "no answer" in findings.stumbles[0].detail
    assert findings.passed == []


class TestCommandLine:
    def run(self, url: str, **variables: str) -> subprocess.CompletedProcess[str]:
        given = {"URL": url, "CLIENT": SIS.client_id, "SECRET": SIS.client_secret, "PROGRAM": PROGRAM, **variables}
        return subprocess.run(
            [
                "make",
                "--silent",
                "contract",
                f"PYTHON={sys.executable}",
                *(f"{key}={one}" for key, one in given.items()),
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

    def test_make_contract_prints_each_check_and_ends_with_0(self, demo: str) -> None:
        ran = self.run(demo)

        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert ran.stdout.splitlines()[-1].endswith("a gateway stumbles over 0, 1 skipped.")
        assert SIS.client_secret not in ran.stdout + ran.stderr

    def test_a_stumble_is_printed_and_ends_with_an_error(self, demo: str) -> None:
        with distorting(demo, bare_errors) as (url, _):
            ran = self.run(url)

        assert ran.returncode != 0
        assert "STUMBLES  An unknown program is 404" in ran.stdout

    def test_without_a_program_it_says_what_is_missing(self) -> None:
        ran = self.run("http://127.0.0.1:9", PROGRAM="")

        assert ran.returncode != 0
        assert "PROGRAM=<uuid>" in ran.stdout

    def test_an_address_that_is_none_is_refused(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            main(["--url", "lms.example", "--client", "c", "--program", PROGRAM])
        assert "this is no address" in capsys.readouterr().err


def test_it_needs_python_alone() -> None:
    code = "import gateway_contract.__main__, sys; assert 'django' not in sys.modules"
    subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(Path(ROOT))!r}); {code}"], check=True
    )
