"""Demos, each in a process of its own with data of its own, for documentation to be tried against."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.docs.snippets import ROOT
from tests.loopback import free_port

START_SECONDS = 120
DATABASE = "demo.sqlite3"


@contextmanager
def running_demo(folder: Path) -> Iterator[str]:
    """Run the demo on a free port, with database and mails in `folder`, and stop it at the end. Gives its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "demo_lms.settings",
        "DEMO_DATABASE": str(folder / DATABASE),
        "DEMO_OUTBOX": str(folder / "outbox"),
    }
    with (folder / "output").open("w") as output:
        server = subprocess.Popen(
            [sys.executable, "demo_lms/manage.py", "demo", "--port", str(port)],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_until_it_answers(url, server, folder / "output")
            yield url
        finally:
            server.terminate()
            server.wait(timeout=30)


@pytest.fixture(scope="session")
def first_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Run a demo from nothing. Gives its address, and a copy of its database from before anybody used it."""
    folder = tmp_path_factory.mktemp("demo")
    with running_demo(folder) as url:
        unused = folder / "unused.sqlite3"
        with closing(sqlite3.connect(folder / DATABASE)) as source, closing(sqlite3.connect(unused)) as target:
            source.backup(target)
        yield url, unused


def wait_until_it_answers(url: str, server: subprocess.Popen[bytes], output: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=30):
                return
        except OSError:  # not there yet, or there but still setting up its database
            time.sleep(0.2)
    pytest.fail(f"The demo did not start:\n{output.read_text()}")
