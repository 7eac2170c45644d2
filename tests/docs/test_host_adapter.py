"""The guide for authors of host adapters: its files make a project, and its adapter keeps the contract."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.snippets import ROOT
from tests.docs.terminals import environment
from tests.docs.walking import walk

PAGE = "docs/host-adapter.rst"
pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Do what the page says."""
    folder = tmp_path_factory.mktemp("project")
    assert walk(PAGE, demo_url="", folder=folder, python_path=ROOT) == 2
    return folder


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**environment(python_path=ROOT), "DJANGO_SETTINGS_MODULE": "small_lms.settings"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_django_has_nothing_to_say_against_the_project(folder: Path) -> None:
    check = run(folder, "-m", "django", "check", "--fail-level", "ERROR")
    assert check.returncode == 0, check.stderr


# By the test that is to fail. The first four are made at once; what commits spoils more than its own test.
MISTAKES = {
    "compared_by_the_one_notion_of_equality": (
        "accounts.py",
        "if normalize_identity(email) in wanted:",
        "if email in wanted:",
    ),
    "seats_become_exactly_as_put": ("course_enrollments.py", "plan=seat.mode", 'plan="masters"'),
    "failing_seat_leaves_the_others_alone": (
        "course_enrollments.py",
        "except Course.DoesNotExist:",
        "except KeyError:",
    ),
    "since_limits_the_number_of_days_alone": ("learning.py", "user_ids).values(", "user_ids).filter(counted).values("),
    "part_of_the_callers_transaction": (
        "course_enrollments.py",
        "        return failures\n",
        "        transaction.get_connection().cursor().execute('COMMIT')\n        return failures\n",
    ),
}
TOGETHER = [*MISTAKES][:4]


@pytest.mark.parametrize("tests", [TOGETHER, [*MISTAKES][4:]], ids=["four mistakes", "a commit"])
def test_mistakes_fail_the_tests_that_the_page_says(folder: Path, tests: list[str], tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(folder, project)
    for name, right, wrong in map(MISTAKES.__getitem__, tests):
        adapter = project / "small_lms" / "enrollment_host" / name
        written = adapter.read_text(encoding="utf-8")
        assert written.count(right) == 1
        adapter.write_text(written.replace(right, wrong), encoding="utf-8")

    contract = run(project, "-m", "pytest", "-q", "-rfE", "-k", " or ".join(tests), "test_enrollment_host.py")

    failed = [line for line in contract.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    for name in tests:
        assert any(name in line for line in failed), contract.stdout


def test_every_failure_that_is_explained_is_one_of_the_contract(folder: Path) -> None:
    page = (ROOT / PAGE).read_text(encoding="utf-8")
    listed = run(folder, "-m", "pytest", "-q", "--collect-only", "test_enrollment_host.py").stdout
    explained = [line.split("``…")[1].split("``")[0] for line in page.splitlines() if line.startswith("``…")]
    assert len(explained) >= len(MISTAKES)
    for name in explained:
        assert name in listed
