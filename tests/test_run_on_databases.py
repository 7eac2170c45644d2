"""The runner behind `make test`: a database that isn't there is named, and fails where it is required."""

import os
import re
import subprocess
import sys

import pytest

from tests.loopback import free_port
from tests.run_on_databases import Run, parts_of, verdict_on, why_not_postgresql

pytestmark = pytest.mark.once


@pytest.fixture
def closed_port() -> str:
    """A port of loopback on which nothing listens."""
    return str(free_port())


# Always with a selection that leaves this file out: a suite that starts itself would never end.
def run(
    *arguments: str, selection: str = "tests/test_repository.py", **environ: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.run_on_databases", *arguments],
        env={
            **{name: value for name, value in os.environ.items() if name != "REQUIRE_ALL_DATABASES"},
            "PYTEST_ADDOPTS": selection,
            **environ,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_database_that_does_not_answer_is_skipped_with_the_reason(closed_port: str) -> None:
    ended = run("postgresql", "sqlite", POSTGRES_PORT=closed_port)

    assert ended.stdout.startswith(f"PostgreSQL: skipped: no usable server at 127.0.0.1:{closed_port} (")
    assert "Once, whatever the database: passed" in ended.stdout
    assert ended.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "environ"),
    [(["--require", "postgresql", "sqlite"], {}), (["postgresql", "sqlite"], {"REQUIRE_ALL_DATABASES": "1"})],
)
def test_a_required_database_that_does_not_answer_is_a_failure_before_anything_runs(
    closed_port: str, arguments: list[str], environ: dict[str, str]
) -> None:
    ended = run(*arguments, POSTGRES_PORT=closed_port, **environ)

    assert ended.stdout.startswith("PostgreSQL: REQUIRED, BUT no usable server at")
    assert "SQLite" not in ended.stdout
    assert ended.returncode == 1


def test_a_failing_run_is_named_and_fails_the_whole() -> None:
    ended = run("sqlite", selection="tests/no_such_folder")

    assert "SQLite: FAILED (pytest's exit status 4)" in ended.stdout
    assert ended.returncode == 1


def test_what_is_marked_once_runs_by_itself() -> None:
    if reason := why_not_postgresql(os.environ):
        pytest.skip(f"needs a second database, but PostgreSQL: {reason}")

    ended = run("postgresql", "sqlite", selection="tests/test_repository.py tests/test_normalization.py")

    assert ended.returncode == 0
    counted = dict(re.findall(r"===== (\S+?)(?:,.*)? =====\n.*?\n(\d+ passed.*) in ", ended.stdout))
    once, rest = counted.pop("Once").split(" passed, ")
    assert counted == dict.fromkeys(["PostgreSQL", "SQLite"], f"{rest.split()[0]} passed, {once} deselected")


@pytest.mark.parametrize(
    ("statuses", "verdicts"),
    [
        ([0, 0], ["passed", "passed"]),
        ([0, 1], ["passed", "FAILED (pytest's exit status 1)"]),
        ([0, 5], ["passed", "nothing to run"]),
        ([5, 5], ["FAILED (pytest's exit status 5)"] * 2),
        ([1, 5], ["FAILED (pytest's exit status 1)", "FAILED (pytest's exit status 5)"]),
    ],
)
def test_a_part_may_have_nothing_to_run_but_not_all(statuses: list[int], verdicts: list[str]) -> None:
    runs = [
        Run(part=part, status=status, closing_line="", output="", seconds=1)
        for part, status in zip(parts_of(["postgresql", "sqlite"]), statuses, strict=False)
    ]

    assert [verdict_on(each, runs=runs) for each in runs] == verdicts
