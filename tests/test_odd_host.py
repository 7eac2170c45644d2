"""Hosts that are not like Django's defaults: supported, or refused by a system check with advice."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def run_manage(*arguments: str, settings: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "django", *arguments, "--settings", settings, "--pythonpath", "."],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.once
def test_users_keyed_by_uuid_are_refused_with_advice() -> None:
    found = run_manage("check", settings="tests.odd_host.keyed_by_uuid")
    assert found.returncode == 1
    assert "university_enrollments.E014" in found.stderr
    assert "odd_host.KeyedByUUID" in found.stderr
    assert "HINT" in found.stderr


@pytest.mark.once
def test_users_named_by_an_address_are_supported() -> None:
    found = run_manage("check", settings="tests.odd_host.settings")
    assert found.returncode == 0, found.stderr


@pytest.mark.once
@pytest.mark.parametrize(
    ("router", "number", "named"),
    [
        ("ReadsFromReplica", "E016", "odd_host.Account"),
        ("ReadsFromAny", "E016", "odd_host.Account"),
        ("PermissionsFromReplica", "E016", "auth.Permission"),
        ("AccountsElsewhere", "E015", "odd_host.Account"),
        ("ProxiesElsewhere", "E015", "odd_host.Member"),
    ],
)
def test_routers_that_take_writes_apart_are_refused(router: str, number: str, named: str) -> None:
    found = run_manage("check", settings="tests.odd_host.routed", ROUTER=router)
    assert found.returncode == 1
    assert set(re.findall(r"university_enrollments\.(E\d+)", found.stderr)) == {number}
    assert named in found.stderr


@pytest.mark.once
def test_a_router_may_send_other_reads_to_a_replica() -> None:
    found = run_manage("check", settings="tests.odd_host.routed", ROUTER="OthersReadFromReplica")
    assert found.returncode == 0, found.stderr


@pytest.mark.once
def test_the_odd_hosts_own_migrations_are_complete() -> None:
    found = run_manage("makemigrations", "--check", "--dry-run", settings="tests.odd_host.settings")
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.once
def test_all_flows_hold_on_a_host_with_everything_odd_at_once() -> None:
    """The very files of `tests/flows`, none of which is left out.

    Once: over the demo they run on every database. The stories of `tests/browser` are about scripts of pages, so they
    run over the demo alone.
    """
    run_over_odd_host("tests/flows")


def test_what_only_the_odd_host_has_holds_and_its_adapter_keeps_the_contract() -> None:
    run_over_odd_host("tests/odd_host/stories.py", "tests/host/test_demo_contract.py::TestDemoHost")


def run_over_odd_host(*paths: str) -> None:
    """Run tests in a process of their own, whose settings are the odd host's. All have to run and to pass."""
    suffix = os.environ.get("TEST_DB_SUFFIX", "")
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "tests.odd_host.plugin", "--ds", "tests.odd_host.settings"),
            *paths,
        ],
        cwd=ROOT,
        # The options of this run are not those of that one: it would be about the same tests as this.
        env={**os.environ, "TEST_DB_SUFFIX": f"{suffix}_odd", "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.match(r"\d+ passed", ran.stdout.splitlines()[-1]), ran.stdout
    skipped = [line for line in ran.stdout.splitlines() if line.startswith("SKIPPED")]
    assert [line for line in skipped if "has a meaning only on" not in line] == [], "all that this database can run"
