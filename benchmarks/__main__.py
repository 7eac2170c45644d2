"""Measure how fast the app is, beside the bare driver, and say which targets are met.

    python -m benchmarks [--quick] [--only SECTION ...] [--others N ...] [--rows N ...] [DATABASE ...]

`--others` and `--rows` leave out some of the sizes: enrollments that were there before, rows of a bulk write. DATABASE
is sqlite, postgresql or mariadb; all that answer, where none is named. Databases of the benchmark's own are made and
dropped. A table is printed, and everything is kept as JSON under build/bench/. The exit status tells whether everything
could be measured, not whether targets were met: a machine may be slow, or busy.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from benchmarks.client import Client
from benchmarks.databases import FOLDER, TITLES
from benchmarks.file_section import measure_files
from benchmarks.plan import FULL, QUICK, Plan
from benchmarks.sampling import Results
from benchmarks.sections import SECTIONS as OTHER_SECTIONS
from benchmarks.sections import Bench, Place, prepare
from benchmarks.serving import Server
from benchmarks.shared_workers import measure_shared_workers
from benchmarks.stands import Stand
from benchmarks.tables import write_tables
from benchmarks.targets import Verdict, judge
from tests.run_on_databases import WHY_NOT

SECTIONS = {**OTHER_SECTIONS, "files": measure_files, "workers": measure_shared_workers}


def main() -> int:
    """Run what the command line asks for and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("databases", nargs="*", metavar="DATABASE", help=", ".join(TITLES))
    parser.add_argument("--quick", action="store_true", help="small sizes, in under two minutes")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS), metavar="SECTION")
    parser.add_argument("--others", nargs="+", type=int, metavar="N")
    parser.add_argument("--rows", nargs="+", type=int, metavar="N")
    options = parser.parse_args()
    if unknown := set(options.databases) - TITLES.keys():
        parser.error(f"{', '.join(sorted(unknown))}: choose from {', '.join(TITLES)}.")

    started, plan, results = time.monotonic(), QUICK if options.quick else FULL, Results()
    plan = plan.narrowed(others=options.others or plan.others, rows=options.rows)
    for vendor in options.databases or TITLES:
        reason = WHY_NOT[vendor](os.environ)
        if reason is not None:
            print(f"{TITLES[vendor]}: skipped: {reason}", flush=True)
            continue
        _measure(vendor, plan, options.only, results, started)
    if not results.series and not results.figures:
        print("No database to measure on.")
        return 1
    verdicts = judge(results)
    print(write_tables(results=results, verdicts=verdicts))
    path = _keep(results, verdicts, seconds=time.monotonic() - started, quick=options.quick)
    print(f"\nTook {time.monotonic() - started:.0f} s. Kept in {path}.")
    return 0


def _measure(vendor: str, plan: Plan, sections: list[str], results: Results, started: float) -> None:
    def say(what: str) -> None:
        print(f"[{time.monotonic() - started:5.0f} s] {TITLES[vendor]}: {what}", flush=True)

    with ExitStack() as stack:
        places = []
        for others in plan.others:
            say(f"making a database with {others:,} enrollments")
            stand = stack.enter_context(Stand(vendor=vendor, others=others))
            marks = prepare(stand, plan)
            server = stack.enter_context(Server(stand))
            client = Client(server.port)
            stack.callback(client.close)
            places.append(Place(stand=stand, marks=marks, client=client, server=server))
        for name, measure_section in SECTIONS.items():
            if name in sections:
                measure_section(Bench(places=places, plan=plan, results=results, say=say))


def _keep(results: Results, verdicts: list[Verdict], *, seconds: float, quick: bool) -> str:
    now = datetime.now(UTC)
    content: dict[str, Any] = {
        "at": now.isoformat(timespec="seconds"),
        "quick": quick,
        "seconds": round(seconds),
        "machine": {"cores": os.cpu_count(), "processor": platform.machine(), "python": platform.python_version()},
        "series": [
            {**{name: value for name, value in asdict(each).items() if name != "samples"}, "seconds": each.seconds,
             "statements": each.statements, "samples": [sample.seconds for sample in each.samples]}
            for each in results.series.values()
        ],
        "figures": results.figures,
        "targets": [{**asdict(verdict), "met": verdict.met} for verdict in verdicts],
    }  # fmt: skip
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{now:%Y%m%dT%H%M%S}{'-quick' if quick else ''}.json"
    path.write_text(json.dumps(content, indent=1) + "\n")
    return str(path)


if __name__ == "__main__":
    sys.exit(main())
