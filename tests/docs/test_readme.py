"""The README's quick start does what it says, line by line, against a running demo."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.docs.snippets import code_blocks

NAMED_IN_README = "http://127.0.0.1:8000"
pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def answers(demo_url: str, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """Run all curl blocks in one shell, as a reader would, and return the JSON documents they print."""
    script = "\n".join(code_blocks("README.rst", "bash")).replace(NAMED_IN_README, demo_url)
    script = script.replace("/tmp/cookies", str(tmp_path_factory.mktemp("cookies") / "jar"))
    shell = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", script], capture_output=True, text=True, timeout=120, check=False
    )
    assert shell.returncode == 0, shell.stderr
    decoder, text, documents = json.JSONDecoder(), shell.stdout.strip(), []
    while text:
        document, end = decoder.raw_decode(text)
        documents.append(document)
        text = text[end:].strip()
    return documents


def test_the_sis_sees_its_own_programs(answers: list[Any]) -> None:
    assert {row["school"] for row in answers[0]["results"]} == {"uni-a"}


def test_students_without_accounts_are_enrolled(answers: list[Any]) -> None:
    assert answers[1] == {
        "A-5001": "enrolled",
        "A-5002": "enrolled",
        "A-5003": "pending",
        "new.student@uni-a.example": "enrolled",
    }
    assert set(answers[2].values()) == {"active"}
    assert [row["account_exists"] for row in answers[3]["results"]] == [False, False]


def test_signing_in_makes_it_real(answers: list[Any]) -> None:
    (row,) = answers[4]["results"]
    assert row["account_exists"] is True
    assert row["username"]


def test_the_ledger_says_what_happened(answers: list[Any]) -> None:
    learner = answers[5]
    assert learner["link"]["state"] == "linked"
    assert learner["link"]["how"] == "sso"
    (course,) = learner["course_enrollments"]
    assert course["host"] == {"is_active": True, "mode": "masters"}
    kinds = {change["kind"] for change in learner["changes"]}
    assert {"program_enrollment", "program_realized", "course_realized"} <= kinds


def test_the_python_script_runs_unmodified(demo_url: str) -> None:
    (script,) = [block for block in code_blocks("README.rst", "python") if "OAuthAPIClient" in block]
    assert len(script.splitlines()) <= 10
    run = subprocess.run(
        [sys.executable, "-c", script.replace(NAMED_IN_README, demo_url)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "'A-6001': 'enrolled'" in run.stdout
    assert "New Relic" not in run.stdout + run.stderr
