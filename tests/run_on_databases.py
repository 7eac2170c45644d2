"""Run the suite on several databases, and say plainly which ones it ran on.

    python -m tests.run_on_databases [--require] DATABASE ...

A database whose server doesn't answer, or whose driver isn't installed, is skipped with the reason. With
``--require``, or ``REQUIRE_ALL_DATABASES=1`` in the environment, that is a failure instead.

What is marked ``once`` gets a run of its own, on SQLite, and the rest a run for each database. All run at the same
time, and each one's output is printed whole when it ends; on one database, the run on it writes straight to the
terminal. What stands in ``PYTEST_ADDOPTS`` reaches every run. With ``COVERAGE=1`` in the environment the runs on SQLite
are measured (`make coverage`). Exit status: 0 if everything that had to run passed, else 1.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

import pytest

TITLES = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mariadb": "MariaDB"}
# The slowest first.
ORDER = ("mariadb", "postgresql", "sqlite")
PARTS_OF_ONE_DATABASE = 2


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of the suite on a database: `once` is ``only`` or ``without`` (see the marker), or empty for all of it."""

    database: str
    once: str = ""

    @property
    def title(self) -> str:
        return "Once, whatever the database" if self.once == "only" else TITLES[self.database]


@dataclass(frozen=True, kw_only=True)
class Run:
    """How a part ended: pytest's exit status and closing line, and how long it took."""

    part: Part
    status: int
    closing_line: str
    output: str
    seconds: float


def why_not_sqlite(environ: Mapping[str, str]) -> str | None:
    """Return None: SQLite is part of Python."""
    return None


def why_not_postgresql(environ: Mapping[str, str]) -> str | None:
    """Return why PostgreSQL cannot be used, in words for a person, or None if it answers."""
    try:
        import psycopg  # noqa: PLC0415  (its absence is one of the answers)
    except ImportError:
        return "its driver psycopg isn't installed (make install)"
    host, port = environ.get("POSTGRES_HOST", "127.0.0.1"), environ.get("POSTGRES_PORT", "5432")
    try:
        psycopg.connect(
            host=host,
            port=port,
            user=environ.get("POSTGRES_USER", "postgres"),
            password=environ.get("POSTGRES_PASSWORD", ""),
            dbname="postgres",
            connect_timeout=5,
        ).close()
    except psycopg.OperationalError as error:
        return f"no usable server at {host}:{port} ({_one_line(error)})"
    return None


def why_not_mariadb(environ: Mapping[str, str]) -> str | None:
    """Return why MariaDB cannot be used, in words for a person, or None if it answers."""
    try:
        import MySQLdb  # noqa: PLC0415  (its absence is one of the answers)
    except ImportError:
        return "its driver mysqlclient isn't installed (make install says what it needs)"
    host, port = environ.get("MARIADB_HOST", "127.0.0.1"), environ.get("MARIADB_PORT", "3306")
    try:
        MySQLdb.connect(
            host=host,
            port=int(port),
            user=environ.get("MARIADB_USER", "root"),
            passwd=environ.get("MARIADB_PASSWORD", ""),
            connect_timeout=5,
        ).close()
    except MySQLdb.OperationalError as error:
        return f"no usable server at {host}:{port} ({_one_line(error)})"
    return None


WHY_NOT: dict[str, Callable[[Mapping[str, str]], str | None]] = {
    "sqlite": why_not_sqlite,
    "postgresql": why_not_postgresql,
    "mariadb": why_not_mariadb,
}


def parts_of(databases: Sequence[str]) -> list[Part]:
    """Return what to run so that all of the suite runs on `databases`; what runs once comes first, as it waits most."""
    return [Part(database="sqlite", once="only"), *(Part(database=each, once="without") for each in databases)]


