"""Run the suite on several databases, and say plainly which ones it ran on.

    python -m tests.run_on_databases [--require] DATABASE ...

A database whose server doesn't answer, or whose driver isn't installed, is skipped with the reason. With
``--require``, or ``REQUIRE_ALL_DATABASES=1`` in the environment, that is a failure instead.

Two run at a time: the suite waits for its server about as long as it computes. With one database, pytest writes
straight to the terminal; with several, each run's output is printed whole when that run ends. What stands in
``PYTEST_ADDOPTS`` reaches every run. Exit status: 0 if everything that had to run passed, else 1.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

AT_ONCE = 2
TITLES = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mariadb": "MariaDB"}
# The slowest first, so that the last one doesn't run on alone for long.
ORDER = ("mariadb", "postgresql", "sqlite")


@dataclass(frozen=True, kw_only=True)
class Run:
    """How the suite ended on one database: pytest's exit status and closing line, and how long it took."""

    database: str
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


def run_suite(*, database: str, capture: bool) -> Run:
    """Run pytest on `database`; keep its output if `capture`, else let it through to the terminal."""
    started = time.monotonic()
    process = subprocess.run(
        [sys.executable, "-m", "pytest", "--color=no" if capture else "--color=auto"],
        env={**os.environ, "DATABASE": database},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if capture else None,
        stderr=subprocess.STDOUT if capture else None,
        text=True,
        check=False,
    )
    output = process.stdout or ""
    lines = [line for line in output.splitlines() if line.strip()]
    return Run(
        database=database,
        status=process.returncode,
        closing_line=lines[-1] if lines else "",
        output=output,
        seconds=time.monotonic() - started,
    )


def run_all(*, databases: list[str]) -> list[Run]:
    """Run the suite on every one of `databases`, two at a time, and print each run when it has ended."""
    if len(databases) == 1:
        return [run_suite(database=databases[0], capture=False)]
    say(f"Running on {', '.join(TITLES[each] for each in databases)}; each one's output comes when it has ended.")
    runs = []
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        futures = [pool.submit(run_suite, database=each, capture=True) for each in databases]
        for future in as_completed(futures):
            run = future.result()
            runs.append(run)
            say(f"\n===== {TITLES[run.database]} =====\n{run.output.rstrip()}")
    return runs


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

    runs = run_all(databases=databases)
    say("\n===== Databases =====")
    for database, reason in skipped.items():
        say(f"{TITLES[database]}: skipped: {reason}")
    for run in runs:
        verdict = "passed" if run.status == 0 else f"FAILED (pytest's exit status {run.status})"
        say(f"{TITLES[run.database]}: {verdict} in {run.seconds:.0f} s")
    for run in runs:
        if run.closing_line:
            say(run.closing_line)
    return 0 if all(run.status == 0 for run in runs) else 1


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


if __name__ == "__main__":
    sys.exit(main())
