"""The app's transactions are those of the database that routers name for its tables (ADR 0015)."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import program_enrollments.api

ROOT = Path(__file__).parent.parent.parent
API = Path(program_enrollments.api.__file__).parent


@pytest.mark.once
def test_transactions_hold_on_a_host_without_a_default_database(tmp_path: Path) -> None:
    """In a process of its own: the aliases of databases are settings that a process reads once."""
    told = subprocess.run(
        [sys.executable, "-m", "tests.elsewhere.story"],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.elsewhere.settings",
            "STORY_DATABASE": str(tmp_path / "ours.sqlite3"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.stdout.splitlines()[-1:] == ["done"], told.stdout + told.stderr


@pytest.mark.once
def test_one_module_of_the_domain_knows_the_database() -> None:
    """Django's `connection` is the default one, and so are transactions without `using`."""
    found = {
        f"{path.relative_to(API)}: {alias.name}"
        for path in API.rglob("*.py")
        if path != API / "transactions.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module in {"django.db", "django.db.transaction"}
        for alias in node.names
        if alias.name in {"connection", "transaction", "atomic", "on_commit", "DEFAULT_DB_ALIAS"}
    }
    assert found == set()