def run_part(part: Part, *, capture: bool) -> Run:
    """Run pytest on `part`; keep its output if `capture`, else let it through to the terminal."""
    started = time.monotonic()
    is_measured = part.database == "sqlite" and os.environ.get("COVERAGE") == "1"
    process = subprocess.run(
        [
            sys.executable,
            *(("-m", "coverage", "run") if is_measured else ()),
            *("-m", "pytest", "--color=no" if capture else "--color=auto"),
            *([f"--once={part.once}"] if part.once else []),
        ],
        # Many tests start processes, and without bytecode each of those compiles the code anew.
        env={**os.environ, "DATABASE": part.database, "PYTHONDONTWRITEBYTECODE": ""},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if capture else None,
        stderr=subprocess.STDOUT if capture else None,
        text=True,
        check=False,
    )
    output = process.stdout or ""
    lines = [line for line in output.splitlines() if line.strip()]
    return Run(
        part=part,
        status=process.returncode,
        closing_line=lines[-1] if lines else "",
        output=output,
        seconds=time.monotonic() - started,
    )


def run_all(parts: Sequence[Part]) -> list[Run]:
    """Run all `parts` at the same time, and print each one's output when it has ended.

    A run computes, or waits for its server or for a process that it started: together they keep two cores busy.
    """
    say(f"Running: {'; '.join(part.title for part in parts)}. Each one's output comes when it has ended.")
    is_watched = len(parts) == PARTS_OF_ONE_DATABASE
    runs = []
    with ThreadPoolExecutor(max_workers=len(parts)) as pool:
        futures = [pool.submit(run_part, part, capture=not (is_watched and part.once == "without")) for part in parts]
        for future in as_completed(futures):
            run = future.result()
            runs.append(run)
            if run.output and not is_watched:
                say(_output_of(run))
    # Beside a run that writes to the terminal, the other one's output would stand in the middle of its lines.
    for run in runs if is_watched else ():
        if run.output:
            say(_output_of(run))
    return runs


def _output_of(run: Run) -> str:
    return f"\n===== {run.part.title} =====\n{run.output.rstrip()}"


def verdict_on(run: Run, *, runs: Sequence[Run]) -> str:
    """Return how `run` ended, in words: ``passed``, ``nothing to run``, or ``FAILED`` and why.

    Among the tests that were selected, one part of the suite may have none. If no part has any, that is a failure.
    """
    if run.status == 0:
        return "passed"
    if run.status == pytest.ExitCode.NO_TESTS_COLLECTED and any(other.status == 0 for other in runs):
        return "nothing to run"
    return f"FAILED (pytest's exit status {run.status})"


def say(text: str) -> None:
    """Print `text` at once, so that it stands in order with what subprocesses print."""
    print(text, flush=True)  # noqa: T201


def main() -> int:
    """Run what the command line asks for and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.run_on_databases")
    parser.add_argument("databases", nargs="+", choices=sorted(WHY_NOT), metavar="DATABASE")
    parser.add_argument("--require", action="store_true", help="fail if a database can't be used")
    options = parser.parse_args()
    required = options.require or os.environ.get("REQUIRE_ALL_DATABASES") == "1"

    wanted = sorted(set(options.databases), key=ORDER.index)
    skipped = {each: reason for each in wanted if (reason := WHY_NOT[each](os.environ)) is not None}
    for database, reason in skipped.items():
        say(f"{TITLES[database]}: {'REQUIRED, BUT' if required else 'skipped:'} {reason}")
    if skipped and required:
        return 1
    databases = [each for each in wanted if each not in skipped]
    if not databases:
        say("No database to run on.")
        return 1

    runs = run_all(parts_of(databases))
    verdicts = [verdict_on(run, runs=runs) for run in runs]
    say("\n===== Databases =====")
    for database, reason in skipped.items():
        say(f"{TITLES[database]}: skipped: {reason}")
    for run, verdict in zip(runs, verdicts, strict=True):
        say(f"{run.part.title}: {verdict} in {run.seconds:.0f} s")
    if len(runs) > 1:
        say("Tests marked `once` ran by themselves; each database's run counts them as deselected.")
    for run in runs:
        if run.closing_line:
            say(run.closing_line)
    return 1 if any(verdict.startswith("FAILED") for verdict in verdicts) else 0


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


if __name__ == "__main__":
    sys.exit(main())
