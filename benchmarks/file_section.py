"""The section about files: sent for the first time, sent again, and a snapshot with leavers, beside `api` itself."""

from __future__ import annotations

import os

from benchmarks import crowds, files
from benchmarks.memory import memory_of, peak_memory
from benchmarks.sections import Bench, keep, note

LEAVERS_PER_ROW = 1 / 1_000


def measure_files(bench: Bench) -> None:
    """Files in a program of their own, from the upload until the job has succeeded; on the smallest tables."""
    place, plan = bench.places[0], bench.plan
    run = place.stand.run
    run(files.make_program)
    for rows, samples in plan.file_samples.items():
        grown: list[float] = []
        leavers = max(1, int(rows * LEAVERS_PER_ROW))
        for number in range(samples):
            bench.say(f"files: {rows:,} rows, {number + 1} of {samples}")
            sent, beside = f"f{rows}x{number}", f"a{rows}x{number}"
            try:
                pid = run(os.getpid)
                idle = memory_of(pid)
                with peak_memory(pid) as peak:
                    first = run(files.send_file, sent, rows, "enrolled")
                keep(bench, place, "file: create", "file", first, rows=rows)
                grown.append(peak() - idle)
                run(files.renew_statistics)
                keep(bench, place, "file: replay", "file", run(files.send_file, sent, rows, "enrolled"), rows=rows)
                run(files.write_beside, f"l{rows}x{number}", leavers, "enrolled")
                snapshot = run(files.send_file, sent, rows, "enrolled", snapshot=True)
                keep(bench, place, "file: snapshot", "file", snapshot, rows=rows)
                for step in ("create", "replay"):
                    sample = run(files.write_beside, beside, rows, "enrolled")
                    keep(bench, place, f"file: {step}", "api", sample, rows=rows)
            finally:
                run(files.forget_jobs)
                run(files.forget_enrollments)
                run(crowds.restore, place.marks)
        note(bench, place, f"memory over idle, a file of {rows:,} rows", max(grown), unit="MB", limit=64)
