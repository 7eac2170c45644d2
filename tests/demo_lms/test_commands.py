"""The commands as they are used: in a process of their own, with a database file of their own."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import urlopen

import pytest
from django.core.management import CommandError, call_command

from tests.loopback import free_port

pytestmark = pytest.mark.once

MANAGE = Path(__file__).parents[2] / "demo_lms" / "manage.py"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    unset = {"DJANGO_SETTINGS_MODULE", "DATABASE"}
    return {name: value for name, value in os.environ.items() if name not in unset} | {
        "DEMO_DATABASE": str(tmp_path / "data" / "demo.sqlite3"),
        "DEMO_OUTBOX": str(tmp_path / "outbox"),
    }


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(MANAGE), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd="/",
    )


@contextmanager
def demo(environment: dict[str, str], port: int) -> Iterator[Path]:
    """Start the demo, wait until it answers, and stop it as Ctrl-C does; the file gets what it prints."""
    with TemporaryDirectory() as folder:
        log = Path(folder, "log")
        with log.open("w") as output:
            process = subprocess.Popen(
                [sys.executable, str(MANAGE), "demo", "--port", str(port)],
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
            )
        try:
            wait_for_answer(process, port, log)
            yield log
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=60)
        printed = log.read_text()
        assert process.returncode == 0, printed
        assert "Traceback" not in printed
        assert "The data is kept" in printed


def wait_for_answer(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            # The port is taken before the data is there; the answer comes when the site is ready.
            with urlopen(f"http://127.0.0.1:{port}/", timeout=90) as response:
                assert response.status == 200
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail("the demo doesn't answer")


def page(port: int, path: str) -> str:
    with urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as response:
        return str(response.read().decode())


def content(database: Path) -> list[str]:
    """All the database holds, as SQL. (The time of the file says nothing: the last reader may move the log into it.)"""
    with closing(sqlite3.connect(database)) as connection:
        # The worker looks at the drop folder every few seconds, and writes down when.
        return [line for line in connection.iterdump() if "_feedlook" not in line]


def drop_what_the_demo_says(printed: str) -> None:
    """Copy the sample file into the drop folder as the banner says, and wait until it was taken."""
    source, target = re.findall(r"^  cp (\S+) (\S+)/$", printed, re.MULTILINE)[0]
    shutil.copy(source, target)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not list(Path(target, "processed").glob("uni-a-mds-program.*.csv")):
        time.sleep(0.2)
    assert [one.name for one in Path(target).iterdir()] == ["processed"]


def test_the_demo_starts_keeps_its_data_and_begins_anew(environment: dict[str, str]) -> None:
    port = free_port()
    database = Path(environment["DEMO_DATABASE"])
    with demo(environment, port) as log:
        assert "Algorithms" in page(port, "/")
        assert "--accent" in page(port, "/static/demo_lms/demo.css")
        second = run(environment, "demo", "--port", str(port))
        assert second.returncode == 1
        assert f"Port {port} cannot be used" in second.stderr
        assert f"make demo PORT={port + 1}" in second.stderr
        assert "Traceback" not in second.stderr
        printed = log.read_text()
        for told in ("admin / admin", "uni-a-sis / uni-a-secret", f"http://127.0.0.1:{port}/dev/sign-in/"):
            assert told in printed
        drop_what_the_demo_says(printed)

    written = content(database)
    with demo(environment, port) as log:
        assert "Algorithms" in page(port, "/")
        assert "Making two universities" not in log.read_text()
    assert content(database) == written, "a second start has nothing to write"

    assert run(environment, "demo_reset").returncode == 0
    assert not list(database.parent.iterdir())


@pytest.mark.skipif(shutil.which("curl") is None, reason="the demo prints commands for curl, which isn't here")
def test_what_the_demo_says_to_try_works(
    environment: dict[str, str], first_demo: tuple[str, Path], tmp_path: Path
) -> None:
    database = Path(environment["DEMO_DATABASE"])
    database.parent.mkdir()
    shutil.copy(first_demo[1], database)
    port = free_port()
    with demo(environment, port) as log:
        printed = log.read_text()
        script = printed[printed.index("# get a token") : printed.index("Stop with Ctrl-C")]
        tried = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    assert tried.returncode == 0, tried.stderr
    written, then, listed = re.findall(r"\{.*?\}(?=\{|$)", tried.stdout.strip())
    assert (json.loads(written), json.loads(then)) == ({"student1": "enrolled"}, {"student1": "active"})
    row = json.loads(listed)["results"][0]
    assert (row["student_key"], row["account_exists"], row["username"]) == ("student1", True, "student1")


def test_what_is_no_port_is_told_so(environment: dict[str, str]) -> None:
    # A process, as a demo that took it for a port would serve until it is stopped.
    result = run(environment, "demo", "--port=0")

    assert result.returncode == 1
    assert "0 is not a port" in result.stderr
    assert "Traceback" not in result.stderr
    assert not Path(environment["DEMO_DATABASE"]).exists()


# Nothing can be served on these, and the database must not be asked: the test has none.
@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_neither_are_these_ports(port: str) -> None:
    with pytest.raises(CommandError, match=r"(?i)port"):
        call_command("demo", f"--port={port}")


def test_resetting_what_is_not_there_is_fine(environment: dict[str, str]) -> None:
    assert run(environment, "demo_reset").returncode == 0
